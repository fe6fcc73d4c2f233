"""Fitted Q evaluation: the value of a policy by backward regression, without weighing whole episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats, Ints
from tenure.core.logged import Hashes, Logged, joined
from tenure.evaluation.checks import refusal, share
from tenure.evaluation.episodes.regressors import Regressor, RegressorFactory, random_forest
from tenure.evaluation.episodes.transitions import NO_CUT, Transitions, rounds_needed
from tenure.evaluation.episodes.values import checked_discount
from tenure.evaluation.grouped import mixed
from tenure.evaluation.off_policy.reward_model import FOLDS, fold_of
from tenure.evaluation.off_policy.support import Refusal, Support, Why
from tenure.evaluation.off_policy.value import PolicyValue

REFITS = 20
"""Resamples of the units, each fitted anew; their spread has REFITS - 1 degrees of freedom."""

_POISSON = stats.poisson.cdf(np.arange(20), 1.0)


@dataclass(frozen=True)
class QModel:
    """A fitted Q function.

    Args:
        regressor: of Q on the features followed by one column per action, 1 for the action taken.
        actions: how many.
    """

    regressor: Regressor
    actions: int

    def q(self, features: Floats, action: Ints) -> Floats:
        """Q(s, a) in the reward's unit; [n, features] and [n] give [n]."""
        return np.asarray(self.regressor.predict(_design(features, action, self.actions)), dtype=np.float64)

    def v(self, features: Floats, target_prob: Floats) -> Floats:
        """sum_a pi(a | s) Q(s, a); [n, features] and [n, actions] give [n]."""
        row, action = np.nonzero(target_prob)
        q = self.q(features[row], action)
        weighted = np.bincount(row, weights=target_prob[row, action] * q, minlength=len(features))
        return weighted.astype(np.float64)


def fitted_q(
    transitions: Transitions,
    discount: float,
    rounds: int,
    regressor: RegressorFactory = random_forest,
    seed: int = 0,
    rows: Ints | None = None,
) -> QModel:
    """Q of the target: regress r + g sum_a pi(a | s') Q(s', a) on (s, a), again and again from Q = 0.

    Args:
        transitions: the log.
        discount: g, in (0, 1].
        rounds: regressions, at least 1 (`rounds_needed`).
        regressor: makes a regressor from a seed; a fresh one for every round.
        seed: of the regressors.
        rows: the rows to learn from, each as often as it is named; all steps when None.

    Source: Le, Voloshin and Yue (2019), ICML, algorithm 3.
    """
    kept = np.flatnonzero(transitions.taken) if rows is None else rows
    x = _design(transitions.features[kept], transitions.action[kept], transitions.actions)
    goes_on = np.flatnonzero(transitions.following[kept] >= 0)
    after = transitions.following[kept[goes_on]]
    y = transitions.reward[kept].astype(np.float64)
    model = QModel(_fit(regressor(seed), x, y), transitions.actions)
    for _ in range(rounds - 1):
        y = transitions.reward[kept].astype(np.float64)
        y[goes_on] += discount * model.v(transitions.features[after], transitions.target_prob[after])
        model = QModel(_fit(regressor(seed), x, y), transitions.actions)
    return model


def crossfitted(
    transitions: Transitions, discount: float = 1.0, regressor: RegressorFactory = random_forest, seed: int = 0
) -> tuple[Floats, Floats]:
    """q and v for the doubly robust estimator: of every row, from a model that saw only other units.

    Returns:
        Q(s, a) of the logged action and sum_a pi(a | s) Q(s, a), in the order of the log's rows; [n] each.

    Raises:
        EvidenceError: all units in one half, or as `rounds_needed`.

    Source: cross-fitting, Chernozhukov et al. (2018); for episodes, Kallus and Uehara (2020).
    """
    fold, q, v = fold_of(transitions.owner), np.zeros(len(transitions)), np.zeros(len(transitions))
    rounds = rounds_needed(transitions, discount)
    if len(np.unique(fold[transitions.taken])) < FOLDS:
        raise refusal("units in both halves", "one half is empty", "crossfitted", "log more units")
    for number in range(FOLDS):
        mine, others = fold == number, np.flatnonzero((fold != number) & transitions.taken)
        model = fitted_q(transitions, discount, rounds, regressor, seed, others)
        at = transitions.row[mine]
        q[at] = model.q(transitions.features[mine], transitions.action[mine])
        v[at] = model.v(transitions.features[mine], transitions.target_prob[mine])
    return q, v


class FittedQ:
    """Fitted Q evaluation over any number of batches, in any order and partition; it keeps the rows.

    Effective sample size and largest weight are those of single steps, because no product of weights is used.

    Args:
        regressor: makes a scikit-learn regressor from a seed.
        discount: in (0, 1]; below 1 where episodes were cut off.

    Raises:
        EvidenceError: another discount.
    """

    name = "fqe"

    def __init__(self, regressor: RegressorFactory = random_forest, discount: float = 1.0) -> None:
        self.regressor = regressor
        self.discount = checked_discount(discount)
        self._parts: list[tuple[Logged, Floats]] = []
        self._cut: list[Hashes] = [NO_CUT]

    def update(self, logged: Logged, target_prob: Floats, cut: Hashes = NO_CUT) -> None:
        """Add a batch: rows, the target's probabilities, [n, actions], and hashes of episodes cut off in it."""
        self._parts.append((logged, target_prob))
        self._cut.append(cut)

    def merge(self, other: FittedQ) -> None:
        """Add what another has seen.

        Raises:
            EvidenceError: it has another discount.
        """
        if other.discount != self.discount:
            raise refusal(f"discount {self.discount}", str(other.discount), "FittedQ.merge", "use one discount")
        self._parts += other._parts
        self._cut += other._cut

    def result(self, alpha: float = 0.05, seed: int = 0) -> PolicyValue:
        """Value per episode with an interval by unit, or a refusal.

        The interval is Student's t on the spread of refits to resampled units: it holds the chance of the log and of
        the fit, not the bias of a regressor that cannot express Q.

        Raises:
            EvidenceError: as `Transitions.from_logged` and `rounds_needed`, or an impossible alpha.

        Source: Hao et al. (2021), ICML, bootstrapping fitted Q evaluation.
        """
        share(alpha, "alpha", "FittedQ.result")
        if not self._parts:
            return self._refused(Support(), 0)
        transitions = self._transitions()
        support = step_support(transitions)
        n = len(transitions.start)
        if support.refusal is not None or len(np.unique(transitions.unit)) < 2:
            return self._refused(support, n)
        rounds = rounds_needed(transitions, self.discount)
        value = self._value(transitions, rounds, seed)
        spread = [self._value(transitions, rounds, seed, resample) for resample in range(REFITS)]
        radius = float(stats.t.ppf(1 - alpha / 2, REFITS - 1)) * float(np.std(spread, ddof=1))
        method = f"{rounds} rounds; t over {REFITS} refits to resampled units; the regressor's bias is not in it"
        ess, largest = support.ess, support.largest
        low, high, cluster = value - radius, value + radius, transitions.cluster
        return PolicyValue(self.name, value, low, high, n, ess, largest, method=method, cluster=cluster, alpha=alpha)

    def _value(self, transitions: Transitions, rounds: int, seed: int, resample: int | None = None) -> float:
        times: Ints = np.ones(len(transitions.start), dtype=np.int64)
        if resample is not None:
            times = poisson_counts(transitions.unit, seed, resample)
        rows = np.repeat(np.arange(len(transitions)), np.repeat(times, transitions.length) * transitions.taken)
        model = fitted_q(transitions, self.discount, rounds, self.regressor, seed, rows)
        first = transitions.start
        v = model.v(transitions.features[first], transitions.target_prob[first])
        return float((times * v).sum() / times.sum())

    def _transitions(self) -> Transitions:
        logged = joined([part for part, _ in self._parts])
        target_prob = np.concatenate([p for _, p in self._parts])
        return Transitions.from_logged(logged, target_prob, cut=np.concatenate(self._cut))

    def _refused(self, support: Support, n: int) -> PolicyValue:
        why = support.refusal or Refusal(Why.FEW_EFFECTIVE, "all episodes belong to one unit", "log more units")
        return PolicyValue.refused(self.name, why.reason, why.helps, n=n, ess=support.ess, max_weight=support.largest)


def step_support(transitions: Transitions) -> Support:
    """What the log can say step by step; states in which an episode was cut off do not count."""
    steps = np.flatnonzero(transitions.taken)
    mine = transitions.target_prob[steps, transitions.action[steps]]
    propensity, support = transitions.propensity[steps], Support()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mine / propensity
    support.update(transitions.index[steps], transitions.reward[steps], propensity, ratio, transitions.elsewhere[steps])
    return support


def poisson_counts(unit: Hashes, seed: int, resample: int) -> Ints:
    """How often each unit is drawn in one resample, Poisson(1), from its hash alone; [n].

    Source: Oza and Russell (2001), online bagging.
    """
    uniform = mixed(mixed(unit, seed), 1_000 + resample) / 2.0**64
    return np.searchsorted(_POISSON, uniform, side="right")


def _design(features: Floats, action: Ints, actions: int) -> Floats:
    chosen = np.zeros((len(features), actions))
    chosen[np.arange(len(features)), action] = 1.0
    return np.concatenate([features, chosen], axis=1)


def _fit(regressor: Regressor, x: Floats, y: Floats) -> Regressor:
    regressor.fit(x, y)
    return regressor
