"""What each gate finds: worked by hand on ledgers and replays, and never a pass without a measurement."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from tenure.core.evidence import Finding, Verdict
from tenure.core.spaces import Box
from tenure.core.trace import Trace
from tenure.rollout import Evidence, Ledger, RolloutState, Settings, Stage, daily_gains, live_gains
from tenure.rollout.gains import full_gains
from tenure.rollout.gates import (
    bake_finding,
    delivery,
    entry_findings,
    missing_finding,
    outcomes_finding,
    promotion_findings,
    replay_equality,
    split_finding,
)
from tenure.rollout.ledger import Unit, midnight_of
from tenure.rollout.proof import guardrail_findings, live_finding, sequential_finding

from .world import LEARNED, PROBLEM, Rooms, gain, settings

FIRST = 15_248
START = midnight_of(FIRST)
COST, SERVICE, SERVED = PROBLEM.kpis


def unit(place: int, day: int, *, learned: bool = False, stage: str = "canary", **changes: Any) -> Unit:
    """Two decisions of one place on one day: cost 2 and 18 of 20 rentals served, unless changed."""
    fields: dict[str, Any] = {
        "unit_id": f"place-{place}/{day:03d}",
        "day": FIRST + day,
        "episode_id": f"place-{place}",
        "stage": stage,
        "version": "v1" if learned else "rule",
        "first_observation": np.zeros(1),
        "learned": 2 if learned else 0,
        "controlled": 0 if learned else 2,
        "decisions": 2,
        "joined": 2,
        "above": np.array([2.0, 18.0, 18.0]),
        "below": np.array([2.0, 20.0, 2.0]),
    }
    return Unit(**fields | changes)


def evidence(units: list[Unit], rooms: Rooms | None = None, limits: Settings | None = None, **state: Any) -> Evidence:
    """Ten closed days, in 20 % since day 2 after a shadow of two days."""
    ledger = Ledger(PROBLEM, "v1")
    ledger.closed_before = FIRST + 10
    shadow = [unit(place, day, stage="shadow") for place in range(4) for day in range(2)]
    ledger.units = {one.unit_id: one for one in (*shadow, *units)}
    canary = START + timedelta(days=2)
    fields: dict[str, Any] = {"stage": Stage.CANARY, "share": 0.2, "version": "v1", "since": canary}
    fields |= {"started_at": START, "canary_at": canary}
    where = RolloutState(**fields | state)
    return Evidence(PROBLEM, limits or settings(), ledger, (rooms or Rooms()).services(), where)


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    return {finding.gate: finding.verdict for finding in findings}


def trace(cost: list[list[float]], served: list[list[float]], asked: float = 10.0) -> Trace:
    """Two worlds, one step every twelve hours."""
    column = np.array(cost)
    signals = {"cost": column, "served": np.array(served), "asked": np.full_like(column, asked)}
    return Trace(signals, np.zeros(column.shape, dtype=np.int64), None, ("a", "b"), START, timedelta(hours=12))


def test_daily_gains_by_hand() -> None:
    incumbent = trace([[1, 2], [3, 4], [5, 6], [7, 2]], [[9, 9]] * 4)
    candidate = trace([[1, 1], [3, 0], [6, 6], [8, 10]], [[8, 8], [8, 8], [10, 10], [10, 10]])
    assert daily_gains(COST, incumbent, candidate, relative=True).tolist() == [(10 - 5) / 15, (20 - 30) / 15]
    assert daily_gains(COST, incumbent, candidate, relative=False).tolist() == [(10 - 5) / 4, (20 - 30) / 4]
    assert daily_gains(SERVICE, incumbent, candidate, relative=False) == pytest.approx([-0.1, 0.1])


def test_a_replay_with_nothing_to_divide_by_is_an_error_and_no_pass() -> None:
    flat = trace([[0, 0]] * 4, [[0, 0]] * 4, asked=0.0)
    for kpi, relative in ((COST, True), (SERVICE, False)):
        rule = settings().promote[1]
        found = sequential_finding("replay", rule, daily_gains(kpi, flat, flat, relative=relative), "gain")
        assert found.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.2, Verdict.PASS), (-0.1, Verdict.INCONCLUSIVE), (-0.3, Verdict.FAIL)]
)
def test_entry_needs_the_selection_gain(value: float, verdict: Verdict) -> None:
    found = entry_findings(PROBLEM, settings(), Rooms(gain(value, 0.05)).services(), "v1")
    assert [finding.verdict for finding in found] == [verdict]


def test_entry_refuses_a_criterion_the_selection_data_do_not_answer() -> None:
    limits = settings()
    limits.promote.append(type(limits.promote[0])(to=0.0, kpi="service", margin=0.1, evidence="selection"))
    found = entry_findings(PROBLEM, limits, Rooms().services(), "v1")
    assert [finding.verdict for finding in found] == [Verdict.PASS, Verdict.ERROR]


def test_live_gains_by_hand() -> None:
    seen = evidence(
        [
            unit(0, 2, learned=True, above=np.array([1.0, 18.0, 10.0])),
            unit(1, 2, above=np.array([2.0, 16.0, 18.0])),
            unit(2, 2, above=np.array([4.0, 20.0, 20.0])),
            unit(0, 3, learned=True),  # nobody to compare it with
        ]
    )
    relative = live_gains(seen, COST, relative=True)
    assert relative.gain == pytest.approx([(2 + 4) / 2 / 2 - 1 / 2])
    assert (relative.candidates, relative.controls, relative.dropped_units) == (2, 2, 1)
    assert live_gains(seen, SERVICE, relative=False).gain == pytest.approx([0.9 - (0.8 + 1.0) / 2])


def test_a_relative_gain_has_the_sign_of_its_kpi() -> None:
    """Serving less is no saving."""
    seen = evidence([unit(0, 2, learned=True, above=np.array([2.0, 9.0, 9.0])), unit(1, 2)])
    assert live_gains(seen, SERVED, relative=True).gain == pytest.approx([-0.5])


def test_what_was_not_measured_is_not_cheap() -> None:
    half = unit(0, 2, learned=True, joined=1, above=np.array([1.0, 9.0, 9.0]), below=np.array([1.0, 10.0, 1.0]))
    nothing = unit(1, 2, learned=True, joined=0, above=np.zeros(3), below=np.zeros(3))
    moved = unit(3, 2, learned=True, controlled=1, above=np.zeros(3))
    seen = evidence([half, nothing, moved, unit(2, 2)])
    assert live_gains(seen, COST, relative=True).gain == pytest.approx([0.0])
    assert outcomes_finding(seen).verdict is Verdict.INCONCLUSIVE


def test_a_unit_nobody_asked_has_no_ratio() -> None:
    idle = unit(0, 2, learned=True, above=np.array([2.0, 0.0, 0.0]), below=np.array([2.0, 0.0, 2.0]))
    seen = evidence([idle, unit(1, 2, learned=True), unit(2, 2)])
    assert live_gains(seen, SERVICE, relative=False).gain == pytest.approx([0.0])
    assert len(live_gains(seen, COST, relative=True).gain) == 2


@pytest.mark.parametrize(
    ("candidate", "incumbent", "verdict"),
    [
        (200, 200, Verdict.PASS),
        (198, 200, Verdict.PASS),
        (197, 200, Verdict.INCONCLUSIVE),
        (200, 197, Verdict.INCONCLUSIVE),
        (0, 0, Verdict.INCONCLUSIVE),
    ],
)
def test_both_arms_need_their_outcomes(candidate: int, incumbent: int, verdict: Verdict) -> None:
    units = [
        unit(0, 2, learned=True, decisions=200, joined=candidate),
        unit(1, 2, decisions=200, joined=incumbent),
    ]
    assert outcomes_finding(evidence(units)).verdict is verdict


def test_outcomes_lost_by_one_arm_only_hold() -> None:
    units = [unit(place, 2 + place % 8, learned=place % 5 == 0, decisions=10, joined=10) for place in range(40)]
    assert missing_finding(evidence(units)).verdict is Verdict.PASS
    lost = [replace(each, joined=9) if each.is_candidate else each for each in units]
    assert missing_finding(evidence(lost)).verdict is Verdict.FAIL


def test_without_candidate_units_nothing_passes() -> None:
    found = promotion_findings(evidence([unit(place, day) for place in range(4) for day in range(2, 10)]))
    own = [finding.verdict for finding in found if finding.gate != "sample_ratio"]
    assert own == [Verdict.INCONCLUSIVE] * 4
    assert Verdict.PASS not in [finding.verdict for finding in promotion_findings(evidence([]))]
    assert [f.verdict for f in guardrail_findings(evidence([]))] == [Verdict.INCONCLUSIVE] * 2


def test_guardrails_share_their_alpha() -> None:
    """Two of them at .05: each proves harm at .025."""
    units = [unit(place, day, learned=place < 2) for place in range(4) for day in range(2, 10)]
    for one in units:
        if one.learned:
            one.above = np.array([3.0, 18.0, 18.0])
    found = guardrail_findings(evidence(units))
    assert found[0].verdict is Verdict.FAIL
    assert found[0].reason.endswith("at 0.025")
    alone = msgspec.structs.replace(settings(), guardrail=settings().guardrail[:1])
    assert guardrail_findings(evidence(units, limits=alone))[0].reason.endswith("at 0.05")


@pytest.mark.parametrize("short", [{}, {"min_decisions": 5}, {"min_units": 3}, {"min_days": 9}])
def test_bake_needs_decisions_units_and_days_of_the_candidates_own(short: dict[str, int]) -> None:
    limits = settings()
    enough = {"min_decisions": 4, "min_units": 2, "min_days": 8} | short
    limits = settings(bake=type(limits.rollout.bake)(**enough))
    units = [unit(0, 2, learned=True), unit(1, 3, learned=True), *(unit(2, day) for day in range(2, 10))]
    found = bake_finding(evidence(units, limits=limits))
    assert found.verdict is (Verdict.INCONCLUSIVE if short else Verdict.PASS)


def test_bake_asked_for_nothing_still_needs_something() -> None:
    nothing = settings(bake=type(settings().rollout.bake)(min_decisions=0, min_units=0, min_days=0))
    assert bake_finding(evidence([], limits=nothing)).verdict is Verdict.INCONCLUSIVE


def test_a_stage_that_began_at_noon_counts_from_the_next_midnight() -> None:
    noon = START + timedelta(days=2, hours=12)
    units = [unit(0, 2, learned=True), unit(1, 3, learned=True)]
    seen = evidence(units, since=noon, canary_at=noon)
    assert [one.day for one in seen.stage_units()] == [FIRST + 3]
    assert (seen.days_since(noon), seen.days_since(None)) == (7, 0)


@pytest.mark.parametrize(
    ("proposals", "shadowed", "verdict"),
    [(0, 0, Verdict.INCONCLUSIVE), (0, 100, Verdict.ERROR), (98, 100, Verdict.INCONCLUSIVE), (99, 100, Verdict.PASS)],
)
def test_the_shadow_must_have_been_there(proposals: int, shadowed: int, verdict: Verdict) -> None:
    seen = evidence([])
    seen.ledger.proposals, seen.ledger.shadowed = proposals, shadowed
    assert delivery(seen).verdict is verdict


@pytest.mark.parametrize(("off", "verdict"), [(1e-4, Verdict.PASS), (3e-4, Verdict.FAIL)])
def test_live_vectors_equal_the_replays_to_rounding(off: float, verdict: Verdict) -> None:
    space = Box(("u", "v"), ("m", "m"), (0.0, 0.0), (1.0, 2.0))
    seen = evidence([])
    boxed = replace(seen, problem=replace(seen.problem, action=space))
    services = replace(seen.services, decide=lambda _, observation: np.full((len(observation), 2), 0.5))
    boxed = replace(boxed, services=services)
    boxed.ledger.learned_observation = [np.zeros((3, 1))]
    boxed.ledger.learned_action = [np.array([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5 + off]])]  # off / 2 of a range
    assert replay_equality(boxed).verdict is verdict


def test_live_equals_replay_action_by_action() -> None:
    seen = evidence([])
    assert replay_equality(seen).verdict is Verdict.INCONCLUSIVE
    seen.ledger.learned_observation, seen.ledger.learned_action = [np.zeros((0, 1))], [np.zeros(0, dtype=np.int64)]
    assert replay_equality(seen).verdict is Verdict.INCONCLUSIVE
    seen.ledger.learned_observation.append(np.zeros((3, 1)))
    seen.ledger.learned_action.append(np.full(3, LEARNED))
    assert replay_equality(seen).verdict is Verdict.PASS
    seen.ledger.learned_action[1][2] += 1
    found = replay_equality(seen)
    assert (found.verdict, found.reason) == (
        Verdict.FAIL,
        "1 of 3 live actions differ from the replay; 0 explored decisions are left out",
    )


def test_the_split_must_give_the_share_it_was_set_to() -> None:
    even = [unit(place, day, learned=place == 0) for place in range(5) for day in range(2, 10)]
    assert split_finding(evidence(even)).verdict is Verdict.PASS
    all_ = [unit(place, day, learned=True) for place in range(5) for day in range(2, 10)]
    assert split_finding(evidence(all_)).verdict is Verdict.FAIL


def test_at_full_the_incumbent_is_replayed_over_the_same_days() -> None:
    rooms = Rooms()  # ten places, two decisions a day, 1 each: a day costs 20
    full: dict[str, Any] = {"stage": Stage.FULL, "share": 1.0, "since": START + timedelta(days=4)}
    units = [unit(place, day, learned=True, stage="full") for place in range(10) for day in (4, 5, 7)]
    units[0].above[0] += 4.0
    seen = evidence(units, rooms, **full)
    assert full_gains(seen, COST, relative=True) == pytest.approx([-4 / 20, 0.0, 0.0])
    assert full_gains(seen, SERVICE, relative=False) == pytest.approx([0.0, 0.0, 0.0])
    assert rooms.asked[0] == (None, midnight_of(FIRST + 4), 4)
    lost = [one for one in units if one.day == FIRST + 4][1:]
    assert full_gains(evidence(lost, rooms, **full), COST, relative=True) == pytest.approx([0.0])


def test_there_is_no_replay_before_full_or_without_units() -> None:
    rooms = Rooms()
    assert full_gains(evidence([unit(0, 3, learned=True)], rooms), COST, relative=True).size == 0
    assert full_gains(evidence([], rooms, stage=Stage.FULL, share=1.0), COST, relative=True).size == 0
    assert rooms.asked == []


def test_outside_the_stated_bounds_is_an_error_in_gate_and_guardrail() -> None:
    broken = [unit(0, 2, learned=True, above=np.array([-50.0, 18.0, 18.0])), unit(1, 2)]
    seen = evidence(broken)
    assert live_finding(seen, seen.settings.promote[-1]).verdict is Verdict.ERROR
    assert verdicts(guardrail_findings(seen)) == {"guardrail cost": Verdict.ERROR, "guardrail service": Verdict.PASS}


def test_an_episode_that_was_never_shadowed_is_an_error() -> None:
    seen = evidence([unit(9, 2, learned=True), unit(1, 2)])
    assert live_finding(seen, seen.settings.promote[-1]).verdict is Verdict.ERROR
    assert verdicts(guardrail_findings(seen))["guardrail cost"] is Verdict.ERROR


def test_a_rule_by_day_counts_days_and_one_by_unit_counts_units() -> None:
    """Two days, each with three candidate units and a control: n is 2 or 6."""
    units = [unit(place, day, learned=place < 3) for day in (3, 4) for place in range(4)]
    seen = evidence(units)
    rule = seen.settings.promote[-1]
    told = [live_finding(seen, msgspec.structs.replace(rule, cluster=cluster)).reason for cluster in ("day", "unit")]
    assert "gain per day: mean 0 over n = 2" in told[0]
    assert "gain per unit: mean 0 over n = 6" in told[1]


def test_a_service_that_fails_is_an_error_of_its_gate_alone() -> None:
    def fail() -> None:
        raise RuntimeError("the replay is gone")

    units = [unit(place, day, learned=True, stage="full") for place in range(10) for day in range(4, 9)]
    bad = [unit(0, 2, learned=True, above=np.array([2.0, 0.0, 18.0])), unit(1, 2)]
    seen = evidence([*bad, *units], Rooms(before=fail), stage=Stage.FULL, share=1.0, since=START + timedelta(days=4))
    found = guardrail_findings(seen)
    assert [finding.verdict for finding in found] == [Verdict.ERROR] * 2
    assert "the replay is gone" in found[0].reason
    shadowed = evidence([], Rooms(before=fail), stage=Stage.SHADOW, share=0.0)
    shadowed.ledger.proposals = shadowed.ledger.shadowed = 100
    assert verdicts(promotion_findings(shadowed)) == {"shadow": Verdict.ERROR}


@pytest.mark.parametrize("stage", [Stage.NONE, Stage.SHADOW, Stage.ROLLED_BACK])
def test_guardrails_watch_where_the_candidate_answers(stage: Stage) -> None:
    assert guardrail_findings(evidence([], stage=stage, share=0.0)) == []
    assert promotion_findings(evidence([], stage=Stage.NONE)) == []


def test_a_stage_the_settings_no_longer_know_holds() -> None:
    found = verdicts(promotion_findings(evidence([unit(0, 2, learned=True)], share=0.3)))
    assert found["bake"] is Verdict.ERROR


def test_after_the_last_stage_of_the_settings_nothing_is_asked() -> None:
    assert promotion_findings(evidence([], limits=settings(stages=[0.1]))) == []


def test_no_unit_counts_before_the_canary_or_outside_full() -> None:
    assert evidence([unit(0, 2, learned=True)], canary_at=None).live_units() == []
    assert evidence([unit(0, 2, learned=True)]).full_units() == []
    assert evidence([], since=None).stage_units() == []


def test_moments_may_carry_any_zone() -> None:
    assert evidence([]).days_since(datetime(2011, 10, 9, tzinfo=UTC)) == 2


def test_a_share_given_on_health_alone_says_that_it_proves_no_effect() -> None:
    limits = msgspec.structs.replace(settings(), promote=[])
    assert "proves no effect on any KPI" in bake_finding(evidence([], limits=limits)).reason
    assert "proves no effect" not in bake_finding(evidence([], share=0.5)).reason
