"""Personalizer's calls: its clients move by changing the address, and what they send is logged like any decision."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.rollout.rules import Serving
from tenure.rollout.settings import RolloutSettings, Settings
from tenure.serving.access import Role
from tenure.serving.api.personalizer import ranked
from tenure.serving.wire import Answer

from ..toy import Fixed
from .conftest import Office, Open

V1 = "/personalizer/v1.0"
CONTEXT: list[dict[str, Any]] = [{"x": 2.0}, {"user": {"y": 3.0, "name": "ann"}}]


def body(*ids: str, event: str | None = "e1", **more: Any) -> dict[str, Any]:
    actions = [{"id": each, "features": [{"type": "News"}]} for each in ids or ("a", "b", "c", "d")]
    named = {} if event is None else {"eventId": event}
    return {"actions": actions, "contextFeatures": CONTEXT, **named, **more}


def rank(office: Office, *ids: str, **more: Any) -> dict[str, Any]:
    answer = office.post(f"{V1}/rank", json=body(*ids, **more))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Any, status: int, code: str, word: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.json()["error"]["code"] == code
    assert word in answer.json()["error"]["message"]


def test_it_ranks_every_action_sent_and_says_which_one_to_take(office: Office) -> None:
    found = rank(office)
    assert set(found) == {"ranking", "eventId", "rewardActionId"}
    assert (found["eventId"], found["rewardActionId"]) == ("e1", "b")
    assert [each["id"] for each in found["ranking"]] == ["b", "a", "c", "d"]
    assert [each["probability"] for each in found["ranking"]] == [1.0, 0.0, 0.0, 0.0]


def test_the_decision_is_in_the_log_with_what_was_sent(office: Office) -> None:
    rank(office)
    row = office.world.row("e1")
    assert row.context == {"x": 2.0, "y": 3.0}
    assert row.unit_id == "e1"
    assert row.action == 1


def test_a_unit_in_the_context_keeps_its_arm(office: Office) -> None:
    rank(office, contextFeatures=[*CONTEXT, {"unit_id": "u7"}])
    assert office.world.row("e1").unit_id == "u7"


def test_without_an_event_id_one_is_made(office: Office) -> None:
    first, second = rank(office, event=None)["eventId"], rank(office, event=None)["eventId"]
    assert first != second
    assert office.world.row(first).action == 1


def test_actions_that_were_excluded_or_not_sent_are_not_taken(office: Office) -> None:
    office.world.candidate.action = 2
    found = rank(office, "a", "b", "c", excludedActions=["c"])
    assert found["rewardActionId"] != "c"
    assert {each["id"]: each["probability"] for each in found["ranking"]}["c"] == 0.0
    mask = office.world.row("e1").mask
    assert mask is not None
    assert list(mask) == [1, 1, 0, 0]


def test_in_apprentice_mode_the_first_action_sent_is_the_one(open_office: Open) -> None:
    office = open_office()
    office.world.at("shadow", 0.0)
    assert rank(office, "d", "a", "b")["rewardActionId"] == "d"
    assert rank(office, "d", "a", "b", event="e2", excludedActions=["d"])["rewardActionId"] == "a"


@pytest.mark.parametrize("propensity", [0.7, 0.97, 1.0, None])
@pytest.mark.parametrize("eligible", [{"b"}, {"a", "b"}, {"a", "b", "c", "d"}])
def test_probabilities_sum_to_one_over_what_is_allowed_and_the_taken_one_has_its_own(
    propensity: float | None, eligible: set[str]
) -> None:
    answer = Answer("e", 1, "b", "candidate", "full", "v1", propensity, 1.0, "", False, "")
    found = {each.id: each.probability for each in ranked(["a", "b", "c", "d"], frozenset(eligible), answer)}
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["b"] == (1.0 if propensity is None or eligible == {"b"} else propensity)
    assert all(found[name] == 0.0 for name in set(found) - eligible)


def test_the_likeliest_comes_first_and_ties_stay_as_sent() -> None:
    answer = Answer("e", 3, "d", "candidate", "full", "v1", 0.1, 1.0, "", True, "")
    assert [each.id for each in ranked(["c", "a", "d"], frozenset("acd"), answer)] == ["c", "a", "d"]


def test_the_same_event_gets_the_same_answer_and_another_body_a_conflict(office: Office) -> None:
    assert rank(office) == rank(office)
    assert office.world.count() == 1
    refused(office.post(f"{V1}/rank", json=body("a", "b")), 409, "Conflict")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"actions": []}, ""),
        ({"actions": [{"id": "z"}]}, "unknown ['z']"),
        ({"actions": [{"id": "a"}, {"id": "a"}]}, "each once"),
        ({"actions": [{"id": "a"}], "excludedActions": ["a"]}, "at least one true"),
        ({"contextFeatures": [{"x": "much"}]}, "'x'"),
        ({"contextFeatures": [{"x": 99}]}, "0 to 10"),
        ({"contextFeatures": [{"x": 10**400}]}, "'x'"),
        ({"contextFeatures": []}, "feature 'x'"),
        ({"contextFeatures": "x"}, ""),
        ({"eventId": ""}, ""),
        ({"eventId": "e" * 257}, ""),
        ({"eventId": "a\x00b"}, ""),
    ],
)
def test_what_cannot_be_ranked_is_told_in_personalizers_words(office: Office, more: dict[str, Any], word: str) -> None:
    refused(office.post(f"{V1}/rank", json=body() | more), 400, "BadRequest", word)
    assert office.world.count() == 0


def test_features_nested_too_deep_are_refused(office: Office) -> None:
    deep: Any = 1.0
    for _ in range(100):
        deep = {"x": deep}
    refused(office.post(f"{V1}/rank", json=body(contextFeatures=[deep])), 400, "BadRequest", "levels")


def test_a_whole_path_is_surer_than_the_last_part_of_one(office: Office) -> None:
    rank(office, contextFeatures=[{"x": 2.0}, {"store": {"x": 9.0}}])
    rank(office, event="e2", contextFeatures=[{"store": {"x": 9.0}}, {"x": 2.0}])
    rank(office, event="e3", contextFeatures=[{"store": {"x": 9.0}}])
    assert [office.world.row(event).context["x"] for event in ("e1", "e2", "e3")] == [2.0, 2.0, 9.0]


def reward(office: Office, event: str = "e1", value: Any = 7.0) -> Any:
    return office.post(f"{V1}/events/{event}/reward", json={"value": value})


def outcomes(office: Office) -> list[tuple[str, int]]:
    with office.store.database.reading() as connection:
        found = connection.execute("SELECT place, counted FROM outcome ORDER BY id").fetchall()
    return [(row[0], row[1]) for row in found]


def test_a_reward_is_an_outcome_of_the_only_signal(office: Office) -> None:
    rank(office)
    answer = reward(office)
    assert (answer.status_code, answer.content) == (204, b"")
    assert office.store.read_log("toy").signals["cost"].tolist() == [7.0]


def test_the_first_reward_counts_and_repeats_change_nothing(office: Office) -> None:
    rank(office)
    for value in (7.0, 7.0, 9.0):
        assert reward(office, value=value).status_code == 204
    assert outcomes(office) == [("joined", 1), ("repeated", 0)]
    assert office.store.read_log("toy").signals["cost"].tolist() == [7.0]


def test_a_reward_before_its_rank_waits_for_it(office: Office) -> None:
    assert reward(office).status_code == 204
    rank(office)
    assert office.store.read_log("toy").signals["cost"].tolist() == [7.0]


@pytest.mark.parametrize("sent", [b"{}", b'{"value": NaN}', b'{"value": "1"}', b"", b"[]", b'{"value": 1e999}'])
def test_what_is_no_reward_is_told_in_personalizers_words(office: Office, sent: bytes) -> None:
    refused(office.post(f"{V1}/events/e1/reward", content=sent), 400, "BadRequest")


def test_which_signal_a_reward_is_must_be_said_where_there_are_several(office: Office) -> None:
    office.service.settings = Settings(
        rollout=RolloutSettings(salt="salt"), serving=Serving(personalizer_signal="profit")
    )
    refused(reward(office), 404, "ResourceNotFound", "personalizer_signal")


def activate(office: Office, event: str = "e1") -> Any:
    return office.post(f"{V1}/events/{event}/activate")


def counted(office: Office) -> list[str]:
    return office.store.read_log("toy").decision_id


def test_a_deferred_event_counts_for_nothing_until_it_is_activated(office: Office) -> None:
    rank(office, deferActivation=True)
    reward(office)
    assert office.world.row("e1").reason == "deferred"
    assert counted(office) == []
    answer = activate(office)
    assert (answer.status_code, answer.content) == (204, b"")
    frame = office.store.read_log("toy")
    assert frame.decision_id == ["e1"]
    assert (frame.action.tolist(), frame.arm, frame.propensity.tolist()) == ([1], ["candidate"], [1.0])
    assert frame.signals["cost"].tolist() == [7.0]
    assert office.store.verify("toy").intact


def test_activating_twice_or_what_was_not_deferred_changes_nothing(office: Office) -> None:
    rank(office, deferActivation=True)
    activate(office)
    rows = office.world.count("corrections")
    assert activate(office).status_code == 204
    rank(office, event="e2")
    assert activate(office, "e2").status_code == 204
    assert office.world.count("corrections") == rows
    assert counted(office) == ["e1", "e2"]


def test_ranking_an_activated_event_again_does_not_defer_it_again(office: Office) -> None:
    first = rank(office, deferActivation=True)
    assert rank(office, deferActivation=True) == first
    activate(office)
    assert rank(office, deferActivation=True) == first
    assert counted(office) == ["e1"]


def test_a_deferred_event_that_is_killed_stays_deferred_with_the_incumbents_action(office: Office) -> None:
    rank(office, deferActivation=True)
    office.world.store.stop()
    assert rank(office, deferActivation=True)["rewardActionId"] == "a"
    assert office.world.row("e1").reason == "deferred"
    assert counted(office) == []


def test_activating_an_unknown_event_says_so(office: Office) -> None:
    refused(activate(office, "nobody"), 404, "ResourceNotFound", "'nobody'")


def test_an_event_id_may_hold_a_slash(office: Office) -> None:
    rank(office, event="2026/05/e1", deferActivation=True)
    assert activate(office, "2026/05/e1").status_code == 204
    assert reward(office, "2026%2F05%2Fe1").status_code == 204
    assert office.store.read_log("toy").signals["cost"].tolist() == [7.0]


def test_an_event_id_no_database_takes_is_nobodys(office: Office) -> None:
    refused(reward(office, "a%00b"), 404, "ResourceNotFound")
    assert outcomes(office) == []


def test_personalizers_key_is_a_token_and_its_absence_told_in_personalizers_words(guarded: Office) -> None:
    refused(guarded.post(f"{V1}/rank", json=body()), 401, "Unauthorized")
    key = {"Ocp-Apim-Subscription-Key": guarded.of[Role.CLIENT]}
    assert guarded.post(f"{V1}/rank", json=body(), headers=key).status_code == 201


def test_a_rule_that_cannot_decide_is_told_in_personalizers_words(open_office: Open) -> None:
    office = open_office(incumbent=Fixed(99, 1.0, version="rule"))
    office.world.at("shadow", 0.0)
    assert rank(office)["rewardActionId"] == "a"  # the first action sent stands for the rule


@pytest.mark.parametrize("name", ["unit_id", "eventId"])
def test_an_id_no_database_can_keep_is_refused_before_it_is_decided(office: Office, name: str) -> None:
    asked: dict[str, Any] = {"actions": [{"id": label} for label in "abcd"], "contextFeatures": [{"x": 1.0}]}
    if name == "unit_id":
        asked["contextFeatures"].append({"unit_id": "a\0b"})
    else:
        asked["eventId"] = "a\0b"
    answer = office.post("/personalizer/v1.0/rank", json=asked)
    assert 400 <= answer.status_code < 500
    assert office.store.counts("toy")["decisions"] == 0
