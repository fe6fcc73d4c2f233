"""Panels of worlds that are their seed: one episode each, with seeds that no training world has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tenure.core.errors import DataError
from tenure.core.simulator import Panel, Split, State

TRAINING = 2**31
"""Training worlds have seeds below this."""

FIRST: dict[str, int] = {"train": 2**32, "selection": 2**33, "held_out": 2**34}
"""First seed of each part's panel."""

START = datetime(2000, 1, 1, tzinfo=UTC)


def panel_of_seeds(
    name: str,
    split: Split,
    first_day: int,
    days: int | None,
    *,
    worlds: int,
    steps: int,
    interval: timedelta,
    seeded: Callable[[list[int]], State],
) -> Panel:
    """So many worlds of one part over one episode; a day is an episode with seeds of its own.

    Raises:
        DataError: a day before the first, or more than one.
    """
    if first_day < 0 or days not in (None, 1):
        raise DataError(
            expected="one episode, days=1, from first_day 0 or later",
            found=f"first_day={first_day}, days={days}",
            where=f"panel of {name}",
            fix="ask for one episode; first_day=1, 2, ... gives others",
        )
    first = FIRST[split] + first_day * worlds
    seeds = list(range(first, first + worlds))
    names = tuple(f"seed-{seed}" for seed in seeds)
    return Panel(seeded(seeds), steps, names, START, interval, independent=True)
