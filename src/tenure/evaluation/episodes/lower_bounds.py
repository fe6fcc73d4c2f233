"""What a policy is worth at least, from importance-weighted returns, however heavy their tail."""

from __future__ import annotations

import math

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.core.logged import Hashes
from tenure.evaluation.checks import finite, refusal, same_length, share
from tenure.evaluation.grouped import mixed

TUNED_ON = 20
"""One unit in so many chooses the clip point and is left out of the bound, as its authors do."""

_SALT = 29
_CLIPS = 1000


def high_confidence_lower(weight: Floats, returns: Floats, least: float, unit: Hashes, alpha: float = 0.05) -> Estimate:
    """A bound that the target's value per unit exceeds with probability 1 - alpha; no normality is assumed.

    Weighted returns above the least possible one are clipped, which can only lower their mean; the clip point is
    chosen on one unit in 20.

    Args:
        weight: weight of each unit's episode (or decision), >= 0; [n].
        returns: its return, in the reward's unit; [n].
        least: the smallest return there can be, known beforehand.
        unit: hash of each unit, every one once; uint64 [n].
        alpha: error rate, in (0, 1).

    Returns:
        The mean weighted return, its lower bound (never below `least`), and no upper one.

    Raises:
        EvidenceError: NaN, a negative weight, a return below `least`, a unit twice, or too few units to split.

    Source: Thomas, Theocharous and Ghavamzadeh (2015), AAAI, theorem 1 and its choice of the threshold.
    """
    where = "high_confidence_lower"
    same_length(where, weight=len(weight), returns=len(returns), unit=len(unit))
    weight, returns = finite(weight, f"{where}(weight)"), finite(returns, f"{where}(returns)")
    _check(weight, returns, least, unit)
    x = weight * (returns - least)
    tuning = mixed(unit, _SALT) % np.uint64(TUNED_ON) == 0
    before, after = x[tuning], x[~tuning]
    if min(len(before), len(after)) < 2:
        raise refusal("about 60 units or more", f"{len(x)}", where, "collect more units")
    clip = best_clip(before, len(after), alpha)
    low = max(clipped_lower_bound(after, clip, alpha), 0.0) + least
    ess = float(weight.sum()) ** 2 / float(weight @ weight) if weight.any() else 0.0
    method = f"clipped empirical Bernstein at {clip:.4g}, one-sided"
    return Estimate(float(x.mean()) + least, low, math.inf, len(x), ess, method, "unit", alpha)


def clipped_lower_bound(x: Floats, clip: float, alpha: float = 0.05) -> float:
    """mean y - 7 c ln(2/a) / (3 (n - 1)) - sqrt(2 s^2 ln(2/a) / n) with y = min(x, c) and s^2 its sample variance.

    Args:
        x: independent numbers >= 0 whose means are at most the bounded one; [n].
        clip: c, > 0, chosen without these numbers.
        alpha: a, in (0, 1).

    Raises:
        EvidenceError: fewer than two numbers, NaN, a negative one, or an impossible clip or alpha.

    Source: Thomas, Theocharous and Ghavamzadeh (2015), theorem 1 with one threshold for all.
    """
    x = _nonnegative(x, "clipped_lower_bound(x)")
    if not 0 < clip < math.inf:
        raise refusal("a finite clip > 0", str(clip), "clipped_lower_bound(clip)", "choose it with best_clip")
    y = np.minimum(x, clip)
    return _bound(float(y.mean()), float(y.var(ddof=1)), clip, len(y), alpha)


def best_clip(x: Floats, n: int, alpha: float = 0.05) -> float:
    """The clip point whose bound on n further numbers is expected to be highest.

    Args:
        x: numbers >= 0 of the tuning split; [m].
        n: numbers the bound will be computed from, at least 2.
        alpha: error rate, in (0, 1).

    Returns:
        One of 1,000 points up to the largest x, evenly spaced in logarithm; 1 where all are 0.

    Raises:
        EvidenceError: as `clipped_lower_bound`.

    Source: Thomas, Theocharous and Ghavamzadeh (2015), equation 7: the bound predicted from the tuning split.
    """
    x = _nonnegative(x, "best_clip(x)")
    largest = float(x.max())
    if largest == 0:
        return 1.0
    clips = np.geomspace(largest * 1e-4, largest, _CLIPS)
    mean, variance = _clipped_moments(np.sort(x), clips)
    predicted = [_bound(*moments, n, alpha) for moments in zip(mean, variance, clips, strict=True)]
    return float(clips[int(np.argmax(predicted))])


def _bound(mean: float, variance: float, clip: float, n: int, alpha: float) -> float:
    certainty = math.log(2 / share(alpha, "alpha", "clipped_lower_bound"))
    return mean - 7 * clip * certainty / (3 * (n - 1)) - math.sqrt(2 * variance * certainty / n)


def _clipped_moments(x: Floats, clips: Floats) -> tuple[Floats, Floats]:
    """Mean and sample variance of min(x, c) for every c; x sorted, [m]; [clips] each."""
    kept, m = np.searchsorted(x, clips), len(x)
    sums, squares = (np.concatenate([[0.0], np.cumsum(x**power)])[kept] for power in (1, 2))
    mean = (sums + (m - kept) * clips) / m
    second = (squares + (m - kept) * clips**2) / m
    return mean, np.maximum(second - mean**2, 0.0) * m / (m - 1)


def _nonnegative(x: Floats, where: str) -> Floats:
    x = finite(x, where)
    if x.min() < 0:
        raise refusal("numbers >= 0", f"{x.min():g}", where, "subtract the least possible return first")
    return x


def _check(weight: Floats, returns: Floats, least: float, unit: Hashes) -> None:
    where = "high_confidence_lower"
    if weight.min() < 0:
        raise refusal("weights >= 0", f"{weight.min():g}", f"{where}(weight)", "divide probabilities")
    if not returns.min() >= least:
        fix = "state the smallest return there can be, not the smallest that was seen"
        raise refusal(f"returns >= least = {least:g}", f"{returns.min():g}", f"{where}(least)", fix)
    if len(np.unique(unit)) < len(unit):
        fix = "average the weighted returns of each unit first: the bound needs independent numbers"
        raise refusal("every unit once", f"{len(unit) - len(np.unique(unit))} repeated", f"{where}(unit)", fix)
