"""Towns as a batch; the number of a town decides its chance, so every policy meets the same orders and roads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.chance import uniform
from tenure.core.errors import DataError

from .orders import DAY, LAST_AHEAD, TICK, Hardness, arrivals, jam, weather
from .problem import LISTED, LOAD, NOWHERE, RETURN, SLOTS, VANS, WINDOW
from .town import BRIDGE, DEPOT, DISTRICTS, EAST, SOUTH, drive_minutes

SPLITS: dict[Split, int] = {"train": 0, "selection": 10**9, "held_out": 2 * 10**9}
"""The first town number of each part; 10^9 numbers lie between, so no town is in two parts."""
DAYS: dict[Split, int] = {"train": 7, "selection": 7, "held_out": 14}
TOWNS = 32
"""Of each panel."""
START = datetime(2026, 1, 5, tzinfo=UTC)
RELOAD, SERVICE, MORE_SERVICE = 5.0, 4.0, 4.0
"""Minutes to fill a van at the depot; at a door, at least; and on top of it, at most."""
ROUGH = 0.2
"""A drive takes up to so much less or more than usual, as a share."""
FADES = np.float32(0.92)
"""What is left of the count of recent orders after a step: it halves in about forty minutes."""
HOUR = 60 // TICK
"""Steps of an hour."""
BEGINS = (5, 15)
"""Training towns begin between these hours: half a day later most of the evening's queue is gone."""
NONE = np.inf
"""Stands for the window of no order."""
_ROUGH_ROAD, _AT_THE_DOOR = 0, 1
_DISTRICTS: Ints = np.arange(1, len(DISTRICTS) + 1)


@dataclass(frozen=True)
class Level:
    """How hard a town is: times as many orders, and the chances of rain and of snow in any six hours."""

    orders: float
    rain: float
    snow: float


@dataclass(frozen=True)
class Towns:
    """n towns with their vans and listed orders.

    Args:
        number: whose chance it is; int64 [n].
        step: steps of five minutes since the first midnight; int64 [n].
        opens: minute in which each listed order's window opens, inf where there is none; float64 [n, 8, 6].
        recent: orders of late in each district; float32 [n, 8].
        place: where each van is, or where it is driving to; int64 [n, vans].
        free_at: minute in which each van is done there; float64 [n, vans].
        load: crates left in each van; int64 [n, vans].
        orders, rain, snow: see `Level`; float64 [n].
        queue: the vans' numbers, the one free longest first; int64 [n, vans].
        reach: districts with an order, the one whose door opens first for that van in front; int64 [n, 6].
        doors: minutes until then, inf where there is no such order; float64 [n, 6].
    """

    number: Ints
    step: Ints
    opens: Floats
    recent: Floats
    place: Ints
    free_at: Floats
    load: Ints
    orders: Floats
    rain: Floats
    snow: Floats
    queue: Ints
    reach: Ints
    doors: Floats

    @property
    def hardness(self) -> Hardness:
        """What the level made of each town."""
        return Hardness(self.orders, self.rain, self.snow)


@dataclass(frozen=True)
class _Job:
    """What the van that was asked about does: where to, minutes driven, at the door, done, out, parked; [n] each."""

    goes: Bools
    returns: Bools
    to: Ints
    drive: Floats
    door: Floats
    done: Floats
    out: Floats
    parked: Floats


class DeliverySimulator:
    """Orders, weather and roads come as they come; what the policy does decides where the vans are."""

    levels: Mapping[str, Any] = {
        "easy": Level(0.8, 0.15, 0.0),
        "normal": Level(1.0, 0.25, 0.05),
        "hard": Level(1.15, 0.35, 0.15),
    }

    @cached_property
    def version(self) -> str:
        """Hash of the files that make the world."""
        parts = [Path(__file__).parent / name for name in ("simulator.py", "orders.py", "town.py")]
        return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Towns:
        """n training towns on random days, empty lists, all vans at the depot; not at night, when little comes."""
        numbers = SPLITS["train"] + TOWNS + rng.integers(0, 10**9 - TOWNS, n)
        step = DAY * rng.integers(0, 7, n) + rng.integers(HOUR * BEGINS[0], HOUR * BEGINS[1], n)
        return self._towns(numbers, step, level)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """32 towns of one part, side by side from midnight over whole days.

        Raises:
            DataError: the days lie outside that part.
        """
        days = DAYS[split] - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS[split]:
            raise DataError(
                expected=f"days within the {DAYS[split]} of {split!r}",
                found=f"{days} days from day {first_day}",
                where="panel of the case 'delivery'",
                fix="ask for fewer days",
            )
        state = self._towns(SPLITS[split] + np.arange(TOWNS), np.full(TOWNS, first_day * DAY), "normal")
        names = tuple(f"town-{number:02d}" for number in range(1, TOWNS + 1))
        started_at = START + timedelta(days=first_day)
        return Panel(state, days * DAY, names, started_at, timedelta(minutes=TICK), independent=True)

    def observe(self, state: Towns) -> Floats:
        """What the dispatcher sees; van 1 is the one that is asked about; float32 [n, features]."""
        now, hour, sky, lost = _times(state)
        rows = np.arange(len(now))[:, None]
        place, free_at = state.place[rows, state.queue], state.free_at[rows, state.queue]
        angle = 2 * np.pi * (state.step % DAY) / DAY
        own = (
            np.sin(angle),
            np.cos(angle),
            sky,
            lost,
            jam(state.number, state.step + HOUR, state.hardness),
            (free_at <= now[:, None]).sum(axis=1),
            (place != DEPOT).sum(axis=1),
            (state.opens.reshape(len(now), -1) <= now[:, None]).sum(axis=1),
        )
        vans = (np.maximum(free_at - now[:, None], 0.0), state.load[rows, state.queue], EAST[place], SOUTH[place])
        some, to = state.doors < NONE, state.reach + 1
        usual = drive_minutes(place[:, :1], to, hour[:, None], sky[:, None], lost[:, None])
        since = np.maximum(now[:, None] - _first(state.opens)[rows, state.reach], -LAST_AHEAD)
        slots = (
            np.where(some, state.doors, NOWHERE),
            np.where(some, usual, NOWHERE),
            some & BRIDGE[place[:, :1], to],
            np.where(some, since, -LAST_AHEAD),
            _listed(state.opens)[rows, state.reach],
            sum(to == place[:, [van]] for van in range(1, VANS)),
            state.recent[rows, state.reach],
            EAST[to] * some,
            SOUTH[to] * some,
        )
        return np.concatenate((np.stack(own, axis=1), *vans, *slots), axis=1, dtype=np.float32)

    def mask(self, state: Towns) -> Bools:
        """Orders in reach while a free van has something to bring; to wait; to return; bool [n, 8]."""
        asked = np.arange(len(state.step)), state.queue[:, 0]
        free = state.free_at[asked] <= state.step * TICK
        allowed = np.ones((len(free), SLOTS + 2), dtype=bool)
        allowed[:, :SLOTS] = (state.doors < NONE) & (free & (state.load[asked] > 0))[:, None]
        allowed[:, RETURN] = free & (state.place[asked] != DEPOT)
        return allowed

    def step(self, state: Towns, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """Five minutes: one van is sent off or not, who waits waits on, new orders come; the chance is the town's."""
        now, rows = state.step * float(TICK), np.arange(len(action))
        district = state.reach[rows, np.minimum(action, SLOTS - 1)]
        slot = state.opens[rows, district].argmin(axis=1)
        window = np.where(action < SLOTS, state.opens[rows, district, slot], now)
        job = _job(state, action, district, window)
        opens = state.opens.copy()
        opens[rows[job.goes], district[job.goes], slot[job.goes]] = NONE
        waited, overdue = _waiting(opens, now)
        came, turned_away, recent = _arrive(state, opens)
        signals = {
            "orders": came,
            "turned_away": turned_away,
            "delivered": job.goes.astype(float),
            "waiting_minutes": waited + job.goes * (job.door - np.maximum(window, now)),
            "late_minutes": overdue + job.goes * np.maximum(job.door - np.maximum(window + WINDOW, now), 0.0),
            "late": (job.goes & (job.door > window + WINDOW)).astype(float),
            "driven_minutes": job.drive,
            "van_minutes": job.out,
            "parked_minutes": job.parked,
        }
        after = replace(_after(state, job), step=state.step + 1, opens=opens, recent=recent)
        return Step(_ranked(after), signals, np.zeros(len(now), dtype=bool))

    def _towns(self, numbers: Ints, step: Ints, level: str) -> Towns:
        n, hardness = len(numbers), self.levels[level]
        fresh = Towns(
            number=numbers,
            step=step,
            opens=np.full((n, len(DISTRICTS), LISTED), NONE),
            recent=np.zeros((n, len(DISTRICTS)), dtype=np.float32),
            place=np.full((n, VANS), DEPOT),
            free_at=np.repeat((step * float(TICK))[:, None], VANS, axis=1),
            load=np.full((n, VANS), LOAD),
            orders=np.full(n, hardness.orders),
            rain=np.full(n, hardness.rain),
            snow=np.full(n, hardness.snow),
            queue=np.zeros((n, VANS), dtype=np.int64),
            reach=np.zeros((n, SLOTS), dtype=np.int64),
            doors=np.full((n, SLOTS), NONE),
        )
        return _ranked(fresh)


def _job(state: Towns, action: Ints, district: Ints, window: Floats) -> _Job:
    """The way of the van that is asked about; one that is not free goes on with what it does."""
    now, hour, sky, lost = _times(state)
    asked = np.arange(len(action)), state.queue[:, 0]
    place, since = state.place[asked], state.free_at[asked]
    goes, returns, free = action < SLOTS, action == RETURN, since <= now
    to = np.where(goes, district + 1, np.where(returns, DEPOT, place))
    rough = 1 - ROUGH + 2 * ROUGH * uniform(state.number, state.step, _ROUGH_ROAD)
    drive = (goes | returns) * drive_minutes(place, to, hour, sky, lost) * rough
    door = np.maximum(now + drive, window)
    served = door + SERVICE + MORE_SERVICE * uniform(state.number, state.step, _AT_THE_DOOR)
    done = np.where(goes, served, np.where(returns, now + drive + RELOAD, np.where(free, now + TICK, since)))
    away = place != DEPOT
    moves = np.where(goes, done - now, returns * drive)
    parked = free * away * (now - since + TICK * ~(goes | returns))
    return _Job(goes, returns, to, drive, door, done, free * moves + parked, parked)


def _after(state: Towns, job: _Job) -> Towns:
    """The vans after one of them got its job."""
    asked = np.arange(len(job.to)), state.queue[:, 0]
    place, free_at, load = state.place.copy(), state.free_at.copy(), state.load.copy()
    place[asked], free_at[asked] = job.to, job.done
    load[asked] = np.where(job.returns, LOAD, load[asked] - job.goes)
    return replace(state, place=place, free_at=free_at, load=load)


def _waiting(opens: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Minutes that listed orders wait in this step with their window open, and those after it closed; [n] each."""
    waited = (now[:, None] + TICK) - opens.reshape(len(now), -1)
    overdue = np.minimum(np.maximum(waited - WINDOW, 0.0), TICK)
    return np.minimum(np.maximum(waited, 0.0), TICK).sum(axis=1), overdue.sum(axis=1)


def _arrive(state: Towns, opens: Floats) -> tuple[Floats, Floats, Floats]:
    """New orders, written into free places of `opens`: how many came, how many found none, and the recent ones."""
    rows, recent = np.arange(len(state.step)), state.recent * FADES
    came, away = np.zeros(len(rows)), np.zeros(len(rows))
    for new in arrivals(state.number, state.step, state.hardness):
        place = opens[rows, new.district].argmax(axis=1)
        fits = new.comes & (opens[rows, new.district, place] == NONE)
        opens[rows[fits], new.district[fits], place[fits]] = new.opens[fits]
        recent[rows, new.district] += new.comes
        came, away = came + new.comes, away + (new.comes & ~fits)
    return came, away, recent


def _ranked(state: Towns) -> Towns:
    """The same towns with their vans and orders in the order in which they are seen."""
    now, hour, sky, lost = _times(state)
    rows, queue = np.arange(len(now))[:, None], state.free_at.argsort(axis=1, kind="stable")
    drive = drive_minutes(state.place[rows, queue[:, :1]], _DISTRICTS, hour[:, None], sky[:, None], lost[:, None])
    doors = np.maximum(drive, _first(state.opens) - now[:, None])
    reach = doors.argsort(axis=1, kind="stable")[:, :SLOTS]
    return replace(state, queue=queue, reach=reach, doors=doors[rows, reach])


def _first(opens: Floats) -> Floats:
    """Minute in which the first window of each district opens; [n, 8]. Slice by slice is faster than `min` here."""
    return reduce(np.minimum, (opens[:, :, place] for place in range(LISTED)))


def _listed(opens: Floats) -> Ints:
    """Orders listed in each district; [n, 8]."""
    found: Ints = reduce(np.add, ((opens[:, :, place] < NONE).astype(np.int64) for place in range(LISTED)))
    return found


def _times(state: Towns) -> tuple[Floats, Ints, Ints, Floats]:
    """Minute since the first midnight, hour of the day, weather and minutes lost at the bridge; [n] each."""
    number, step, hard = state.number, state.step, state.hardness
    return step * float(TICK), step % DAY * TICK // 60, weather(number, step, hard), jam(number, step, hard)


simulator = DeliverySimulator()
