"""Traffic split, exploration, fallbacks and constraints: what is done, by whom, with which probability."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tenure.core.decision import Arm
from tenure.core.errors import IncumbentError, RequestError
from tenure.core.policy import Proposal
from tenure.core.problem import Constraint
from tenure.rollout import Exploration, Settings
from tenure.rollout.assignment import gets_candidate
from tenure.rollout.rules import ExplorationRule
from tenure.rollout.settings import RolloutSettings
from tenure.serving import Answer
from tenure.serving.offers import Offer, restricted

from .conftest import Make
from .toy import ACTIONS, Fixed, World, problem, request, who

UNITS = [f"u{number}" for number in range(200)]


def answers(world: World, **fields: Any) -> dict[str, Answer]:
    found = world.ask(*(request(f"d-{unit}", unit=unit, **fields) for unit in UNITS))
    return dict(zip(UNITS, found, strict=True))


def test_in_shadow_the_incumbent_answers_with_certainty(make: Make) -> None:
    answer = make().at("shadow", 0.0).one()
    assert (who(answer), answer.propensity, answer.version) == (("a", Arm.INCUMBENT, "shadow"), 1.0, "rule")


def test_before_any_rollout_the_incumbent_answers(make: Make) -> None:
    assert who(make().one()) == ("a", Arm.INCUMBENT, "none")


def test_in_full_the_candidate_answers(world: World) -> None:
    answer = world.one()
    assert (who(answer), answer.propensity, answer.version) == (("b", Arm.CANDIDATE, "candidate"), 1.0, "v1")
    assert answer.confidence == 0.5


def test_in_canary_each_arm_has_the_probability_of_its_share(make: Make) -> None:
    for unit, answer in answers(make().at("canary", 0.1)).items():
        if gets_candidate("salt", unit, 0.1):
            assert (*who(answer), answer.propensity) == ("b", Arm.CANDIDATE, "candidate", 0.1)
        else:
            assert (*who(answer), answer.propensity) == ("a", Arm.INCUMBENT, "control", 0.9)


def test_in_canary_equal_proposals_are_certain(make: Make) -> None:
    found = answers(make(candidate=Fixed(0)).at("canary", 0.1)).values()
    assert {answer.propensity for answer in found} == {1.0}
    assert {answer.arm for answer in found} == {"candidate", "incumbent"}


def test_a_unit_keeps_its_arm_and_the_share_only_grows(make: Make) -> None:
    learned = []
    for share in (0.01, 0.1, 0.5, 1.0):
        found = answers(make().at("canary", share))
        learned.append({unit for unit, answer in found.items() if answer.arm == "candidate"})
    assert all(small <= large for small, large in pairwise(learned))
    assert len(learned[-1]) == len(UNITS)


def test_exploration_is_flagged_repeatable_and_carries_its_own_probability(make: Make) -> None:
    first, second = (answers(make(exploration=0.5).at("full", 1.0)) for _ in range(2))
    assert [a.action for a in first.values()] == [a.action for a in second.values()]
    explored = [answer for answer in first.values() if answer.explored]
    assert {answer.label for answer in explored} == {"a", "c", "d"}
    assert {answer.propensity for answer in explored} == {0.125}
    assert {answer.propensity for answer in first.values() if not answer.explored} == {0.625}
    # 3 of 4 uniform draws differ from the candidate's own: 200 * .5 * .75 = 75, give or take 3.3 deviations
    assert 52 <= len(explored) <= 98


def test_exploration_stays_within_the_mask(make: Make) -> None:
    found = answers(make(exploration=1.0).at("full", 1.0), mask=[False, True, True, False]).values()
    assert {answer.label for answer in found} == {"b", "c"}
    assert {answer.propensity for answer in found} == {0.5}


def test_the_incumbent_is_never_explored(make: Make) -> None:
    found = answers(make(exploration=1.0).at("canary", 0.1)).values()
    control = [answer for answer in found if answer.arm == "incumbent"]
    assert {(answer.label, answer.explored) for answer in control} == {("a", False)}
    assert [answer.propensity for answer in control] == pytest.approx([0.1 / 4 + 0.9] * len(control))


@pytest.mark.parametrize("rule", [{"per_day": 20}, {"segment": "x", "per_segment": 20}])
def test_the_budget_holds_inside_one_group_and_each_row_carries_its_own_rate(make: Make, rule: dict[str, Any]) -> None:
    settings = Settings(rollout=RolloutSettings(exploration=0.8), exploration=ExplorationRule(**rule))
    world = make(neighbours={"exploring": Exploration(settings, problem())}).at("full", 1.0)
    found = list(answers(world).values())
    explored = [row for row, answer in enumerate(found) if answer.explored]
    assert len(explored) == 20
    last = explored[-1] + 1
    assert {answer.propensity for answer in found[:last] if answer.explored} == {0.8 / 4}
    assert {answer.propensity for answer in found[:last] if not answer.explored} == {(1 - 0.8) + 0.8 / 4}
    assert {(answer.label, answer.propensity) for answer in found[last:]} == {("b", 1.0)}
    assert not any(answer.explored for answer in world.ask(*(request(f"e-{unit}", unit=unit) for unit in UNITS)))


def test_a_stochastic_candidate_gives_the_probability_of_its_draw(make: Make) -> None:
    candidate = Fixed(2, distribution=np.array([0.0, 0.5, 0.25, 0.25]))
    assert make(candidate=candidate).at("full", 1.0).one().propensity == 0.25


def boom() -> None:
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Fixed(before=boom), "policy_error"),
        (Fixed(proposal="nonsense"), "policy_error"),
        (Fixed(confidence=float("nan")), "illegal_action"),
        (Fixed(confidence=1.5), "illegal_action"),
        (Fixed(4), "illegal_action"),
        (Fixed(-1), "illegal_action"),
        (Fixed(1.0), "illegal_action"),
        (Fixed(proposal=Proposal(np.zeros(3, int), np.ones(3))), "illegal_action"),
        (Fixed(proposal=Proposal(np.zeros(1, int), np.ones(2))), "illegal_action"),
        (Fixed(distribution=np.array([1.0, 0.0, 0.0, 0.0])), "illegal_action"),
        (Fixed(distribution=np.array([0.0, 2.0, -1.0, 0.0])), "illegal_action"),
        (Fixed(distribution=np.array([0.0, 0.5, 0.0, 0.0])), "illegal_action"),
        (Fixed(distribution=np.array([0.5, 0.5])), "illegal_action"),
        (Fixed(distribution=np.array([np.nan, 0.5, 0.5, 0.0])), "illegal_action"),
    ],
)
def test_a_candidate_that_misbehaves_leaves_the_answer_to_the_incumbent(
    make: Make, candidate: Fixed, reason: str
) -> None:
    world = make(candidate=candidate).at("full", 1.0)
    answer = world.one()
    assert (*who(answer), answer.propensity) == ("a", Arm.FALLBACK, reason, 1.0)
    assert world.service.chooser.failures == {reason: 1}
    assert world.row().arm is Arm.FALLBACK


def test_a_candidate_that_takes_a_masked_action_leaves_the_answer_to_the_incumbent(world: World) -> None:
    assert who(world.one(mask=[True, False, True, True])) == ("a", Arm.FALLBACK, "illegal_action")


def test_after_the_mask_a_distribution_holds_what_is_left_of_it(make: Make) -> None:
    world = make(candidate=Fixed(distribution=np.array([0.5, 0.3, 0.2, 0.0]))).at("full", 1.0)
    assert world.one("d1").propensity == 0.3
    kept = world.one("d2", mask=[False, True, True, True])
    assert kept.label == "b"
    assert kept.propensity == kept.confidence == pytest.approx(0.6)  # .3 / (.3 + .2)
    drawn = world.one("d3", mask=[True, False, False, True])
    assert (drawn.label, drawn.propensity, drawn.confidence) == ("a", 1.0, 1.0)
    assert world.one("d4", mask=[False, False, False, True]).reason == "illegal_action"


def test_after_the_mask_actions_are_taken_as_often_as_their_propensity_says() -> None:
    chances, allowed, taken = np.array([[0.5, 0.25, 0.25]]), np.array([[False, True, True]]), [0, 0, 0]
    for number in (np.arange(1000) + 0.5) / 1000:
        own = int((chances[0].cumsum() > number).argmax())
        offer = restricted(Offer([own], [0.5], chances), allowed, np.array([number]))
        assert offer is not None
        assert offer.probability(0, offer.action[0]) == 0.5
        taken[offer.action[0]] += 1
    assert taken == [0, 500, 500]  # redrawing only what fell away with the same draw gave 0, 750, 250


def test_a_failing_candidate_leaves_its_control_units_as_they_are(make: Make) -> None:
    found = answers(make(candidate=Fixed(before=boom)).at("canary", 0.1))
    for unit, answer in found.items():
        arm = Arm.FALLBACK if gets_candidate("salt", unit, 0.1) else Arm.INCUMBENT
        assert (answer.arm, answer.label, answer.propensity) == (arm, "a", 1.0)


def test_a_missing_bundle_falls_back_and_a_repaired_one_is_picked_up(make: Make) -> None:
    world = make(broken=True).at("full", 1.0)
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "bundle_error")
    world.broken = False
    assert who(world.one("d2")) == ("b", Arm.CANDIDATE, "candidate")
    world.broken = True
    assert who(world.one("d3")) == ("b", Arm.CANDIDATE, "candidate")


@pytest.mark.parametrize("named", ["c", 2])
def test_the_action_the_caller_was_about_to_take_is_the_incumbents(make: Make, named: str | int) -> None:
    world = make().at("shadow", 0.0)
    answer = world.one(incumbent_action=named)
    assert (answer.label, answer.arm, answer.confidence) == ("c", "incumbent", 1.0)
    assert world.incumbent.asked == 0


def test_naming_actions_leaves_the_rules_own_array_alone(make: Make) -> None:
    proposal = Proposal(np.array([0, 0]), np.ones(2))
    world = make(incumbent=Fixed(proposal=proposal, version="rule")).at("shadow", 0.0)
    found = world.ask(request("d1", incumbent_action="d"), request("d2"))
    assert [answer.label for answer in found] == ["d", "a"]
    assert proposal.action.tolist() == [0, 0]


def test_an_illegal_action_of_the_caller_moves_to_the_nearest_allowed(make: Make) -> None:
    world = make().at("shadow", 0.0)
    assert world.one("d1", incumbent_action="d", mask=[True, True, False, False]).label == "b"
    assert world.one("d2", incumbent_action="b", mask=[True, False, True, False]).label == "a"


def at_least_c(observation: Any) -> Any:
    """Above x = 5 only c and d are safe."""
    return np.arange(len(ACTIONS)) >= np.where(observation[:, :1] > 5, 2, 0)


SAFE = (Constraint("safe", "a and b are too little", at_least_c),)


def test_nothing_a_constraint_forbids_is_answered_and_the_probability_is_over_the_rest(make: Make) -> None:
    world = make(constraints=SAFE, candidate=Fixed(2), exploration=0.5).at("full", 1.0)
    found = [*answers(world, x=7.0).values()]
    assert {(answer.label, answer.propensity) for answer in found} == {("c", 0.75), ("d", 0.25)}
    assert world.row("d-u0").mask == bytes([0, 0, 1, 1])


def test_a_constraint_moves_the_rule_and_stops_the_candidate(make: Make) -> None:
    world = make(constraints=SAFE).at("full", 1.0)
    assert who(world.one("d1", x=7.0)) == ("c", Arm.FALLBACK, "illegal_action")
    assert who(world.one("d2", x=3.0)) == ("b", Arm.CANDIDATE, "candidate")


def test_a_request_whose_mask_and_constraints_leave_nothing_is_refused_and_the_others_answered(make: Make) -> None:
    world = make(constraints=SAFE).at("shadow", 0.0)
    good, bad = request("d1", x=7.0), request("d2", x=7.0, mask=[True, True, False, False])
    first, second, third = world.ask(bad, good, request("d3", x=1.0))
    assert isinstance(first, RequestError)
    assert "safe" in first.where
    assert (second.label, third.label) == ("c", "a")
    assert world.count() == 2
    (alone,) = world.ask(bad)
    assert isinstance(alone, RequestError)
    assert world.count() == 2


@pytest.mark.parametrize("rule", [Fixed(before=boom), Fixed(9), Fixed(confidence=float("nan"))])
def test_a_rule_that_cannot_decide_fails_only_the_requests_that_need_it(make: Make, rule: Fixed) -> None:
    world = make(incumbent=rule).at("shadow", 0.0)
    first, second = world.ask(request("d1"), request("d2", incumbent_action="c"))
    assert isinstance(first, IncumbentError)
    assert second.label == "c"
    assert world.count() == 1
    assert world.service.counters["answered"] == 1


def test_without_log_and_rule_the_request_gets_the_rules_error(make: Make) -> None:
    world = make(incumbent=Fixed(before=boom)).at("shadow", 0.0)
    world.store.away = frozenset({"control"})
    (answer,) = world.ask(request())
    assert isinstance(answer, IncumbentError)
