"""Is a small rule still enough once it drives? Where decisions have later effects, one step's gain cannot say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Estimate
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.headroom import held, mean_score, possible_actions
from tenure.design.assess.policies import SmallRule, best_allowed, small_rule
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface
from tenure.design.assess.thresholds import SMALLEST_CHANCE

ROUNDS = 12
"""Rounds of fitting what a rule is worth: as many decisions are looked ahead."""
CHOOSES = 7
"""Rounds in which the rule may still change; it then drives as it is, so that its own worth is known."""


@dataclass(frozen=True)
class Driven:
    """The best rule of two questions that was found, and what is left to gain once it drives.

    Args:
        left: what one more step of improvement gains over the rule per decision, by the worth that actions have when
            the rule takes all that follow; judged on units on which neither was learned. A rule that no step improves
            is optimal (Bellman); here in the situations of the log.
        words: the rule for people.
    """

    left: Estimate
    words: str


def driven(records: Records, behaviour: Behaviour, discount: float) -> Driven:
    """Find a rule by fitted policy iteration, and judge it.

    Args:
        records: the log, in order.
        behaviour: who acted how.
        discount: weight of the next decision's value, in [0, 1).

    Source: fitted Q iteration, Ernst, Geurts and Wehenkel (2005); doubly robust scores as in `headroom`.
    """
    possible, score, words = possible_actions(records, behaviour), np.zeros(len(records)), ""
    for half in (0, 1):
        judge = records.fold != half
        rule, action, worth, target = _iterated(records, possible, discount, half)
        better = best_allowed(worth, possible)
        gains = _corrected(records, behaviour, worth, target, better) - _corrected(
            records, behaviour, worth, target, action
        )
        score[judge], words = gains[judge], rule.words(records.names, records.labels)
    return Driven(mean_score(records, score), words)


def _iterated(records: Records, possible: Bools, discount: float, half: int) -> tuple[SmallRule, Ints, Floats, Floats]:
    """A rule of one half of the units, its action in each row, what each action is worth, and what the row brought."""
    fit, n = records.fold == half, np.arange(len(records))
    reward = records.reward if records.episodic else records.reward - records.reward.mean()
    goes_on, target = records.following >= 0, reward
    for turn in range(ROUNDS):
        surface = fit_surface(records.x[fit], records.action[fit], target[fit, None], len(records.labels), seed=half)
        worth = surface.everywhere(records.x)[:, :, 0]
        if turn < CHOOSES:
            rule = small_rule(records.x[fit], worth[fit])
            chosen = rule(records.x)
        action = held(chosen, worth, possible)
        target = reward + np.where(goes_on, discount * worth[n, action][records.following], 0.0)
    return rule, action, worth, target


def _corrected(records: Records, behaviour: Behaviour, worth: Floats, target: Floats, action: Ints) -> Floats:
    """Doubly robust worth of an action in each row; [n]."""
    n = np.arange(len(records))
    weight = (action == records.action) / np.maximum(behaviour.taken, SMALLEST_CHANCE)
    return np.asarray(worth[n, action] + weight * (target - worth[n, records.action]))
