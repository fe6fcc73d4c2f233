"""Values of a policy per episode, from batches in any order: sums by groups of units, and an honest refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats, Ints
from tenure.core.logged import Hashes
from tenure.evaluation.checks import refusal, share
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.trajectories import Formula, Term, last_weights, ratios, returns
from tenure.evaluation.grouped import (
    DRAWS,
    GROUPS,
    Ends,
    group_of,
    linearised_error,
    ratio_interval,
    sum_of_ratios,
)
from tenure.evaluation.off_policy.support import FEWEST_EFFECTIVE, ILLEGAL, Refusal, Support, Why
from tenure.evaluation.off_policy.value import PolicyValue

_AT_ONCE = 100


@dataclass
class TermSums:
    """Sums of an estimator's terms in each group of units; terms grow with the longest episode.

    Args:
        above, below: [GROUPS, terms].
    """

    above: Floats = field(default_factory=lambda: np.zeros((GROUPS, 0)))
    below: Floats = field(default_factory=lambda: np.zeros((GROUPS, 0)))

    @classmethod
    def of(cls, group: Ints, terms: Iterator[Term]) -> TermSums:
        """Sums of one batch; group of each episode, [episodes]."""
        pairs = [[np.bincount(group, weights=column, minlength=GROUPS) for column in term] for term in terms]
        return cls(np.stack([above for above, _ in pairs], axis=1), np.stack([below for _, below in pairs], axis=1))

    def merge(self, other: TermSums) -> None:
        """Add what another has summed; the shorter one's episodes rest after their end."""
        width = max(self.above.shape[1], other.above.shape[1])
        self.above = _lengthened(self.above, width, "constant") + _lengthened(other.above, width, "constant")
        self.below = _lengthened(self.below, width, "edge") + _lengthened(other.below, width, "edge")

    @property
    def columns(self) -> Floats:
        """Columns above, below, above, below, ... of the groups with episodes; [groups, 2 terms]."""
        pairs = np.stack([self.above, self.below], axis=2).reshape(GROUPS, -1)
        return np.asarray(pairs[(pairs != 0).any(axis=1)])


class EpisodeValue:
    """One estimator over any number of batches of whole episodes, in any order and partition.

    Args:
        formula: which estimator; one of `trajectories.FORMULAS`.
        discount: in (0, 1]; 1 values the plain sum of rewards.

    Raises:
        EvidenceError: another discount.
    """

    def __init__(self, formula: Formula, discount: float = 1.0) -> None:
        self.formula = formula
        self.discount = checked_discount(discount)
        self._sums = TermSums()
        self._steps, self._whole = Support(), Support()
        self._seen: list[Hashes] = []
        self._clusters: set[str] = set()

    @property
    def n(self) -> int:
        """Episodes so far."""
        return self._whole.n

    def update(self, episodes: Episodes) -> None:
        """Add a batch of whole episodes.

        Raises:
            EvidenceError: a doubly robust estimate without a model.
        """
        ratio = ratios(episodes)
        self._steps.update(episodes.index, episodes.reward, episodes.logged_prob, ratio, episodes.elsewhere)
        self._seen.append(episodes.episode)
        self._clusters.add(episodes.cluster)
        # Whether the logged probabilities are legal is counted by step; here any legal one stands for the product.
        legal = np.full(len(episodes), 0.5)
        first = episodes.index[episodes.start]
        self._whole.update(first, returns(episodes, self.discount), legal, last_weights(episodes))
        if not self._illegal:
            self._sums.merge(TermSums.of(group_of(episodes.unit), self.formula.terms(episodes, self.discount)))

    def merge(self, other: EpisodeValue) -> None:
        """Add what another accumulator of the same estimator has seen.

        Raises:
            EvidenceError: it is of another estimator or discount.
        """
        mine, theirs = (self.formula.name, self.discount), (other.formula.name, other.discount)
        if mine != theirs:
            raise refusal(str(mine), str(theirs), "EpisodeValue.merge", "merge accumulators of one estimator")
        self._sums.merge(other._sums)
        self._steps.merge(other._steps)
        self._whole.merge(other._whole)
        self._seen += other._seen
        self._clusters |= other._clusters

    def result(self, alpha: float = 0.05, seed: int = 0) -> PolicyValue:
        """Value per episode with an interval by unit, or a refusal; effective sample size and weights of episodes.

        Raises:
            EvidenceError: an episode that came in two parts, or an impossible alpha.
        """
        check_once(self._seen)
        share(alpha, "alpha", "EpisodeValue.result")
        why = self._refusal()
        name, ess, largest = self.formula.name, self._whole.ess, self._whole.largest
        if why is not None:
            return PolicyValue.refused(name, why.reason, why.helps, n=self.n, ess=ess, max_weight=largest)
        sums = self._sums.columns
        ends = ratio_interval(sums, alpha, seed) if sums.shape[1] == 2 else long_interval(sums, alpha, seed)
        method = f"{ends.method}; {self._steps.unsupported_share:.2%} without support"
        answer = PolicyValue(name, ends.value, ends.low, ends.high, self.n, ess, largest, method=method, alpha=alpha)
        return replace(answer, cluster="unit" if self._clusters == {"unit"} else "episode")

    @property
    def _illegal(self) -> bool:
        return any(s.refusal is not None and s.refusal.why in ILLEGAL for s in (self._steps, self._whole))

    def _refusal(self) -> Refusal | None:
        both = [refused for refused in (self._steps.refusal, self._whole.refusal) if refused is not None]
        found = min(both, key=lambda refused: refused.why not in ILLEGAL, default=None)
        if found is not None and found.why is Why.FEW_EFFECTIVE:
            return few_effective(self._whole)
        if found is None and len(self._sums.columns) < 2:
            return Refusal(Why.FEW_EFFECTIVE, "all episodes belong to one unit", "log more units")
        return found


def checked_discount(discount: float) -> float:
    """The same discount, once it lies in (0, 1].

    Raises:
        EvidenceError: it does not.
    """
    if not 0 < discount <= 1:
        raise refusal("a discount in (0, 1]", str(discount), "discount", "1 values the plain sum of rewards")
    return discount


def check_once(parts: list[Hashes]) -> None:
    """Nothing, once no episode came twice.

    Raises:
        EvidenceError: one did; it is named.
    """
    ids, count = np.unique(np.concatenate(parts), return_counts=True) if parts else (np.zeros(0), np.zeros(0))
    if (count > 1).any():
        twice = f"episode {int(ids[count > 1][0])} in two batches ({int((count > 1).sum())} in all)"
        raise refusal("every episode whole, in one batch", twice, "EpisodeValue", "sort the log by episode and step")


def few_effective(whole: Support) -> Refusal:
    """The refusal that counts episodes."""
    found = f"{whole.n} episodes weigh as much as {whole.ess:.1f} of the target's own (at least 100 needed)"
    more = f"about {math.ceil(FEWEST_EFFECTIVE / whole.ess * whole.n):,} such episodes, " if whole.ess else ""
    return Refusal(Why.FEW_EFFECTIVE, found, f"{more}more exploration, or fqe, which weighs no whole episodes")


def long_interval(sums: Floats, alpha: float, seed: int) -> Ends:
    """`sum_of_ratios` of many terms with the bootstrap-t interval of `ratio_interval`, in memory linear in the terms.

    Args:
        sums: columns a_1, b_1, ...; [groups, 2 k].
        alpha: error rate, in (0, 1).
        seed: chance of the resampling.

    Source: Efron and Tibshirani (1993), section 12.5; linearisation, Cochran (1977), section 6.4.
    """
    groups, rng = len(sums), np.random.default_rng(seed)
    value, error = float(sum_of_ratios(sums.sum(axis=0))), linearised_error(sums)
    t = np.concatenate([_studentised(sums, value, rng) for _ in range(DRAWS // _AT_ONCE)])
    if not np.isfinite(t).all():
        radius = float(stats.t.ppf(1 - alpha / 2, groups - 1)) * error
        return Ends(value, value - radius, value + radius, f"t over {groups} groups of units, linearised")
    low, high = np.quantile(t, [alpha / 2, 1 - alpha / 2])
    return Ends(value, value - float(high) * error, value - float(low) * error, f"bootstrap-t over {groups} groups")


def _studentised(sums: Floats, value: float, rng: np.random.Generator) -> Floats:
    """(resampled value - value) / its linearised error; [groups, 2 k] gives [_AT_ONCE]."""
    groups = len(sums)
    drawn = rng.integers(groups, size=(_AT_ONCE, groups)) + np.arange(_AT_ONCE)[:, None] * groups
    times = np.bincount(drawn.ravel(), minlength=_AT_ONCE * groups).reshape(_AT_ONCE, groups).astype(np.float64)
    total = times @ sums
    slope = np.empty_like(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope[:, 0::2] = 1 / total[:, 1::2]
        slope[:, 1::2] = -total[:, 0::2] / total[:, 1::2] ** 2
        # Slopes are orthogonal to the totals, so the plain second moment is the centred one.
        variance = (times * (slope @ sums.T) ** 2).sum(axis=1)
        return np.asarray((sum_of_ratios(total) - value) / np.sqrt(variance))


def _lengthened(sums: Floats, width: int, mode: str) -> Floats:
    if not sums.shape[1]:
        return np.zeros((len(sums), width))
    pad = ((0, 0), (0, width - sums.shape[1]))
    return np.pad(sums, pad, mode="edge") if mode == "edge" else np.pad(sums, pad)
