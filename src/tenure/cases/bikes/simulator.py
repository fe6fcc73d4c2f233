"""The districts as a batch: real demand, trucks that take two hours, bikes that run out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.trajectories import Trajectories

from .courses import HARD_YEARS, calmer, harder
from .data import AHEAD, CSV, DAYS, DISTRICTS, HOURS, START, TRAIN_DAYS, History, history
from .problem import MOST, problem

SPLITS: dict[str, tuple[int, int]] = {
    "train": (0, TRAIN_DAYS),
    "selection": (TRAIN_DAYS, TRAIN_DAYS + 30),
    "held_out": (TRAIN_DAYS + 30, DAYS),
}
"""First day and the day after the last: January to August, September, October to December."""
OWN = 2
"""Features that a district's own bikes make: stock and on the way; all others come from outside."""
RECENT = [at - OWN for at, name in enumerate(problem.feature_names) if name.startswith("recent")]
"""Where recent demand stands among those."""
UNKNOWN_WEATHER = [feature.default for feature in problem.observation if feature.default is not None]
"""What stands for the weather before the year's first hour: the same defaults as in a request without it."""


@dataclass(frozen=True)
class Districts:
    """n districts at one hour each.

    Args:
        hour: hour of the year; int64 [n].
        district: which district; int64 [n].
        stock: bikes standing there; float64 [n].
        on_the_way: last hour's move, arriving in an hour; float64 [n], negative is a pick-up.
        course: which year it lives in, 0 the real one (see `_years`); int64 [n].
        surge: what demand is multiplied by; float64 [n], 1 as it was.
        shut: share of a truck's room that cannot be used; float64 [n], 0 as it was.
    """

    hour: Ints
    district: Ints
    stock: Floats
    on_the_way: Floats
    course: Ints
    surge: Floats
    shut: Floats


@dataclass(frozen=True)
class Level:
    """How hard the training worlds are.

    Args:
        courses: the years they live in, 0 the real one; each equally likely.
        most_stock: the most bikes a district starts with.
    """

    courses: tuple[int, ...] = (0,)
    most_stock: int = 40


class BikesSimulator:
    """Replays the year's real demand; the policy's moves decide only where the bikes stand."""

    levels: Mapping[str, Any] = {
        "easy": Level(courses=(1,)),
        "normal": Level(),
        "hard": Level(courses=tuple(range(2, 2 + HARD_YEARS))),
    }

    @cached_property
    def version(self) -> str:
        """Hash of this file, of courses.py, of data.py and of the data."""
        here = Path(__file__).parent
        parts = [path.read_bytes() for path in (here / "simulator.py", here / "courses.py", here / "data.py", CSV)]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:12]

    @cached_property
    def past(self) -> History:
        """The year's data."""
        return history()

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Districts:
        """n districts at random hours of January to August, with random stocks."""
        latest = TRAIN_DAYS * 24 - problem.horizon
        most, courses = self.levels[level].most_stock, self.levels[level].courses
        start = Districts(
            hour=rng.integers(24, latest, n),
            district=rng.integers(0, DISTRICTS, n),
            stock=rng.integers(0, most + 1, n).astype(float),
            on_the_way=np.zeros(n),
            **_as_it_was(n),
        )
        return start if courses == (0,) else replace(start, course=rng.choice(courses, n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """All districts side by side over whole days of one part of the year.

        Raises:
            DataError: the days lie outside that part.
        """
        begin, end = SPLITS[split]
        days = end - begin - first_day if days is None else days
        _check_days(first_day, days, end - begin, repr(split))
        return self.stretch(begin + first_day, days)

    def stretch(self, first_day: int, days: int) -> Panel:
        """All districts over any whole days of the year, starting with three usual hours' worth of bikes.

        Raises:
            DataError: the days lie outside the year.
        """
        _check_days(first_day, days, DAYS, "the year")
        hour = first_day * 24
        start = Districts(
            hour=np.full(DISTRICTS, hour),
            district=np.arange(DISTRICTS),
            stock=np.rint(self.past.usual[hour : hour + 3].sum(axis=0)),
            on_the_way=np.zeros(DISTRICTS),
            **_as_it_was(DISTRICTS),
        )
        names = tuple(f"district-{number:02d}" for number in range(1, DISTRICTS + 1))
        return Panel(start, days * 24, names, START + timedelta(hours=hour), timedelta(hours=1))

    unaffected = tuple(name for name in (*problem.feature_names, "requests") if name not in ("stock", "on_the_way"))
    """What no truck changes: the calendar, the weather and who wants a bike."""

    def replayed(self, log: Trajectories) -> Panel:
        """The districts of a log from its first hour, with the bikes that stood there; the demand is the year's own.

        Raises:
            DataError: episodes that are no districts, hours without a time, gaps, or hours outside the year.
        """
        names = tuple(f"district-{number:02d}" for number in range(1, DISTRICTS + 1))
        steps = len(log) // max(log.episodes, 1)
        first = np.flatnonzero(np.diff(log.episode, prepend=-1))
        known = log.at is not None and set(log.world) <= set(names) and len(log) == steps * log.episodes
        if not known or (log.following >= 0).sum() != len(log) - log.episodes or len(np.unique(log.at[first])) != 1:
            raise _not_replayed(f"{log.episodes} episodes of {sorted(set(log.world))[:3]} ...")
        started_at = log.at[first[0]].item().replace(tzinfo=UTC)
        hour = (started_at - START) // timedelta(hours=1)
        if hour < 0 or hour + steps > HOURS:
            raise _not_replayed(f"hours from {started_at:%Y-%m-%d %H:%M}")
        district = np.array([names.index(name) for name in log.world])
        stock, on_the_way = (log.feature(name)[first] for name in ("stock", "on_the_way"))
        state = Districts(np.full(len(district), hour), district, stock, on_the_way, **_as_it_was(len(district)))
        return Panel(state, steps, log.world, started_at, timedelta(hours=1))

    def observe(self, state: Districts) -> Floats:
        """What the dispatcher sees; float32 [n, features]."""
        own = np.stack([state.stock, state.on_the_way], axis=1)
        # After the year's last hour nobody decides any more; its own features stand in.
        seen = self._surging(state, self._of_course("_seen", state, np.minimum(state.hour, HOURS - 1)))
        return np.concatenate([own, seen], axis=1, dtype=np.float32)

    def step(self, state: Districts, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One hour: people rent what stands there, then last hour's truck arrives."""
        requests = np.rint(self._of_course("_demand", state, state.hour) * state.surge)
        rented = np.minimum(requests, state.stock)
        left = state.stock - rented
        moved = np.maximum(state.on_the_way, -left)
        room = np.floor(MOST * (1 - state.shut))
        ordered = np.clip(action - float(MOST), -room, room)
        after = replace(state, hour=state.hour + 1, stock=left + moved, on_the_way=ordered)
        signals = {
            "requests": requests,
            "lost_rentals": requests - rented,
            "bikes_moved": np.abs(moved),
            "idle_bikes": left,
        }
        return Step(after, signals, np.zeros(len(requests), dtype=bool))

    def shocked(self, state: Districts, factor: float) -> Districts:
        """The same districts with demand times `factor` from now on; recent demand is told as if it always had been."""
        return replace(state, surge=np.full(len(state.hour), float(factor)))

    def obstructed(self, state: Districts, share: float) -> Districts:
        """The same districts with that share of every truck's room out of use from now on."""
        return replace(state, shut=np.full(len(state.hour), float(share)))

    def _of_course(self, table: Literal["_seen", "_demand"], state: Districts, hour: Ints) -> Floats:
        """What a table of each district's year says at an hour; [n], or [n, features]."""
        real = self._seen if table == "_seen" else self.past.demand
        if not state.course.any():
            return np.asarray(real[hour, state.district])
        years = self._years_seen if table == "_seen" else self._years_demand
        return np.asarray(years[state.course, hour, state.district])

    @cached_property
    def _years(self) -> tuple[History, ...]:
        """The real year, a calmer one, and harder ones."""
        return (self.past, calmer(self.past), *(harder(self.past, number) for number in range(HARD_YEARS)))

    @cached_property
    def _years_demand(self) -> Ints:
        return np.stack([year.demand for year in self._years])

    @cached_property
    def _years_seen(self) -> Floats:
        return np.stack([_outside(year) for year in self._years])

    @cached_property
    def _seen(self) -> Floats:
        return _outside(self.past)

    def _surging(self, state: Districts, seen: Floats) -> Floats:
        if (state.surge == 1).all():
            return seen
        seen = seen.copy()
        seen[:, RECENT] = np.minimum(seen[:, RECENT] * state.surge[:, None], 5.0)
        return seen


def _outside(past: History) -> Floats:
    """Everything the policy cannot change, for each hour and district; float32 [hours, districts, features]."""
    usual = [past.usual[ahead : HOURS + ahead] for ahead in range(AHEAD + 1)]
    recent = [_recent(past.demand, past.usual[:HOURS], hours) for hours in (1, 2, 3, 24)]
    hour, weekday = past.hour_of_week % 24, past.hour_of_week // 24
    before = np.vstack([UNKNOWN_WEATHER, past.weather[:-1]])
    per_hour = np.stack([hour, weekday, past.working_day, *before.T], axis=1)
    everywhere = np.broadcast_to(per_hour[:, None], (HOURS, DISTRICTS, per_hour.shape[1]))
    size = np.broadcast_to(past.size, (HOURS, DISTRICTS))
    columns = [*usual, *recent, *np.moveaxis(everywhere, 2, 0), size]
    return np.stack(columns, axis=2).astype(np.float32)


def _not_replayed(found: str) -> DataError:
    return DataError(
        expected="hour after hour of districts in 2011, all from the same hour on",
        found=found,
        where="the log, for the case 'bikes'",
        fix="export whole episodes with episode_id, step and decided_at",
    )


def _as_it_was(n: int) -> dict[str, Any]:
    return {"course": np.zeros(n, dtype=np.int64), "surge": np.ones(n), "shut": np.zeros(n)}


def _check_days(first_day: int, days: int, available: int, where: str) -> None:
    if first_day < 0 or days < 1 or first_day + days > available:
        raise DataError(
            expected=f"days within the {available} of {where}",
            found=f"{days} days from day {first_day}",
            where="panel of the case 'bikes'",
            fix="ask for fewer days",
        )


def _recent(demand: Ints, usual: Floats, hours: Literal[1, 2, 3, 24]) -> Floats:
    """Demand of the last so many hours over their usual, one bike added to both, at most 5; [hours, districts]."""

    def last(values: Floats | Ints) -> Floats:
        total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
        begin = np.maximum(np.arange(len(values)) - hours, 0)
        return np.asarray(total[:-1] - total[begin])

    return np.minimum((last(demand) + 1) / (last(usual) + 1), 5.0)


simulator = BikesSimulator()
