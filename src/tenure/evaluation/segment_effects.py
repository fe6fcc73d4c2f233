"""What a candidate changes in each segment, measured on the half of the units that did not shape the segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.logged import Hashes
from tenure.evaluation.checks import finite, refusal, same_length, share
from tenure.evaluation.grouped import GroupedSums, filled, group_of, linearised_error, sum_of_ratios
from tenure.evaluation.segments import Segments, learns


@dataclass(frozen=True)
class SegmentEffect:
    """One segment.

    Args:
        rule: which rows, in words.
        share: of all rows, in [0, 1].
        effect: mean difference per row, candidate minus incumbent; None where fewer than two units measure it.
        verdict: better or worse where that is proven over all segments together, else mixed.
    """

    rule: str
    share: float
    effect: Estimate | None
    verdict: Literal["better", "worse", "mixed"]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "rule": self.rule,
            "share": self.share,
            "effect": None if self.effect is None else self.effect.as_dict(),
            "verdict": self.verdict,
        }


class SegmentEffects:
    """Effects by segment over any number of batches, in any order and partition.

    Args:
        segments: as found on a sample of the same log, so that its half of the units can be told apart.
    """

    def __init__(self, segments: Segments) -> None:
        self.segments = segments
        self._rows = np.zeros(len(segments), dtype=np.int64)
        self._sums = [GroupedSums(2) for _ in range(len(segments))]

    def update(self, features: Floats, unit: Hashes, difference: Floats) -> None:
        """Take a batch: situations, [n, features], unit hashes, [n], and candidate minus incumbent, [n].

        Raises:
            EvidenceError: columns of different lengths, or a difference that is not finite.
        """
        same_length("SegmentEffects.update", features=len(features), unit=len(unit), difference=len(difference))
        if not len(difference):
            return
        difference = finite(difference, "SegmentEffects.update(difference)", at_least=1)
        segment = self.segments.assign(features)
        self._rows += np.bincount(segment, minlength=len(self._rows))
        measured = ~learns(unit)
        segment, group, difference = segment[measured], group_of(unit[measured]), difference[measured]
        for number, sums in enumerate(self._sums):
            mine = segment == number
            sums.update(group[mine], (difference[mine], 1.0))

    def merge(self, other: SegmentEffects) -> None:
        """Take what another over the same segments has seen.

        Raises:
            EvidenceError: it measures other segments.
        """
        if other.segments.rules() != self.segments.rules():
            raise refusal("the same segments", "others", "SegmentEffects.merge", "find the segments once, then measure")
        self._rows = self._rows + other._rows
        for mine, theirs in zip(self._sums, other._sums, strict=True):
            mine.merge(theirs)

    def result(self, alpha: float = 0.05, sign: int = 1, cluster: str = "unit") -> tuple[SegmentEffect, ...]:
        """Every segment's effect, with a verdict that holds over all of them together.

        Each interval is Student's t over groups of units at the level of its Holm step, so it leaves out 0 exactly
        where the verdict is proven.

        Args:
            alpha: chance of one wrong verdict or more, in (0, 1).
            sign: +1 where a higher difference is better, -1 where a lower one is.
            cluster: what a unit is.

        Source: Holm (1979), Scandinavian Journal of Statistics 6(2).
        """
        share(alpha, "alpha", "SegmentEffects.result")
        measured = [_measured(sums.sums) for sums in self._sums]
        levels = holm_levels(np.array([_p_value(*each) for each in measured]), alpha)
        total = max(int(self._rows.sum()), 1)
        rows = zip(self.segments.rules(), self._rows, self._sums, measured, levels, strict=True)
        return tuple(
            _effect(rule, int(count) / total, sums.n, found, float(level), sign, cluster)
            for rule, count, sums, found, level in rows
        )


def holm_levels(p: Floats, alpha: float) -> Floats:
    """The level at which each p-value is tested by Holm's procedure; those after the first failure share its level.

    Args:
        p: p-values, in [0, 1]; [n].
        alpha: chance of one wrong rejection or more.

    >>> holm_levels(np.array([0.2, 0.001, 0.02]), 0.05).round(4).tolist()
    [0.05, 0.0167, 0.025]
    """
    levels, remaining, failed = np.empty(len(p)), len(p), False
    for index in np.argsort(p, kind="stable"):
        levels[index] = alpha / remaining
        failed = failed or p[index] > levels[index]
        remaining -= not failed
    return levels


_Measured = tuple[float, float, int]
"""Mean, its standard error and groups of units; no group where there are too few."""


def _measured(sums: Floats) -> _Measured:
    rows = filled(sums)
    if len(rows) < 2:
        return 0.0, 0.0, 0
    return float(sum_of_ratios(rows.sum(axis=0))), linearised_error(rows), len(rows)


def _p_value(mean: float, error: float, groups: int) -> float:
    if groups == 0:
        return 1.0
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return float(2 * stats.t.sf(abs(mean) / error, groups - 1))


def _effect(rule: str, part: float, n: int, found: _Measured, level: float, sign: int, cluster: str) -> SegmentEffect:
    mean, error, groups = found
    if groups == 0:
        return SegmentEffect(rule, part, None, "mixed")
    radius = float(stats.t.ppf(1 - level / 2, groups - 1)) * error
    told = f"t over {groups} groups of units that did not shape the segments, Holm"
    estimate = Estimate(mean, mean - radius, mean + radius, n, float(groups), told, cluster, level)
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return SegmentEffect(rule, part, estimate, "better" if low > 0 else "worse" if high < 0 else "mixed")
