"""River's drift detectors on the same hours as our hourly figures, in the same run.

    python -m benchmarks.monitor_peers [--months 10]

Each figure of each hour (`tenure.monitoring.figures`) goes to River's ADWIN and Page-Hinkley with their defaults, two
ways: as it is, and as its distance from the mean of the same hour of the day so far over their standard deviation,
which takes the day's rhythm away. Alarms of one hour are one alert, as ours. Prints alerts per month of nothing, and
how many of the months in which the cost rises by 100 % are alarmed within three days, by any figure of outcomes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from river.drift import ADWIN, PageHinkley

from benchmarks.monitors import COOL_DOWN, FIRST_SEED, WAIT, alerts, watched
from benchmarks.watched_world import CHANGE_H, GRID, NOTHING, PROBLEM, REFERENCE_DAYS, START_H, Change, World
from tenure.core.arrays import Floats
from tenure.monitoring.figures import decided_figures, settled_figures, summed

PEERS: dict[str, Callable[[], Any]] = {"ADWIN": ADWIN, "Page-Hinkley": PageHinkley}
COSTLY = next(change for change in GRID if change.cost == 1.0)
WITHIN_H = 72


def hours(seed: int, change: Change) -> tuple[Floats, int]:
    """Every figure of every hour, NaN where it has no value, those of outcomes last; and how many those are."""
    both = decided_figures(PROBLEM), settled_figures(PROBLEM, WAIT)
    found: tuple[list[Floats], list[Floats]] = ([], [])
    for rows in World(seed, change).hours():
        sums = summed(both[rows.settled], rows)
        found[rows.settled].append(
            np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
        )
    return np.hstack([np.array(found[False]), np.array(found[True])]), len(both[1])


def without_rhythm(values: Floats) -> Floats:
    """Distances from the mean of the same hour on the days before, in standard deviations; [hours, figures]."""
    found = np.full_like(values, np.nan)
    for hour in range(48, len(values)):
        past = np.ma.masked_invalid(values[hour % 24 : hour : 24])
        mean, spread = past.mean(axis=0).filled(0.0), past.std(axis=0).filled(0.0)
        found[hour] = (values[hour] - mean) / np.where(spread > 0, spread, 1.0)
    return found


def alarmed(values: Floats, make: Callable[[], Any]) -> list[int]:
    """Hours after the reference in which some figure's detector spoke, with our cool-down for each figure."""
    told = set()
    for column in values.T:
        detector, last = make(), -np.inf
        for hour, value in enumerate(column):
            if not np.isfinite(value):
                continue
            detector.update(float(value))
            if (
                detector.drift_detected
                and hour >= 24 * REFERENCE_DAYS
                and hour - last >= COOL_DOWN / timedelta(hours=1)
            ):
                told.add(hour)
                last = hour
    return sorted(told)


def in_time(found: Sequence[int]) -> bool:
    """Whether something was said within three days of the change."""
    return any(0 <= hour - CHANGE_H <= WITHIN_H for hour in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=10)
    seeds = range(FIRST_SEED, FIRST_SEED + parser.parse_args().months)
    print(f"| detector | alerts per month of nothing | cost +100 % told within {WITHIN_H} h |\n| --- | ---: | ---: |")
    ours = sum(alerts(watched(seed)) for seed in seeds) / len(seeds)
    meant = [[a.hour - START_H for a in watched(seed, COSTLY) if a.monitor in COSTLY.monitor] for seed in seeds]
    print(f"| all our monitors | {ours:.1f} | {sum(map(in_time, meant))} of {len(seeds)} |", flush=True)
    for name, make in PEERS.items():
        for way, change in (("as it is", lambda x: x), ("without the day's rhythm", without_rhythm)):
            quiet = [len(alarmed(change(hours(seed, NOTHING)[0]), make)) for seed in seeds]
            told = []
            for seed in seeds:
                values, outcomes = hours(seed, COSTLY)
                told.append(in_time(alarmed(change(values[:, -outcomes:]), make)))
            print(f"| River {name}, {way} | {np.mean(quiet):.1f} | {sum(told)} of {len(seeds)} |", flush=True)


if __name__ == "__main__":
    main()
