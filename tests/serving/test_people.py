"""Neighbours of the choice: people who must approve, exploration with a budget, breakers' caps, stochastic rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.core.decision import Arm, Decision
from tenure.core.policy import Proposal
from tenure.rollout.assignment import draw, gets_candidate
from tenure.rollout.rules import HumanRule
from tenure.serving.choice import Held
from tenure.serving.wire import OutcomeRequest
from tenure.store import Control, Event, Recent, Trip
from tenure.store.database import Connection

from .conftest import Make
from .test_choose import UNITS, answers
from .toy import NOON, Fixed, World, request, who

RULE = HumanRule(name="large", actions=["b"])


class People:
    """A person is asked where b is proposed and x is above 5; remembers what was queued."""

    def __init__(self) -> None:
        self.queued: list[tuple[str, Held]] = []

    def asks(self, context: Mapping[str, float], action_label: str, confidence: float) -> HumanRule | None:
        del confidence
        return RULE if action_label == "b" and context["x"] > 5 else None

    def queue(self, connection: Connection, row: Decision, held: Held) -> None:
        connection.execute("SELECT 1 FROM decision WHERE decision_id = ?", (row.decision_id,))
        self.queued.append((row.decision_id, held))


@pytest.fixture
def people() -> People:
    return People()


def peopled(make: Make, people: People, share: float = 1.0, **fields: Any) -> World:
    return make(neighbours={"humans": people, "queue": people.queue}, **fields).at("canary", share)


def test_where_a_rule_asks_the_incumbent_answers_at_once_and_the_proposal_is_queued(make: Make, people: People) -> None:
    world = peopled(make, people)
    answer = world.one("d1", x=7.0)
    assert (*who(answer), answer.version, answer.propensity) == ("a", Arm.INCUMBENT, "pending", "rule", 1.0)
    assert people.queued == [("d1", Held(RULE, 1, 0.5, "v1"))]
    assert who(world.one("d2", x=3.0)) == ("b", Arm.CANDIDATE, "candidate")
    assert len(people.queued) == 1


def test_a_repeat_is_not_queued_again(make: Make, people: People) -> None:
    world = peopled(make, people)
    first = world.one("d1", x=7.0)
    assert who(world.one("d1", x=7.0)) == who(first)
    assert len(people.queued) == 1


def test_a_queue_that_fails_leaves_no_decision_behind(make: Make, people: People) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("ours")

    world = make(neighbours={"humans": people, "queue": broken}).at("full", 1.0)
    with pytest.raises(ZeroDivisionError):
        world.ask(request("d1", x=7.0))
    assert world.count() == 0


def test_a_control_unit_is_never_asked_for_but_its_probability_knows_the_rule(make: Make, people: People) -> None:
    world = peopled(make, people, 0.1)
    for unit, answer in answers(world, x=7.0).items():
        # whoever it is, the incumbent acts: with certainty
        reason = "pending" if gets_candidate("salt", unit, 0.1) else "control"
        assert (answer.label, answer.arm, answer.reason, answer.propensity) == ("a", "incumbent", reason, 1.0)


def test_with_exploration_and_people_each_action_has_the_probability_of_all_ways_to_it(
    make: Make, people: People
) -> None:
    world = peopled(make, people, 0.5, exploration=0.4)
    found = answers(world, x=7.0)
    # learned: b .6 + .1, a, c and d .1 each; b is held, so the incumbent's a gets its .7 as well
    chances = {"a": 0.5 * (0.1 + 0.7) + 0.5, "c": 0.05, "d": 0.05}
    assert {answer.label for answer in found.values()} == set(chances)
    for answer in found.values():
        assert answer.propensity == pytest.approx(chances[answer.label])
    assert sum(chances.values()) == pytest.approx(1.0)


class Budget:
    """Explores always, until so many explored decisions are in the log."""

    def __init__(self, most: int) -> None:
        self.left, self.segments = most, set[str]()

    def segment(self, context: Mapping[str, float]) -> str:
        return f"x={context['x']:g}"

    def epsilon(self, segment: str, now: datetime, control: Control, beside: Any = None) -> float:
        del now, control, beside
        self.segments.add(segment)
        return 1.0 if self.left else 0.0

    def update(self, segment: str, now: datetime, explored: bool) -> None:
        assert (segment, now) == ("x=2", NOON)
        self.left -= explored


def test_the_probability_holds_the_rate_in_force_for_that_row_and_the_budget_counts_what_is_in_the_log(
    make: Make,
) -> None:
    budget = Budget(1)
    world = make(neighbours={"exploring": budget}).at("full", 1.0)
    names = iter(f"d{n}" for n in range(100))
    while budget.left:
        assert world.one(next(names)).propensity == 0.25
    assert world.one(next(names)).propensity == 1.0
    assert budget.segments == {"x=2"}


def test_a_decision_that_was_not_written_spends_no_budget(make: Make) -> None:
    budget = Budget(1)
    world = make(neighbours={"exploring": budget}).at("full", 1.0)
    world.store.away = frozenset({"append_decisions"})
    world.ask(*(request(f"d{n}") for n in range(20)))
    assert budget.left == 1


def test_the_head_of_the_log_overrides_the_rate(make: Make) -> None:
    world = make(exploration=0.0).at("full", 1.0)
    world.store.append_event(Event("toy", "explore", "ann", "test", NOON, {}), control={"exploration": 1.0})
    assert world.one().propensity == 0.25


@pytest.mark.parametrize(("cap", "arms"), [(0.0, {"incumbent"}), (0.1, {"incumbent", "candidate"})])
def test_an_open_breaker_caps_the_share_whatever_the_stage_says(make: Make, cap: float, arms: set[str]) -> None:
    world = make().at("full", 1.0)
    world.store.append_event(Event("toy", "trip", "breaker:slow", "test", NOON, {}), control={"cap": cap})
    found = answers(world)
    assert {answer.arm for answer in found.values()} == arms
    for unit, answer in found.items():
        assert (answer.arm == "candidate") == gets_candidate("salt", unit, cap)
        if cap == 0:
            assert answer.reason == "breaker"


class Watching:
    """Trips when an outcome says 9; counts its looks."""

    def __init__(self) -> None:
        self.looks = 0

    def fold(self, recent: Recent) -> Trip | None:
        (highest,) = recent.connection.execute("SELECT max(signals) FROM outcome").fetchone() or ("",)
        if "9" not in highest:
            return None
        return Trip(Event("toy", "kill", "breaker:nine", "a nine", NOON, {}), {"killed": True})

    def look(self, store: Any, now: datetime) -> None:
        assert (store.problems(), now) == (["toy"], NOON)
        self.looks += 1


def test_a_breaker_trips_in_the_transaction_of_the_outcome_and_the_next_decision_is_the_incumbents(make: Make) -> None:
    world = make(neighbours={"breakers": Watching()}).at("full", 1.0)
    world.one("d1")
    world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": 1.0})])
    assert world.one("d2").arm == "candidate"
    world.service.outcomes([OutcomeRequest("o2", "d2", {"cost": 9.0})])
    assert who(world.one("d3")) == ("a", Arm.INCUMBENT, "killed")


def test_an_outcome_that_waited_for_its_decision_trips_with_it_and_the_answer_is_corrected(make: Make) -> None:
    world = make(neighbours={"breakers": Watching()}).at("full", 1.0)
    world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": 9.0})])
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "killed")
    assert world.learned_after_kill() == 0


def test_breakers_look_behind_the_answers(make: Make) -> None:
    from tenure.serving.behind import Shadow

    watching = Watching()
    world = make(neighbours={"breakers": watching}).at("full", 1.0)
    shadow = Shadow(world.service)
    world.one()
    shadow.close()
    assert watching.looks == 1


# A rule that draws


class Coin:
    """a or d, three to one, by the draw it is given."""

    version = "coin"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        del allowed
        n = len(observation)
        return Proposal(np.where(draw < 0.75, 0, 3), np.ones(n), np.tile([0.75, 0.0, 0.0, 0.25], (n, 1)))


def test_a_stochastic_incumbent_draws_by_the_id_and_carries_its_own_probability(make: Make) -> None:
    world = make(incumbent=Coin()).at("shadow", 0.0)
    found = answers(world)
    assert {(answer.label, answer.propensity) for answer in found.values()} == {("a", 0.75), ("d", 0.25)}
    for unit, answer in found.items():
        assert (answer.label == "a") == (draw("salt", "incumbent", f"d-{unit}") < 0.75)
    # 200 * .25 = 50, give or take 3.3 deviations of 6.1
    assert 30 <= sum(answer.label == "d" for answer in found.values()) <= 70


def test_in_a_split_the_mixture_is_over_both_distributions(make: Make) -> None:
    found = answers(make(incumbent=Coin(), candidate=Fixed(3)).at("canary", 0.1))
    chances = {"a": 0.9 * 0.75, "d": 0.1 + 0.9 * 0.25}
    for answer in found.values():
        assert answer.propensity == pytest.approx(chances[answer.label])
    assert len(found) == len(UNITS)


def test_a_fallback_has_the_incumbents_probability(make: Make) -> None:
    world = make(incumbent=Coin(), broken=True).at("full", 1.0)
    assert {(a.label, a.arm, a.propensity) for a in answers(world).values()} == {
        ("a", "fallback", 0.75),
        ("d", "fallback", 0.25),
    }


def test_an_action_the_caller_names_is_certain_and_the_others_keep_their_chances(make: Make) -> None:
    world = make(incumbent=Coin()).at("shadow", 0.0)
    named, drawn = world.ask(request("d1", incumbent_action="c"), request("d2"))
    assert (named.label, named.propensity) == ("c", 1.0)
    assert drawn.propensity in (0.75, 0.25)


def test_a_bundle_trained_for_another_version_of_the_problem_is_not_served(make: Make) -> None:
    candidate: Any = Fixed()
    candidate.problem_version = "another"
    world = make(candidate=candidate).at("full", 1.0)
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "bundle_error")
    candidate.problem_version = world.problem.version
    assert world.one("d2").arm == "candidate"
