"""Monitors on 100 simulated months in which nothing changes, on a grid of changes, and how fast they read a log.

    python -m benchmarks.monitors [--months 100] [--repeats 20]
    python -m benchmarks.monitors --speed

A simulated month is 14 days of reference and 30 days that are watched (`watched_world.py`). Prints false alarms per
month for each monitor, and for each change of the grid how many runs found it, by the monitors that are meant to and by
any, with the median delay in hours. With `--speed` it writes logs instead and measures decisions per second, each read
in a process of its own so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.watched_world import (
    CHANGE_H,
    EXPLORATION,
    GRID,
    NOTHING,
    PROBLEM,
    REFERENCE_DAYS,
    START_H,
    WATCHED_DAYS,
    Change,
    World,
)
from tenure.core.decision import Arm, Decision, Outcome
from tenure.monitoring import Alarm, Limits, Monitor, step
from tenure.monitoring.alarms import events_of, moment_of, untold
from tenure.store import SqliteStore

WAIT, COOL_DOWN = timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(false_alarms=1.0, reference_days=REFERENCE_DAYS, wait=WAIT)
SIZES = (100_000, 200_000)
FIRST_SEED = 500
"""Of what is printed; `TOUCHY` was set on seeds from 2,000 on."""


def watched(seed: int, change: Change = NOTHING) -> list[Alarm]:
    """All alarms of a month, in order."""
    monitor = Monitor(PROBLEM, LIMITS, EXPLORATION)
    return [alarm for rows in World(seed, change).hours() for alarm in monitor.update(rows)]


def alerts(alarms: Sequence[Alarm]) -> int:
    """How often people are called for these alarms."""
    return len(events_of(PROBLEM.name, untold(alarms, [], COOL_DOWN), moment_of(START_H), ""))


def delays(change: Change, seeds: Sequence[int]) -> tuple[list[float], list[float]]:
    """Hours until a monitor that is meant to speaks, and until any; infinite where none does within the month.

    A candidate that is worse is so from the first hour, so it is timed from there.
    """
    found = [_delay(change, seed) for seed in seeds]
    return [meant for meant, _ in found], [any_ for _, any_ in found]


def _delay(change: Change, seed: int) -> tuple[float, float]:
    first = 0 if change.candidate else CHANGE_H
    monitor, world = deepcopy(_ready(seed, first))
    world.change, begin, soonest = change, START_H + first, np.inf
    for rows in world.hours(first):
        for alarm in monitor.update(rows):
            delay = alarm.hour - begin + 1.0
            soonest = min(soonest, delay)
            if alarm.monitor in change.monitor:
                return delay, soonest
    return np.inf, soonest


@cache
def _ready(seed: int, hours: int) -> tuple[Monitor, World]:
    """A monitor and its world before anything changes; the same for every change of one seed."""
    monitor, world = Monitor(PROBLEM, LIMITS, EXPLORATION), World(seed)
    for rows in world.hours(upto=hours):
        monitor.update(rows)
    return monitor, world


def print_false_alarms(months: int) -> None:
    """False alarms for each monitor, and how often people are called."""
    found = [watched(seed) for seed in range(FIRST_SEED, FIRST_SEED + months)]
    counts, called = Counter(alarm.monitor for month in found for alarm in month), sum(map(alerts, found))
    watching = dict.fromkeys(row["monitor"] for row in Monitor(PROBLEM, LIMITS, EXPLORATION).state())
    print(f"\nFalse alarms in {months} months of nothing (budget {LIMITS.false_alarms:g} a month, designed for 0.7):\n")
    print("| monitor | alarms | per month |\n| --- | ---: | ---: |")
    for name in (*watching, "unseen value", "new group"):
        print(f"| {name} | {counts[name]} | {counts[name] / months:.2f} |")
    print(f"| **people called** (alarms of one hour are one alert) | {called} | {called / months:.2f} |", flush=True)


def print_grid(repeats: int) -> None:
    """Delays for each change."""
    print(f"\nHours until a change is found, {repeats} runs each, {WATCHED_DAYS - 7} days to find it:\n")
    print("| change | meant for | found | median hours | by any | median hours |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for change in GRID:
        both = delays(change, range(FIRST_SEED, FIRST_SEED + repeats))
        cells = " | ".join(f"{sum(np.isfinite(hours))} of {repeats} | {_median(hours)}" for hours in both)
        print(f"| {change.name} | {', '.join(change.monitor)} | {cells} |", flush=True)


def _median(hours: Sequence[float]) -> str:
    middle = median(hours)
    return f"{middle:.0f}" if np.isfinite(middle) else "-"


def print_speed() -> None:
    """Decisions per second and peak memory, from logs of two sizes."""
    print("\n| decisions in the log | decisions/s | peak memory, MB |\n| ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.sqlite"
            write_log(path, size)
            command = [sys.executable, "-m", "benchmarks.monitors", "--read", str(path)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"| {size:,} | {size / found['seconds']:,.0f} | {found['peak_mb']:.0f} |", flush=True)


def read(path: Path) -> dict[str, float]:
    """Fold a whole log: seconds of this process's own time, and its peak memory."""
    with SqliteStore(path) as store:
        monitor, begin = Monitor(PROBLEM, LIMITS, EXPLORATION), time.process_time()
        step(monitor, store, datetime(2030, 1, 1, tzinfo=UTC), COOL_DOWN)
        seconds = time.process_time() - begin
    return {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def write_log(path: Path, decisions: int, change: Change = NOTHING, days: int = 44) -> None:
    """A served log of the world with its outcomes."""
    world = World(0, change, traffic=decisions / (24 * days))
    with SqliteStore(path, synchronous="OFF") as store:
        store.open_problem(PROBLEM.name, "salt")
        for hour in range(24 * days):
            write_hour(store, world, hour)


def write_hour(store: SqliteStore, world: World, hour: int) -> None:
    """The next hour of the world, its outcomes with it."""
    drawn, at = world.draw(hour), moment_of(START_H + hour)
    store.append_decisions([_decision(drawn, row, hour, at) for row in range(len(drawn["action"]))])
    outcomes = [_outcome(drawn, row, hour, at) for row in np.flatnonzero(drawn["joined"]).tolist()]
    received = at + timedelta(minutes=50)
    store.append_outcomes(PROBLEM.name, outcomes, received_at=received, wait=WAIT, signals=PROBLEM.signal_bounds)


def _decision(drawn: dict[str, Any], row: int, hour: int, at: datetime) -> Decision:
    learned = bool(drawn["learned"][row])
    return Decision(
        decision_id=f"{hour}-{row}",
        problem=PROBLEM.name,
        problem_version=PROBLEM.version,
        unit_id=f"u{drawn['unit'][row]}",
        episode_id=None,
        step=None,
        decided_at=at + timedelta(seconds=row % 3000),
        context={},
        observation=drawn["observation"][row].astype("<f4").tobytes(),
        mask=None,
        stage="canary",
        arm=Arm.CANDIDATE if learned else Arm.INCUMBENT,
        version="v1" if learned else "rule",
        action=int(drawn["action"][row]),
        propensity=1.0,
        explored=bool(drawn["explored"][row]),
        confidence=float(drawn["confidence"][row]),
        kill_epoch=0,
        reason="candidate" if learned else "control",
        latency_us=int(1000 * drawn["latency"][row]),
        request_hash="0",
    )


def _outcome(drawn: dict[str, Any], row: int, hour: int, at: datetime) -> Outcome:
    signals = {name: float(drawn[name][row]) for name in ("lost", "asked", "moved")}
    return Outcome("o", f"{hour}-{row}", at + timedelta(minutes=10), signals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read is not None:
        print(json.dumps(read(asked.read)))
    elif asked.speed:
        print_speed()
    else:
        print_false_alarms(asked.months)
        print_grid(asked.repeats)


if __name__ == "__main__":
    main()
