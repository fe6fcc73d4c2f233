"""The pumps as a batch; a pump's number decides its chance, so every policy meets the same faults and readings."""

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

from .problem import ALARM, INSPECT, SERVICE, SHIFT

DAY = 2 * SHIFT
FAILURE_CHANCE = np.array([0.01, 0.03, 0.05])
"""Chance that a faulty pump fails within an hour, at each load."""
OUTPUT = np.array([5.0, 80.0, 200.0])
"""Units an hour at each load."""
NEXT_LOAD = np.array([[0.8, 0.2, 0.0], [0.2, 0.6, 0.2], [0.0, 0.2, 0.8]])
"""Chance of the next hour's load, row by row from this hour's."""
SPLITS: dict[Split, int] = {"train": 0, "selection": 10**9, "held_out": 2 * 10**9}
"""The first pump number of each part; 10^9 numbers lie between, so no pump is in two parts."""
PUMPS, DAYS = 256, 28
"""Size of a whole panel."""
START = datetime(2026, 1, 5, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Level:
    """How hard a pump is to judge.

    Args:
        fault_chance: that a fault begins within an hour.
        healthy, faulty: chance of each vibration class on a healthy and on a faulty pump; [5] each.
    """

    fault_chance: float
    healthy: tuple[float, ...]
    faulty: tuple[float, ...]


LEVELS = {
    "easy": Level(0.015, (0.45, 0.30, 0.17, 0.06, 0.02), (0.05, 0.12, 0.20, 0.28, 0.35)),
    "normal": Level(0.015, (0.40, 0.30, 0.17, 0.09, 0.04), (0.10, 0.17, 0.23, 0.25, 0.25)),
    "hard": Level(0.02, (0.34, 0.28, 0.20, 0.12, 0.06), (0.15, 0.20, 0.24, 0.23, 0.18)),
}
_FAULT_CHANCE = np.array([level.fault_chance for level in LEVELS.values()])
_READINGS = np.array([[level.healthy, level.faulty] for level in LEVELS.values()])


@dataclass(frozen=True)
class Pumps:
    """n pumps at the start of an hour.

    Args:
        number: whose chance it is; int64 [n].
        hour: hours since the start, which is 06:00 after a planned service; int64 [n].
        load: 0 low to 2 high; int64 [n].
        faulty: what nobody sees; bool [n].
        risk: probability of a fault given all that was seen; float64 [n].
        reading: vibration class, 0 to 4; int64 [n].
        level: which of `LEVELS`; int64 [n].
    """

    number: Ints
    hour: Ints
    load: Ints
    faulty: Bools
    risk: Floats
    reading: Ints
    level: Ints


class AlarmsSimulator:
    """Pumps that begin to fail unseen."""

    levels: Mapping[str, Any] = LEVELS

    @cached_property
    def version(self) -> str:
        """Hash of this file."""
        return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Pumps:
        """n training pumps, each just serviced at some hour of the four days between planned services."""
        return self._pumps(SPLITS["train"] + rng.integers(0, 10**9, n), rng.integers(0, SERVICE, n), level)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """256 pumps of one part, side by side from 06:00 over whole days.

        Raises:
            DataError: the days lie outside the 28 of a part.
        """
        days = DAYS - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > DAYS:
            found, where = f"{days} days from day {first_day}", "panel of the case 'alarms'"
            raise DataError(
                expected=f"days within the {DAYS} of {split!r}", found=found, where=where, fix="ask for fewer"
            )
        state = self._pumps(SPLITS[split] + np.arange(PUMPS), np.full(PUMPS, first_day * DAY), "normal")
        names = tuple(f"pump-{number:03d}" for number in range(1, PUMPS + 1))
        return Panel(state, days * DAY, names, START + timedelta(days=first_day), timedelta(hours=1), independent=True)

    def observe(self, state: Pumps) -> Floats:
        """What the control room sees; float32 [n, 7]."""
        change, service = SHIFT - state.hour % SHIFT, SERVICE - state.hour % SERVICE
        risk = np.clip(state.risk, 1e-4, 1 - 1e-4)
        evidence = np.log(risk / (1 - risk))
        columns = [state.risk, state.reading, state.load, is_night(state.hour), change, service, evidence]
        return np.stack(columns, axis=1).astype(np.float32)

    def step(self, state: Pumps, action: Ints, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One hour: the pump fails or not, is stopped or not; then a fault may begin and the sensor reads."""
        stopped, inspected = action == ALARM, action == INSPECT
        failed = state.faulty & ~stopped & (self._draw(state, 0) < FAILURE_CHANCE[state.load])
        signals = consequences(action, state.load, is_night(state.hour), failed)
        signals["true_alarms"] = (stopped & state.faulty).astype(float)
        mended = stopped | failed | (state.hour % SERVICE == SERVICE - 1)
        known = np.where(inspected, state.faulty.astype(float), survived(state.risk, state.load))
        faulty = (state.faulty & ~mended) | (self._draw(state, 1) < _FAULT_CHANCE[state.level])
        after = replace(
            state,
            hour=state.hour + 1,
            load=_drawn(NEXT_LOAD[state.load], self._draw(state, 2)),
            faulty=faulty,
            risk=ageing(np.where(mended, 0.0, known), state.level),
        )
        return Step(self._read(after), signals, np.zeros(len(action), dtype=bool))

    def _pumps(self, numbers: Ints, hour: Ints, level: str) -> Pumps:
        n, index = len(numbers), np.full(len(numbers), list(LEVELS).index(level))
        blank = Pumps(numbers, hour, hour, np.zeros(n, dtype=bool), np.zeros(n), hour, index)
        faulty = self._draw(blank, 1) < _FAULT_CHANCE[index]
        load = np.asarray(self._draw(blank, 4) * len(OUTPUT)).astype(np.int64)
        return self._read(replace(blank, faulty=faulty, load=load, risk=ageing(blank.risk, index)))

    def _read(self, state: Pumps) -> Pumps:
        """The sensor's reading of this hour, and the risk after it."""
        reading = _drawn(_READINGS[state.level, state.faulty.astype(int)], self._draw(state, 3))
        return replace(state, reading=reading, risk=after_reading(state.risk, reading, state.level))

    def _draw(self, state: Pumps, use: int) -> Floats:
        return uniform(state.number, state.hour, use)


def is_night(hour: Ints) -> Bools:
    """The night shift has it; [n]."""
    return np.asarray(hour % DAY >= SHIFT)


def consequences(action: Ints, load: Ints, night: Bools, failed: Bools) -> dict[str, Floats]:
    """The signals of an hour but for what nobody sees; each [n]."""
    stopped, inspected = action == ALARM, action == INSPECT
    signals = {
        "failures": failed,
        "alarms": stopped,
        "inspections": inspected,
        "night_calls": (stopped | inspected) & night,
        "lost_units": OUTPUT[load] * (stopped | failed),
    }
    return {name: np.asarray(values, dtype=float) for name, values in signals.items()}


def survived(risk: Floats, load: Ints) -> Floats:
    """Probability of a fault in a pump that ran for an hour and did not fail; Bayes' rule."""
    return np.asarray(risk * (1 - FAILURE_CHANCE[load]) / (1 - risk * FAILURE_CHANCE[load]))


def ageing(risk: Floats, level: Ints) -> Floats:
    """Probability of a fault an hour later, since one may have begun."""
    return np.asarray(risk + (1 - risk) * _FAULT_CHANCE[level])


def reading_chances(risk: Floats, level: Ints) -> Floats:
    """Chance of each vibration class before the sensor reads; [n, 5]."""
    return np.asarray((1 - risk)[:, None] * _READINGS[level, 0] + risk[:, None] * _READINGS[level, 1])


def after_reading(risk: Floats, reading: Ints, level: Ints) -> Floats:
    """Probability of a fault once the sensor has read; Bayes' rule."""
    faulty, healthy = risk * _READINGS[level, 1, reading], (1 - risk) * _READINGS[level, 0, reading]
    return np.asarray(faulty / (faulty + healthy))


def _drawn(chances: Floats, draw: Floats) -> Ints:
    """An index for each row of chances; [n]."""
    return np.asarray((chances.cumsum(axis=1)[:, :-1] <= draw[:, None]).sum(axis=1))


simulator = AlarmsSimulator()
