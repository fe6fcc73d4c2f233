"""How far a candidate came on the way from the incumbent to the best possible."""

from __future__ import annotations

import math

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import refusal
from tenure.evaluation.intervals import DRAWS, Sums, check_crossed, crossed


def headroom_share(incumbent: float, candidate: float, bound: float) -> float:
    """The share of the way from the incumbent to the bound; 1 is the bound itself.

    Args:
        incumbent: its cost; all three in one unit, lower is better.
        candidate: its cost.
        bound: a cost that no policy can undercut.

    Raises:
        EvidenceError: the bound is not below the incumbent's cost, or a figure is not finite.
    """
    if not bound < incumbent or not all(map(math.isfinite, (incumbent, candidate, bound))):
        raise refusal(
            "finite costs, and a bound below the incumbent's",
            f"incumbent {incumbent:g}, candidate {candidate:g}, bound {bound:g}",
            "headroom_share",
            "check the bound; at the bound there is nothing left to learn",
        )
    return (incumbent - candidate) / (incumbent - bound)


def crossed_headroom(
    incumbent: Sums,
    bound: Sums,
    candidate: Sums,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    cluster: str = "world",
    draws: int = DRAWS,
) -> Estimate:
    """The same share with its doubt over worlds and training seeds, both drawn with replacement (see `crossed_gain`).

    Args:
        incumbent: its cost in each world; [worlds].
        bound: the least possible cost in the same worlds; [worlds].
        candidate: its cost for each training seed, in the same worlds; [seeds, worlds].
        rng: chance of the resampling.
        alpha: error rate of the interval, in (0, 1).
        cluster: what one world is called.
        draws: resamples.

    Raises:
        EvidenceError: as `headroom_share` and `crossed_gain`.
    """
    check_crossed((incumbent, bound), candidate, "crossed_headroom", alpha)
    reached = headroom_share(incumbent.ratio, candidate.ratio, bound.ratio)
    room = incumbent.ratio - bound.ratio

    def statistic(before: Floats, best: Floats, after: Floats) -> Floats:
        return (before - after) / (before - best)

    slopes = ((1 - reached) / room, reached / room, -1 / room)
    return crossed((incumbent, bound), candidate, statistic, slopes, rng, alpha, cluster, draws)
