"""The town: districts around a depot, how long every drive takes at which hour, and when who orders."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

DISTRICTS = ("north-west", "north", "north-east", "west", "east", "south-west", "south", "south-east")
"""In the order of their numbers; place 0 is the depot in the middle, place 1 the first district."""
DEPOT = 0
_COLUMN, _ROW = np.array([1, 0, 1, 2, 0, 2, 0, 1, 2]), np.array([1, 0, 0, 0, 1, 1, 2, 2, 2])
EAST, SOUTH = _COLUMN - 1, _ROW - 1
"""Where each place lies, in blocks from the depot."""
_APART: Ints = np.abs(_COLUMN[:, None] - _COLUMN) + np.abs(_ROW[:, None] - _ROW)
MINUTES: Floats = np.where(_APART == 0, 4.0, 8.0 * _APART)
"""Minutes of a drive between two places on an empty road, 4 between two doors of one district; [9, 9]."""
BRIDGE: Bools = (_ROW[:, None] == 2) != (_ROW == 2)
"""The way crosses the river, which runs north of the three southern districts; [9, 9]."""

TRAFFIC: Floats = np.array(
    [1.0] * 6 + [1.1, 1.4, 1.5, 1.3, 1.1, 1.1, 1.2, 1.1, 1.1, 1.2, 1.5, 1.7, 1.5, 1.2, 1.1, 1.0, 1.0, 1.0]
)
"""How many times longer a drive takes in each hour of the day."""
JAM: Floats = np.array([0.0] * 7 + [10.0, 45.0, 20.0] + [2.0] * 5 + [5.0, 40.0, 60.0, 45.0, 10.0] + [0.0] * 4)
"""Minutes lost at the bridge at each hour of a usual day in dry weather."""
SLOWER: Floats = np.array([1.0, 1.2, 1.5])
"""The same of each weather: dry, rain, snow."""
_OFFICES = np.array([0.06, 0.20, 0.10, 0.12, 0.22, 0.06, 0.16, 0.08])
_HOMES = np.array([0.18, 0.06, 0.14, 0.10, 0.05, 0.20, 0.09, 0.18])
_AT_WORK = np.array([0.0] * 7 + [0.5] + [1.0] * 9 + [0.5] + [0.0] * 6)
SHARE: Floats = _AT_WORK[:, None] * _OFFICES + (1 - _AT_WORK[:, None]) * _HOMES
"""Which share of an hour's orders each district has; [24, 8]."""


def drive_minutes(start: Ints, to: Ints, hour: Ints, weather: Ints, jam: Floats) -> Floats:
    """Usual minutes of drives; all arguments of shapes that broadcast.

    Args:
        start, to: places, 0 to 8.
        hour: of the day, 0 to 23.
        weather: 0 dry, 1 rain, 2 snow.
        jam: minutes lost at the bridge.
    """
    return np.asarray(MINUTES[start, to] * TRAFFIC[hour] * SLOWER[weather] + BRIDGE[start, to] * jam)
