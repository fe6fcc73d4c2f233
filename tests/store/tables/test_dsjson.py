"""VW's and Personalizer's log lines under our names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenure.store.tables.dsjson import is_dsjson, understood
from tenure.store.tables.logfile import open_log

LINE: dict[str, Any] = {
    "_label_cost": -0.75,
    "_label_probability": 0.8,
    "_label_Action": 2,
    "_labelIndex": 1,
    "o": [{"v": 0.75, "EventId": "e1", "ActionTaken": False}],
    "Timestamp": "2020-05-01T10:00:00.1234567Z",
    "EventId": "e1",
    "a": [2, 1],
    "p": [0.8, 0.2],
    "c": {"GUser": {"age": 31, "_tag": "u"}, "_multi": [{"TAction": {"x": 1}}, {"TAction": {"x": 2}}]},
    "pdrop": 0.1,
    "VWState": {"m": "model"},
}


def of(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**LINE, **changes}.items() if value is not None}


def test_cost_is_minus_reward_and_actions_count_from_one() -> None:
    found = understood(LINE)
    assert (found["reward"], found["propensity"], found["action"]) == (0.75, 0.8, 1)
    assert (found["decision_id"], found["allowed"], found["flag"]) == ("e1", [True, True], None)
    assert found["candidates"] == LINE["c"]["_multi"]
    assert found["context"]["GUser"] == {"age": 31, "_tag": "u"}
    assert found["context"]["_dsjson"] == {name: LINE[name] for name in ("o", "a", "p", "pdrop", "VWState")}


def test_a_reward_of_zero_is_not_minus_zero() -> None:
    assert str(understood(of(_label_cost=0))["reward"]) == "0.0"


def test_without_a_label_ranking_probabilities_and_observations_tell() -> None:
    found = understood(of(_label_cost=None, _label_Action=None, _labelIndex=None, _label_probability=None))
    assert (found["reward"], found["propensity"], found["action"]) == (0.75, 0.8, 1)
    assert understood(of(_label_cost=None, o=None))["reward"] is None


@pytest.mark.parametrize("word", ["DeferredAction", "deferred"])
def test_an_event_never_activated_is_kept_without_a_reward_and_flagged(word: str) -> None:
    found = understood(of(**{word: True}))
    assert (found["flag"], found["reward"]) == ("deferred", None)
    later = [{"EventId": "e1", "ActionTaken": True}, {"v": 0.75}]
    assert understood(of(**{word: True}, o=later))["flag"] is None
    assert understood(of(**{word: True, "ActionTaken": True}))["flag"] is None


def test_skip_learn_is_a_flag() -> None:
    assert understood(of(_skipLearn=True))["flag"] == "skipped"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"RewardValue": 1.0, "EventId": "e"}, "no decision"),
        (of(_labelIndex=0), "two actions"),
        (of(_label_Action="x", _labelIndex=None), "no whole number"),
        (of(_label_Action=3, _labelIndex=2), "none of its 2 candidates"),
        (of(c=[1]), "no object"),
    ],
)
def test_what_is_no_decision_says_why(line: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        understood(line)


def test_a_log_of_such_lines_is_told_by_its_first_and_flagged_events_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    lines = [LINE, of(EventId="e2", deferred=True), of(EventId="e3", _skipLearn=True), {"RewardValue": 1}, LINE]
    path.write_text("\n".join(map(json.dumps, lines)))
    log = open_log(path)
    (batch,) = log.batches()
    assert (batch.decision_id.tolist(), batch.reward.tolist(), log.rows) == (["e1"], [0.75], 1)
    assert log.labels == ("0", "1")
    assert batch.allowed is not None
    assert batch.allowed.tolist() == [[True, True]]
    assert str(batch.at[0]) == "2020-05-01T10:00:00.123456"
    assert batch.features[0, batch.names.index("GUser.age")] == 31
    assert {"kept out: 1 rows flagged 'deferred'", "kept out: 1 rows flagged 'skipped'"} <= set(log.summary)
    assert [rejection.line for rejection in log.rejected] == [4, 5]


def test_other_json_is_not_taken_for_it() -> None:
    assert not is_dsjson({"action": 1, "c": 2, "p": 3})
    assert is_dsjson({"a": [1], "c": {}, "p": [1.0]})
