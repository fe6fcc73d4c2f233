"""The stations as a batch; a station's number decides its chance, so every policy meets the same luck."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenure import Panel, Split, Step
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.chance import uniform
from tenure.core.errors import DataError

from .problem import ALARM, INSPECT
from .station import (
    DARK,
    DAY,
    FOUND,
    LEVELS,
    LIMIT,
    REPAIR,
    SERVICE,
    STRAIN,
    STRONG,
    SURVIVES,
    USUAL,
    WEAK,
    is_night,
    light_chances,
    losses_of_a_stop,
    lost,
    next_demand,
    risks,
)

SPLITS: dict[Split, int] = {"train": 0, "selection": 10**9, "held_out": 2 * 10**9}
"""The first station number of each part; 10^9 numbers lie between, so no station is in two parts."""
STATIONS, DAYS = 512, 28
"""Size of a whole panel."""
START = datetime(2026, 1, 5, tzinfo=UTC)

_RISKS = np.stack([risks(level) for level in LEVELS.values()])
_LIGHTS = np.stack([light_chances(level).cumsum() for level in LEVELS.values()])
_DEMAND = np.stack([next_demand(hour) for hour in range(DAY)]).cumsum(axis=2)
_LOSSES = losses_of_a_stop()
_TO_QUIET = np.array([min(ahead for ahead in range(DAY) if USUAL[(hour + ahead) % DAY] == 0) for hour in range(DAY)])
_PUMPS = np.arange(2)
_DEMAND_USE, _LIGHT_USE, _FAILURE_USE = 0, 1, 3


@dataclass(frozen=True)
class Stations:
    """n stations of two pumps at the start of an hour.

    Args:
        number: whose chance it is; int64 [n].
        hour: hours since a midnight; int64 [n].
        demand: 0 low to 2 high; int64 [n].
        light: of each pump, `DARK` to `FOUND`; int64 [n, 2].
        wear: strain hours since each light came on, 0 where it is dark; int64 [n, 2].
        out: hours of work until each pump runs again, 0 where it runs; int64 [n, 2].
        faulty: what nobody sees; bool [n, 2].
        level: which of `LEVELS`; int64 [n].
    """

    number: Ints
    hour: Ints
    demand: Ints
    light: Ints
    wear: Ints
    out: Ints
    faulty: Bools
    level: Ints


class AlarmsSimulator:
    """Stations whose pumps begin to fail unseen."""

    levels: Mapping[str, Any] = LEVELS

    @cached_property
    def version(self) -> str:
        """Hash of this file and of the tables it steps by."""
        here = Path(__file__)
        text = here.read_bytes() + here.with_name("station.py").read_bytes()
        return hashlib.sha256(text).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Stations:
        """n training stations in good order, at some hour of the day."""
        return _fresh(SPLITS["train"] + rng.integers(0, 10**9, n), rng.integers(0, DAY, n), level)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """512 stations of one part, side by side from midnight over whole days.

        Raises:
            DataError: the days lie outside the 28 of a part.
        """
        days = DAYS - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS:
            found, where = f"{days} days from day {first_day}", "panel of the case 'alarms'"
            raise DataError(
                expected=f"days within the {DAYS} of {split!r}", found=found, where=where, fix="ask for fewer"
            )
        state = _fresh(SPLITS[split] + np.arange(STATIONS), np.full(STATIONS, first_day * DAY), "normal")
        names = tuple(f"station-{number:03d}" for number in range(1, STATIONS + 1))
        return Panel(state, days * DAY, names, START + timedelta(days=first_day), timedelta(hours=1), independent=True)

    def observe(self, state: Stations) -> Floats:
        """What the control room sees; float32 [n, 11]."""
        risk, clock, pump = risk_of(state), state.hour % DAY, first_pump(state)
        columns = [
            *(_of(values, which) for which in (pump, 1 - pump) for values in (risk, state.wear, state.out)),
            state.demand,
            clock,
            is_night(clock),
            _TO_QUIET[clock],
            _LOSSES[clock, state.demand],
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def step(self, state: Stations, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One hour: somebody waits, looks or calls the crew; the pumps run and may fail; the crew works."""
        pump, prevented = first_pump(state)[:, None] == _PUMPS, state.faulty & (action == ALARM)[:, None]
        called = _called(state, action)
        running = (called.out == 0).sum(axis=1)
        worn = np.minimum(called.wear + STRAIN[state.demand, running][:, None], LIMIT)
        stays = SURVIVES[worn] / SURVIVES[called.wear]
        failed = called.faulty & (called.out == 0) & (_draws(state, _FAILURE_USE) >= stays)
        signals = consequences(action, state.hour, state.demand, running, failed.sum(axis=1))
        signals["true_alarms"] = (prevented & pump & (state.out == 0)).any(axis=1).astype(float)
        return Step(_an_hour_later(called, worn, failed), signals, np.zeros(len(action), dtype=bool))


def _fresh(numbers: Ints, hour: Ints, level: str) -> Stations:
    pumps, index = np.zeros((len(numbers), 2), dtype=np.int64), np.full(len(numbers), list(LEVELS).index(level))
    demand = USUAL[hour % DAY]
    return Stations(numbers, hour, demand, pumps, pumps, pumps, pumps.astype(bool), index)


def _called(state: Stations, action: Ints) -> Stations:
    """An alarm stops a pump and takes its fault away; an inspection finds the fault, or puts the light out."""
    first, runs = first_pump(state), state.out == 0
    stopped = (first[:, None] == _PUMPS) & (action == ALARM)[:, None] & runs
    unknown = np.where(_of(state.light, first) == FOUND, 1 - first, first)
    lit = (state.light == WEAK) | (state.light == STRONG)
    looked = (unknown[:, None] == _PUMPS) & (action == INSPECT)[:, None] & runs & lit
    light = np.where(stopped, DARK, np.where(looked, state.faulty * FOUND, state.light))
    wear, out = np.where(light == DARK, 0, state.wear), np.where(stopped, SERVICE, state.out)
    return replace(state, light=light, wear=wear, out=out, faulty=state.faulty & ~stopped)


def _an_hour_later(state: Stations, worn: Ints, failed: Bools) -> Stations:
    """The pumps at the end of an hour: lights go on, come on or go out, and the crew has worked."""
    runs = state.out == 0
    behind = (_LIGHTS[state.level][:, None, :] <= _draws(state, _LIGHT_USE)[:, :, None]).sum(axis=2)
    comes = runs & (state.light == DARK) & (behind < _LIGHTS.shape[1])
    goes_on = runs & (state.light != DARK) & (worn < LIMIT) & ~failed
    return replace(
        state,
        hour=state.hour + 1,
        demand=_drawn(_DEMAND[(state.hour + 1) % DAY, state.demand], uniform(state.number, state.hour, _DEMAND_USE)),
        light=np.where(goes_on, state.light, np.where(comes, WEAK + behind // 2, DARK)),
        wear=np.where(goes_on, worn, 0),
        out=np.where(failed, REPAIR, state.out - worked_on(state.out)),
        faulty=(goes_on & state.faulty) | (comes & (behind % 2 == 1)),
    )


def risk_of(state: Stations) -> Floats:
    """Probability that each pump is faulty, given its light, its wear and what was found; [n, 2]."""
    return np.asarray(_RISKS[state.level[:, None], state.light, state.wear])


def first_pump(state: Stations) -> Ints:
    """The pump an alarm would stop: of those that run the one at more risk, of two known faults the more worn; [n]."""
    order = np.where(state.out == 0, risk_of(state) + 1e-6 * state.wear, -1.0)
    return np.asarray(order[:, 1] > order[:, 0]).astype(np.int64)


def worked_on(out: Ints) -> Ints:
    """1 for the pump the crew works on, of two that stand the one that runs again sooner; [n, 2]."""
    least = np.where(out > 0, out, REPAIR + 1).argmin(axis=1)
    return np.asarray((least[:, None] == _PUMPS) & (out > 0)).astype(np.int64)


def consequences(action: Ints, hour: Ints, demand: Ints, running: Ints, failed: Ints) -> dict[str, Floats]:
    """The signals of an hour but for what nobody sees; each [n].

    Args:
        action: taken.
        hour: since a midnight.
        demand: of this hour.
        running: pumps that run in this hour.
        failed: how many of them fail at its end.
    """
    stopped, inspected = action == ALARM, action == INSPECT
    signals = {
        "failures": failed,
        "alarms": stopped,
        "inspections": inspected,
        "night_calls": (stopped | inspected) & is_night(hour % DAY),
        "lost_units": lost(demand, running),
    }
    return {name: np.asarray(values, dtype=float) for name, values in signals.items()}


def _of(values: Any, pump: Ints) -> Any:
    """The value of one pump of each station; [n]."""
    return values[np.arange(len(pump)), pump]


def _draws(state: Stations, use: int) -> Floats:
    """A draw for each pump; [n, 2]."""
    return np.stack([uniform(state.number, state.hour, use + pump) for pump in range(2)], axis=1)


def _drawn(chances: Floats, draw: Floats) -> Ints:
    """An index for each row of cumulated chances; [n]."""
    return np.asarray((chances[:, :-1] <= draw[:, None]).sum(axis=1))


simulator = AlarmsSimulator()
