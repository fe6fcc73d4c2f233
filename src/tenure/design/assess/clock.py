"""The clock in a log: it steers who decides and what comes next, and no action moves it.

Where a rule follows the clock and the log holds the moment only, the hour explains both the action and the next
situation; left out, its advance would be taken for the action's effect. And a column that the moment or its own value
before already fixes cannot be moved, so it says nothing of what the action does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats, Ints
from tenure.design.assess.behaviour import fitted
from tenure.design.assess.records import Records

STEERED = 1e-4
"""Probability, were the choice without regard to the clock, below which the clock is taken to steer it."""
AGAIN = 2
"""Times that a value must come again on average before it can be said to fix another."""


def with_clock(records: Records) -> Records:
    """The records with hour and weekday beside what was seen, where they steer the choice beyond it."""
    if records.clock is None:
        return records
    kept = [name for name, key in records.clock.items() if _adds(records, key)]
    if not kept:
        return records
    told = np.stack([records.clock[name] for name in kept], axis=1).astype(float)
    return replace(records, x=np.concatenate([records.x, told], axis=1), names=(*records.names, *kept))


def moved_by_nothing(records: Records, rows: Bools) -> Bools:
    """Which columns cannot be moved: the clock or their own value before fixes them; [features].

    Args:
        records: the log.
        rows: those with a row that follows.
    """
    now, following = records.x[rows], records.x[records.following[rows]]
    keys = list((records.clock or {}).values())
    keys += [keys[0] + 24 * keys[1]] if len(keys) == 2 else []
    fixed = [
        any(_fixes(key, column) for key in keys) or _fixes(_codes(now[:, place]), following[:, place])
        for place, column in enumerate(records.x.T)
    ]
    return np.asarray(fixed, dtype=bool)


def _adds(records: Records, key: Ints) -> bool:
    """Whether a cycle steers the choice beyond what was seen, and no column tells it already."""
    if any(_fixes(_codes(column), key.astype(float)) for column in records.x.T):
        return False
    left = np.eye(len(records.labels))[records.action] - fitted(records)
    group = np.unique(key, return_inverse=True)[1]
    smallest = min(_between(left[:, action], group) for action in range(left.shape[1]))
    return bool(smallest * left.shape[1] < STEERED)


def _between(values: Floats, group: Ints) -> float:
    """p of an analysis of variance: means of groups differ. Source: Fisher (1925)."""
    groups = [values[group == each] for each in range(int(group.max()) + 1)]
    if float(np.ptp(values)) == 0.0 or min(map(len, groups)) < 2:
        return 1.0
    return float(stats.f_oneway(*groups).pvalue)


def _codes(column: Floats) -> Ints:
    return np.unique(column, return_inverse=True)[1].astype(np.int64)


def _fixes(key: Ints, column: Floats) -> bool:
    """Whether a column is the same wherever a key is."""
    group = np.unique(key, return_inverse=True)[1]
    count = np.bincount(group)
    if len(group) < AGAIN * len(count):
        return False
    high = np.full(len(count), -np.inf)
    low = np.full(len(count), np.inf)
    np.maximum.at(high, group, column)
    np.minimum.at(low, group, column)
    return bool(np.array_equal(high, low))
