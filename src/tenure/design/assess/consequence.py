"""Does the action change what comes next, and does it pay to look ahead?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.clock import moved_by_nothing
from tenure.design.assess.dependence import Dependence, dependence
from tenure.design.assess.records import Records
from tenure.design.assess.thresholds import CERTAIN, FEWEST_ROWS, LATER_SHARE, MOVES_NOTHING, PLANNING_SHARE
from tenure.design.assess.worth import Later


@dataclass(frozen=True)
class Consequence:
    """What the action does beyond its own reward.

    Args:
        next_state: of the situation that follows; None where the log has no order.
        later: of the rewards that follow.
        share: part of the action's worth that comes later, by standard deviation, in [0, 1].
    """

    next_state: Dependence | None
    later: Dependence | None
    share: float


def consequence(records: Records, behaviour: Behaviour, later: Later) -> Consequence:
    """Measure; every test on units that its direction was not fitted on."""
    rows = records.following >= 0
    if int(rows.sum()) < FEWEST_ROWS:
        return Consequence(None, None, 0.0)
    every = np.ones(len(records), dtype=bool)
    moves = dependence(records, behaviour, _following(records, rows), _known(records, rows))
    paid = dependence(records, behaviour, later.came[:, None], every, later.foreseen[:, :, None])
    now = dependence(records, behaviour, records.reward[:, None], every)
    then, at_once = (math.sqrt(max(each.moved.value, 0.0)) for each in (paid, now))
    return Consequence(moves, paid, then / (then + at_once) if then > 0 else 0.0)


def _following(records: Records, rows: Bools) -> Floats:
    """The next situation in standard deviations, and whether there is one where units end by themselves.

    What no action can move, such as the clock, is left out; where that is all, it stays, and nothing depends on it.
    """
    fixed = moved_by_nothing(records, rows)
    x = records.x if fixed.all() else records.x[:, ~fixed]
    spread = x.std(axis=0)
    following = x[records.following] / np.where(spread > 0, spread, 1.0)
    if not records.episodic:
        return following
    there = rows.astype(float)[:, None]
    return np.concatenate([np.where(rows[:, None], following, 0.0), there], axis=1)


def _known(records: Records, rows: Bools) -> Bools:
    return np.ones(len(rows), dtype=bool) if records.episodic else rows


def sequential(found: Consequence, planning: Estimate, best: Estimate) -> tuple[list[Finding], bool | None]:
    """Two findings, and whether the problem is one of sequences.

    It is where the next situation and the later rewards both depend on the action, and a tenth of its worth comes
    later. It is not where either is refuted: no dependence on the next situation, to within `MOVES_NOTHING`; or none
    on later rewards, and what looking ahead gains is below a tenth of the headroom for sure.

    Args:
        found: what was measured.
        planning: what a policy that looks ahead gains over one that does not.
        best: what there is to gain.
    """
    if found.next_state is None or found.later is None:
        why = "the log does not say what came after what; add episode_id and step, or unit_id and decided_at"
        return [Finding(gate, Verdict.INCONCLUSIVE, why) for gate in ("next_state", "later_reward")], None
    moves, pays = found.next_state, found.later
    moved = _verdict(moves.p < CERTAIN, moves.moved.high < MOVES_NOTHING)
    matters = pays.p < CERTAIN and found.share >= LATER_SHARE
    nothing_ahead = planning.high < PLANNING_SHARE * best.value
    paid = _verdict(matters and not nothing_ahead, nothing_ahead or moved is Verdict.FAIL)
    findings = [
        Finding("next_state", moved, _moved_words(moves), moves.moved),
        Finding("later_reward", paid, _paid_words(pays, found.share), pays.moved),
    ]
    return findings, {Verdict.PASS: True, Verdict.FAIL: False}.get(max(moved, paid))


def _verdict(yes: bool, no: bool) -> Verdict:
    if yes:
        return Verdict.PASS
    return Verdict.FAIL if no else Verdict.INCONCLUSIVE


def _moved_words(moves: Dependence) -> str:
    how = "depends" if moves.p < CERTAIN else "does not visibly depend"
    return f"the next situation {how} on the action, given this one (p = {moves.p:.2g})"


def _paid_words(pays: Dependence, share: float) -> str:
    how = "depend" if pays.p < CERTAIN else "do not visibly depend"
    return f"later rewards {how} on the action (p = {pays.p:.2g}); {100 * share:.0f} % of its worth comes later"
