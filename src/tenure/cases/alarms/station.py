"""The pumping station in tables: lights, wear, demand and the crew, read alike by simulator, rules and bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

DAY = 24
MORNING, EVENING = 6, 18
"""Hours of the clock between which the day shift is there."""
SERVICE, REPAIR = 6, 12
"""Hours of the crew's work after an alarm, and after a failure."""

DARK, WEAK, STRONG, FOUND = range(4)
"""A pump's warning light; `FOUND` is a fault that an inspection has found."""
LIMIT = 30
"""Strain hours after its light at which a faulty pump has failed for certain."""
SURVIVES = 1 - (np.arange(LIMIT + 1) / LIMIT) ** 2
"""Share of faulty pumps that still run so many strain hours after their light; [LIMIT + 1]."""

UNITS = np.array([40, 100, 200])
"""Units asked for in an hour of low, medium and high demand."""
CAPACITY = 100
"""Units a pump moves in an hour at most."""
STRAIN = np.array([[0, 1, 0], [0, 4, 1], [0, 8, 2]])
"""Strain hours that an hour adds to each running pump; by demand and pumps running."""
STAYS = 0.7
"""Chance that the demand stays for another hour; else it is drawn anew."""
USUAL = np.array([0] * 6 + [2] * 4 + [1] * 7 + [2] * 4 + [1] + [0] * 2)
"""Usual demand of each hour of the clock: peaks from 06:00 and 17:00, rest from 22:00."""
TRUE_TO_FORM = 0.8
"""Chance that a demand drawn anew is the usual one; each other one has half the rest."""


@dataclass(frozen=True)
class Level:
    """How far the lights can be trusted.

    Args:
        light_chance: that a running pump's light comes on within an hour.
        weak_share: share of these lights that are weak.
        truth: share of weak and of strong lights with a fault behind them.
    """

    light_chance: float
    weak_share: float
    truth: tuple[float, float]


LEVELS = {
    "easy": Level(0.03, 0.6, (0.10, 0.80)),
    "normal": Level(0.03, 0.6, (0.20, 0.60)),
    "hard": Level(0.04, 0.6, (0.25, 0.45)),
}


def light_chances(level: Level) -> Floats:
    """Chance that a running pump's dark light comes on, by what is behind it; [sound, faulty] of weak, strong; [4]."""
    weak, strong = level.light_chance * level.weak_share, level.light_chance * (1 - level.weak_share)
    low, high = level.truth
    return np.array([weak * (1 - low), weak * low, strong * (1 - high), strong * high])


def risks(level: Level) -> Floats:
    """Probability of a fault by light and strain hours since, of a pump that still runs; Bayes' rule; [4, LIMIT + 1].

    At `LIMIT` no faulty pump runs any more.
    """
    before = np.array([0.0, *level.truth, 1.0])[:, None]
    sound = np.broadcast_to(1 - before, (len(before), LIMIT + 1))
    total = before * SURVIVES + sound
    return np.asarray(1 - np.divide(sound, total, out=np.ones_like(total), where=total > 0))


def next_demand(hour: int) -> Floats:
    """Chance of the demand at an hour of the clock, row by row from the demand an hour earlier; [3, 3]."""
    anew = np.full(3, (1 - TRUE_TO_FORM) / 2)
    anew[USUAL[hour % DAY]] = TRUE_TO_FORM
    return np.asarray(STAYS * np.eye(3) + (1 - STAYS) * anew)


def lost(demand: Ints, running: Ints) -> Floats:
    """Units that are asked for and cannot be moved, by demand and pumps running."""
    return np.asarray(np.maximum(UNITS[demand] - CAPACITY * running, 0), dtype=float)


def losses_of_a_stop() -> Floats:
    """Units expected to be lost while one pump is serviced and the other runs, from each hour and demand; [24, 3]."""
    alone = lost(np.arange(3), np.ones(3, dtype=np.int64))
    found = np.zeros((DAY, 3))
    for hour in range(DAY):
        reached = np.eye(3)
        for ahead in range(SERVICE):
            found[hour] += reached @ alone
            reached = reached @ next_demand(hour + ahead + 1)
    return found


def is_night(clock: Ints) -> Bools:
    """Nobody but the engineer on duty is there; by hour of the clock."""
    return np.asarray((clock < MORNING) | (clock >= EVENING))
