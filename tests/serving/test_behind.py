"""The shadow: nothing behind an answer disturbs it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tenure.rollout.assignment import gets_candidate
from tenure.serving import DecisionRequest
from tenure.serving.behind import Shadow

from .conftest import Make
from .test_choose import boom
from .toy import Fixed, World, request


def shadowed(world: World, *requests: DecisionRequest) -> dict[str, tuple[int, str | None]]:
    shadow = Shadow(world.service)
    world.ask(*requests)
    shadow.close()
    log = world.store.read_log("toy")
    return dict(zip(log.decision_id, zip(log.shadow_action.tolist(), log.shadow_version, strict=True), strict=True))


def test_in_shadow_every_decision_gets_the_candidates_proposal(make: Make) -> None:
    found = shadowed(make().at("shadow", 0.0), *(request(f"d{n}") for n in range(5)))
    assert found == {f"d{n}": (1, "v1") for n in range(5)}


def test_in_canary_the_arm_that_did_not_answer_is_asked(make: Make) -> None:
    found = shadowed(make().at("canary", 0.5), *(request(f"d{n}", unit=f"u{n}") for n in range(40)))
    learned = {f"d{n}" for n in range(40) if gets_candidate("salt", f"u{n}", 0.5)}
    assert 0 < len(learned) < 40
    assert found == {name: (0, "rule") if name in learned else (1, "v1") for name in found}


def test_in_full_the_incumbent_is_asked(world: World) -> None:
    assert shadowed(world, request()) == {"d1": (0, "rule")}


def test_a_proposal_carries_its_own_probability(make: Make) -> None:
    world = make(candidate=Fixed(1, distribution=np.array([0.75, 0.25, 0.0, 0.0]))).at("shadow", 0.0)
    shadowed(world, request())
    with world.store.database.reading() as connection:
        assert connection.execute("SELECT propensity, confidence FROM proposal").fetchall() == [(0.25, 0.5)]


@pytest.mark.parametrize("stage", ["none", "rolled_back"])
def test_without_a_candidate_there_is_no_shadow(make: Make, stage: str) -> None:
    world = make() if stage == "none" else make().at(stage, 0.0)
    assert shadowed(world, request()) == {"d1": (-1, None)}
    assert world.candidate.asked == 0


def test_a_killed_candidate_is_not_asked_any_more(world: World) -> None:
    world.store.stop()
    assert shadowed(world, request()) == {"d1": (-1, None)}
    assert world.candidate.asked == 0


def test_a_failing_shadow_disturbs_no_answer_and_the_next_group_gets_its_chance(make: Make) -> None:
    world = make(incumbent=Fixed(0, version="rule")).at("full", 1.0)
    shadow = Shadow(world.service)
    world.incumbent.before = boom
    answer = world.one("d1")
    world.store.away = frozenset({"append_proposals"})
    other = world.one("d2")
    assert (answer.arm, other.arm) == ("candidate", "candidate")
    shadow.close()
    assert world.service.counters["shadow_lost"] == 2


def test_a_candidate_that_fails_in_shadow_is_counted(make: Make) -> None:
    world = make(candidate=Fixed(before=boom)).at("shadow", 0.0)
    assert shadowed(world, request()) == {"d1": (-1, None)}
    assert world.service.chooser.failures == {"policy_error": 1}


def test_what_the_shadow_cannot_keep_up_with_is_dropped_and_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.serving.behind.LARGEST_BACKLOG", 1)
    gate, entered = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        gate.wait()

    world.incumbent.before = slow
    shadow = Shadow(world.service)
    world.one("d1")
    entered.wait()
    world.one("d2")
    world.one("d3")
    gate.set()
    shadow.close()
    assert world.service.counters["shadow_lost"] == 1
    assert world.count("proposals") == 2


def test_a_conflicting_body_leaves_no_proposal_and_a_repeat_no_second_one(make: Make) -> None:
    world = make().at("shadow", 0.0)
    world.one("d1")
    assert shadowed(world, request("d1", x=3.0), request("d2"), request("d2"), request("d1")) == {
        "d1": (-1, None),
        "d2": (1, "v1"),
    }


def test_after_close_answers_go_on_without_a_shadow(world: World) -> None:
    Shadow(world.service).close()
    assert world.one().arm == "candidate"
    assert world.count("proposals") == 0


def test_the_shadow_waits_while_a_group_is_computed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.behind.PATIENCE_S", 60.0)
    shadow = Shadow(world.service)
    world.service.calm.clear()
    world.one()
    closing = threading.Thread(target=shadow.close)
    closing.start()
    closing.join(0.05)
    assert (closing.is_alive(), world.count("proposals")) == (True, 0)
    world.service.calm.set()
    closing.join(20)
    assert world.count("proposals") == 1


def test_but_not_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.behind.PATIENCE_S", 0.001)
    shadow = Shadow(world.service)
    world.service.calm.clear()
    world.one()
    shadow.close()
    assert world.count("proposals") == 1


def test_groups_that_gathered_are_worked_on_in_slices_and_none_is_lost(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.serving.behind.SLICE_ROWS", 2)
    world = make().at("canary", 0.5)
    shadow = Shadow(world.service)
    for n in range(7):
        world.one(f"d{n}", unit=f"u{n}", mask=[True, True, True, n % 2 == 0] if n % 3 else None)
    shadow.close()
    assert world.count("proposals") == 7


def test_a_candidate_that_fails_on_one_group_is_asked_for_the_others_by_themselves(make: Make) -> None:
    world = make().at("shadow", 0.0)
    shadow = Shadow(world.service)
    world.one("d1")
    world.one("d2", mask=[True, False, True, True])  # the candidate's b is forbidden
    world.one("d3")
    shadow.close()
    log = world.store.read_log("toy")
    assert dict(zip(log.decision_id, log.shadow_action.tolist(), strict=True)) == {"d1": 1, "d2": -1, "d3": 1}


def test_a_look_that_fails_is_counted_and_the_shadow_goes_on(make: Make) -> None:
    class Blind:
        def fold(self, _: object) -> None: ...

        def look(self, *_: object) -> None:
            raise ZeroDivisionError("ours")

    world = make(neighbours={"breakers": Blind()}).at("full", 1.0)
    shadow = Shadow(world.service)
    world.one()
    shadow.close()
    assert (world.service.counters["looks_lost"], world.count("proposals")) == (1, 1)
