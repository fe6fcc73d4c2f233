"""Is the policy right as often as it is sure? Stated confidence against what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Estimate
from tenure.core.logged import Hashes
from tenure.evaluation.checks import finite, refusal, same_length, share
from tenure.evaluation.grouped import GroupedSums, filled, group_of
from tenure.evaluation.shadow.paired import linearised

BINS = 10
"""Bins of equal width over [0, 1]."""


@dataclass(frozen=True)
class Bin:
    """Decisions whose stated confidence lies in [low, high); the last bin holds 1 as well.

    Args:
        n: decisions.
        confidence: their mean confidence.
        good: share of them that went well, with an interval by unit; None with fewer than two units.
    """

    low: float
    high: float
    n: int
    confidence: float
    good: Estimate | None


@dataclass(frozen=True)
class Calibration:
    """Confidence against outcome.

    Args:
        bins: those that hold a decision, rising.
        error: expected calibration error, the mean distance between confidence and share of good outcomes, in [0, 1].
        good: what counted as good, in words.
    """

    bins: tuple[Bin, ...]
    error: Estimate
    good: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        rows = [{**vars(each), "good": each.good.as_dict() if each.good else None} for each in self.bins]
        return {"bins": rows, "error": self.error.as_dict(), "good": self.good}


def calibration(confidence: Floats, good: Bools, unit: Hashes, *, meaning: str, alpha: float = 0.05) -> Calibration:
    """Stated confidence against the share of good outcomes.

    The interval of the error adds up the bins' intervals, which hold together: the error is a sum of distances, which
    chance alone makes positive, and a bootstrap of it would call a calibrated policy miscalibrated half of the time.

    Args:
        confidence: stated by the policy, in [0, 1]; [n].
        good: whether it went well; [n].
        unit: hash of each row's independent unit; [n].
        meaning: what `good` is, in words.
        alpha: error rate of every interval, in (0, 1).

    Raises:
        EvidenceError: no row, different lengths, a confidence outside [0, 1], fewer than two units, or an impossible
            alpha.

    Source: expected calibration error, Naeini, Cooper and Hauskrecht (2015), AAAI; Bonferroni, Dunn (1961).
    """
    where = "calibration"
    same_length(where, confidence=len(confidence), good=len(good), unit=len(unit))
    confidence = finite(confidence, f"{where}(confidence)", at_least=1)
    share(alpha, "alpha", where)
    if confidence.min() < 0 or confidence.max() > 1:
        found = f"from {confidence.min():g} to {confidence.max():g}"
        raise refusal("confidences in [0, 1]", found, where, "log the policy's own probability of being right")
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    sums = _by_group(confidence, np.asarray(good, dtype=np.float64), place, unit)
    bins = tuple(_bin(b, sums[:, :, b], alpha) for b in range(BINS) if sums[:, 0, b].any())
    return Calibration(bins, _error(sums, len(confidence), alpha), meaning)


def _by_group(confidence: Floats, good: Floats, place: Ints, unit: Hashes) -> Floats:
    """Rows, sum of confidence and good ones in each group of units and bin; [groups, 3, BINS]."""
    group, cells = group_of(unit), []
    for number in range(BINS):
        mine, sums = place == number, GroupedSums(3)
        sums.update(group[mine], (1.0, confidence[mine], good[mine]))
        cells.append(sums.sums)
    stacked = np.stack(cells, axis=2)
    return np.asarray(stacked[stacked[:, 0].sum(axis=1) > 0])


def _bin(number: int, sums: Floats, alpha: float) -> Bin:
    """One bin from its groups' rows, confidence and good ones; [groups, 3]."""
    n, confidence = float(sums[:, 0].sum()), float(sums[:, 1].sum())
    found = filled(sums[:, [2, 0]])
    good = linearised(found, alpha, cluster="unit", n=int(n)) if len(found) > 1 else None
    return Bin(number / BINS, (number + 1) / BINS, int(n), confidence / n, good)


def _error(sums: Floats, n: int, alpha: float) -> Estimate:
    """The error with an interval from all bins' own distances, each at an equal part of alpha."""
    groups, used = len(sums), [b for b in range(BINS) if sums[:, 0, b].any()]
    if groups < 2:
        raise refusal("two units or more", str(groups), "calibration(unit)", "collect more decisions")
    parts = np.array([_distance(sums[:, :, b], alpha / len(used)) for b in used])
    weight = sums[:, 0, used].sum(axis=0) / n
    value, low, high = (float(end) for end in weight @ parts)
    method = f"Student t in each of {len(used)} bins over groups of units, together by Bonferroni"
    return Estimate(value, low, min(1.0, high), n, float(groups), method, "unit", alpha)


def _distance(sums: Floats, alpha: float) -> tuple[float, float, float]:
    """How far the share of good ones lies from the confidence in one bin, [groups, 3], with its interval, in [0, 1]."""
    found = filled(np.stack([sums[:, 2] - sums[:, 1], sums[:, 0]], axis=1))
    total = found.sum(axis=0)
    if len(found) < 2:
        return abs(float(total[0] / total[1])), 0.0, 1.0
    gap = linearised(found, alpha, cluster="unit", n=int(total[1]))
    radius, distance = gap.high - gap.value, abs(gap.value)
    return distance, max(0.0, distance - radius), min(1.0, distance + radius)
