"""What better decisions could gain over the incumbent, and which kind of policy it takes to gain it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Estimate
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.dependence import unit_mean
from tenure.design.assess.policies import best_allowed, small_rule
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface
from tenure.design.assess.thresholds import ALPHA, SMALLEST_CHANCE
from tenure.design.assess.worth import Later


@dataclass(frozen=True)
class Headroom:
    """Gains per decision over the incumbent, in the reward's unit, each by policies judged on units they never saw.

    Args:
        flexible: of the best policy that a regression finds.
        rule: of the best rule of two questions (or one action for ever).
        short: what the rule falls short of `flexible`.
        planning: what a policy that counts what its action leads to gains over one that does not.
        rule_words: the rule for people.
        effective: effective decisions behind the best policy, sum(w)^2 / sum(w^2) (Kish 1965).
        spread: standard deviation of the reward.
    """

    flexible: Estimate
    rule: Estimate
    short: Estimate
    planning: Estimate
    rule_words: str
    effective: float
    spread: float

    @property
    def best(self) -> Estimate:
        """The larger of the gains, the small rule's included."""
        return max(self.flexible, self.rule, key=lambda estimate: estimate.value)


def headroom(records: Records, behaviour: Behaviour, later: Later) -> tuple[Headroom, Headroom]:
    """Learn on each half of the units, judge on the other by doubly robust scores.

    Looking ahead is one step of policy improvement on the incumbent: what an action is worth counts the incumbent's
    own value of where it leads. By the performance difference lemma the gain per decision is the mean advantage, here
    over the situations that the incumbent meets; a policy that changes those gains more or less than is stated.

    Args:
        records: the log.
        behaviour: who acted how.
        later: what each decision leads to.

    Returns:
        The headroom by the reward of the moment, and the one that counts what decisions lead to.

    Source: doubly robust scores, Dudik, Langford and Li (2011); performance difference, Kakade and Langford (2002).
    """
    scores, words = np.zeros((len(records), 2, len(SCORES))), ["", ""]
    for half in (0, 1):
        judge = records.fold != half
        scores[judge], words = _half(records, behaviour, later, half)
    now, ahead = (_headroom(records, scores[:, index], words[index]) for index in (0, 1))
    return now, ahead


SCORES = ("flexible", "rule", "short", "planning", "weight")
"""Columns of a row's scores."""


def _headroom(records: Records, scores: Floats, words: str) -> Headroom:
    gains = {name: mean_score(records, scores[:, index]) for index, name in enumerate(SCORES[:-1])}
    weight = scores[:, -1]
    effective = float(weight.sum() ** 2 / max(float((weight**2).sum()), 1e-12))
    return Headroom(**gains, rule_words=words, effective=effective, spread=float(records.reward.std()))


def _half(records: Records, behaviour: Behaviour, later: Later, half: int) -> tuple[Floats, list[str]]:
    """Policies of one half, scored on the rows of the other, by the moment and looking ahead; [judged, 2, SCORES]."""
    fit, judge = records.fold == half, records.fold != half
    learned, judged = (np.stack([records.reward, records.reward + later.foreseen[h]], axis=1) for h in (half, 1 - half))
    surface = fit_surface(records.x[fit], records.action[fit], learned[fit], len(records.labels), seed=half)
    worth, possible = surface.everywhere(records.x), possible_actions(records, behaviour)
    best = [best_allowed(worth[:, :, index], possible) for index in (0, 1)]
    gain = [_gain(records, behaviour, worth, judged, action) for action in best]
    scores, words = np.empty((len(records), 2, len(SCORES))), []
    for index in (0, 1):
        rule = small_rule(records.x[fit], worth[fit, :, index])
        action = held(rule(records.x), worth[:, :, index], possible)
        ruled = _gain(records, behaviour, worth, judged, action)[:, index]
        flexible, planning = gain[index][:, index], gain[1][:, 1] - gain[0][:, 1]
        weight = (best[index] == records.action) / behaviour.taken
        scores[:, index] = np.stack([flexible, ruled, flexible - ruled, planning, weight], axis=1)
        words.append(rule.words(records.names, records.labels))
    return scores[judge], words


def _gain(records: Records, behaviour: Behaviour, worth: Floats, y: Floats, action: Ints) -> Floats:
    """Doubly robust score of a policy less what happened, for both outcomes; [n, 2]."""
    n = np.arange(len(records))
    weight = (action == records.action) / np.maximum(behaviour.taken, SMALLEST_CHANCE)
    return np.asarray(worth[n, action] + weight[:, None] * (y - worth[n, records.action]) - y)


def possible_actions(records: Records, behaviour: Behaviour) -> Bools:
    """Actions that the log could tell about: allowed, and not too rare."""
    enough = behaviour.chance >= SMALLEST_CHANCE
    enough[np.arange(len(records)), records.action] = True
    return np.asarray(enough if records.allowed is None else enough & records.allowed)


def held(action: Ints, worth: Floats, possible: Bools) -> Ints:
    """The rule's action; where it cannot be taken, the best that can."""
    can = possible[np.arange(len(action)), action]
    return np.where(can, action, best_allowed(worth, possible))


def mean_score(records: Records, score: Floats) -> Estimate:
    """Mean of the rows' scores, with an interval over units."""
    value, error, units = unit_mean(score, records.unit)
    radius = float(stats.t.ppf(1 - ALPHA / 2, units - 1)) * error
    method = "doubly robust, cross-fitted"
    return Estimate(value, value - radius, value + radius, len(score), float(units), method, records.cluster, ALPHA)
