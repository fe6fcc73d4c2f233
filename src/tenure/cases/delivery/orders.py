"""Who orders what when, and the weather: a pure function of a town's number and the time, whatever the vans do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.chance import uniform

from .town import JAM, SHARE, SLOWER

TICK = 5
"""Minutes of a step."""
DAY = 24 * 60 // TICK
"""Steps of a day."""
TRIALS = 2
"""Orders that may come in one step of a town."""
USUAL: Floats = np.array(
    [
        *(0.3, 0.2, 0.1, 0.1, 0.2, 0.5, 1.0, 2.2, 3.8, 4.8, 5.5, 6.0),
        *(6.0, 5.0, 4.2, 4.5, 5.2, 5.8, 6.2, 6.2, 4.8, 3.0, 1.3, 0.5),
    ]
)
"""Usual orders of a town in each hour of the day."""
MORE_ORDERS: Floats = np.array([1.0, 1.15, 1.1])
"""How many times as many people order in each weather."""
BOOKED, FIRST_AHEAD, LAST_AHEAD = 0.5, 30.0, 90.0
"""Share of orders for later, and how many minutes ahead their windows open."""
FAIR_HOURS, FAIR_MORE = 4, 0.3
"""A fair, in one district a day, lasts so long and brings so much more, as a share of the town's orders."""
PEAK_MOVES = 60
"""Minutes by which a day's jams at the bridge come earlier or later than usual, at most."""
_BUSY, _FAIR_WHERE, _FAIR_WHEN, _WEATHER, _PEAK, _ORDER = 20, 21, 22, 23, 24, 30
"""What a draw is for; an order takes four from `_ORDER` on."""


@dataclass(frozen=True)
class Hardness:
    """Times as many orders, and the chances of rain and of snow in any six hours; [n] each."""

    orders: Floats
    rain: Floats
    snow: Floats


@dataclass(frozen=True)
class Arrival:
    """What may come in one step: whether, from which district (0 to 7), and the minute its window opens; [n] each."""

    comes: Bools
    district: Ints
    opens: Floats


def weather(number: Ints, step: Ints, hard: Hardness) -> Ints:
    """0 dry, 1 rain, 2 snow; the same for six hours; [n]."""
    drawn = uniform(number, step // (DAY // 4), _WEATHER)
    return (drawn < hard.snow + hard.rain).astype(np.int64) + (drawn < hard.snow)


def jam(number: Ints, step: Ints, hard: Hardness) -> Floats:
    """Minutes lost at the bridge: the day's peaks, earlier or later than usual, longer in rain and in snow; [n]."""
    moved = PEAK_MOVES * (2 * uniform(number, step // DAY, _PEAK) - 1)
    hour = np.clip((step % DAY * TICK - moved) / 60, 0, len(JAM) - 1)
    first = np.minimum(hour.astype(np.int64), len(JAM) - 2)
    usual = JAM[first] + (JAM[first + 1] - JAM[first]) * (hour - first)
    return np.asarray(usual * SLOWER[weather(number, step, hard)])


def arrivals(number: Ints, step: Ints, hard: Hardness) -> tuple[Arrival, ...]:
    """What comes in during a step of each town; those at once have their window open from the next step on."""
    share, usual = _shares(number, step), _usual(number, step, hard)
    upto = share.cumsum(axis=1)
    chance = usual * upto[:, -1] / TRIALS
    return tuple(_arrival(number, step, chance, upto, _ORDER + 4 * trial) for trial in range(TRIALS))


def _arrival(number: Ints, step: Ints, chance: Floats, upto: Floats, use: int) -> Arrival:
    comes, where, later, ahead = (uniform(number, step, use + draw) for draw in range(4))
    district = (upto[:, :-1] <= (where * upto[:, -1])[:, None]).sum(axis=1)
    minutes = (later < BOOKED) * (FIRST_AHEAD + (LAST_AHEAD - FIRST_AHEAD) * ahead)
    return Arrival(comes < chance, district, (step + 1) * float(TICK) + minutes)


def _usual(number: Ints, step: Ints, hard: Hardness) -> Floats:
    """Orders expected in a step, but for the fair's; [n]."""
    busy = 0.75 + 0.5 * uniform(number, step // DAY, _BUSY)
    hour = step % DAY * TICK // 60
    return np.asarray(USUAL[hour] * MORE_ORDERS[weather(number, step, hard)] * busy * hard.orders * (TICK / 60))


def _shares(number: Ints, step: Ints) -> Floats:
    """Share of the usual orders from each district, the fair's on top; [n, 8]."""
    day, hour = step // DAY, step % DAY * TICK // 60
    begins = 8 + 10 * uniform(number, day, _FAIR_WHEN)
    fair = (SHARE.shape[1] * uniform(number, day, _FAIR_WHERE)).astype(np.int64)
    share = SHARE[hour]
    share[np.arange(len(hour)), fair] += FAIR_MORE * ((hour >= begins) & (hour < begins + FAIR_HOURS))
    return share
