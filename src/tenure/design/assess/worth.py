"""What a decision leads to: as a fitted value foresees it, and as it really came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface

DISCOUNT = 0.9
"""Weight of the next decision's value: ten decisions ahead count for a third. Further ahead a log of some thousand
decisions holds more noise than effect."""


@dataclass(frozen=True, eq=False)
class Later:
    """What each decision leads to under the incumbent, beyond its own reward, in the reward's unit.

    Args:
        foreseen: discount * V(next) - V(now), by a V fitted on each half of the units; [2, n]. Little noise, but what V
            mistakes it repeats.
        came: the discounted later rewards as they were, less V(now) by the V of the other half; [n]. Noisy, and right.
    """

    foreseen: Floats
    came: Floats


def later_worth(records: Records, discount: float) -> Later:
    """What every decision of a log leads to.

    Args:
        records: the log.
        discount: weight of the next decision's value, in [0, 1). After its end a unit is worth 0 where units end by
            themselves; where they are cut off, rewards are taken from their mean and the end is as the last row.
    """
    sums, nobody = _returns(records, discount), np.zeros(len(records), dtype=np.int64)
    goes_on = records.following >= 0
    foreseen, now = np.empty((2, len(records))), np.empty(len(records))
    for half in (0, 1):
        fit = records.fold == half
        value = fit_surface(records.x[fit], nobody[fit], sums[fit, None], 1, seed=half).at(records.x, nobody)[:, 0]
        foreseen[half] = np.where(goes_on, discount * value[records.following], 0.0) - value
        now[~fit] = value[~fit]
    came = np.where(goes_on, discount * sums[records.following], 0.0) - now
    return Later(foreseen, came)


def _returns(records: Records, discount: float) -> Floats:
    """Discounted sum of the rewards from each decision to the end of its unit; [n]."""
    reward = records.reward if records.episodic else records.reward - records.reward.mean()
    out = reward.astype(float)
    for row in range(len(out) - 1, -1, -1):
        if records.following[row] >= 0:
            out[row] += discount * out[records.following[row]]
    return np.asarray(out)
