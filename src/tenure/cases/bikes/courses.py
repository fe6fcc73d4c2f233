"""Other years that might as well have been, for training: calmer ones, and ones that are harder to foresee.

Only the training months are varied, and only from themselves; from September on every course is the real year.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tenure.simulators.replay import bootstrap_days, of_days, scaled, smoothed, warped

from .data import TRAIN_DAYS, WEEK, History

TRAIN_HOURS = TRAIN_DAYS * 24
SEED = 1994
"""Of all variations."""
BLOCK, SEASON = 3.0, 21
"""Mean days of a block, and most days between a day and the one it takes."""
MORE, CLOCK_SD = 1.25, 0.7
"""Hard years have a quarter more demand than what is usual says, at hours moved by about 40 minutes."""
HARD_YEARS = 4


def calmer(past: History) -> History:
    """The year with each training hour's demand the mean of that hour in three weeks."""
    return _with(past, smoothed(past.demand[:TRAIN_HOURS], WEEK, np.random.default_rng(SEED)))


def harder(past: History, number: int) -> History:
    """The year with training days drawn anew (weekday, holiday and season kept), more demand, and its clock bent."""
    rng = np.random.default_rng([SEED, number])
    by_day = slice(0, TRAIN_HOURS, 24)
    kind = past.hour_of_week[by_day] // 24 * 2 + past.working_day[by_day]
    source = bootstrap_days(kind, rng, BLOCK, SEASON)
    demand = of_days(past.demand[:TRAIN_HOURS], source, 24)
    weather = np.concatenate([of_days(past.weather[:TRAIN_HOURS], source, 24), past.weather[TRAIN_HOURS:]])
    return replace(_with(past, warped(scaled(demand, MORE, rng), 24, CLOCK_SD, rng)), weather=weather)


def _with(past: History, demand: np.typing.NDArray[np.integer]) -> History:
    return replace(past, demand=np.concatenate([demand, past.demand[TRAIN_HOURS:]]))
