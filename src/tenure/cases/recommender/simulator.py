"""A semi-synthetic shop: real visits, clicks drawn from a model.

Real are the situations: position, user features and affinities of the uniform log, drawn anew from the days of their
part. Not real are the clicks: a model fitted to the real clicks of 24 to 27 November says how likely each is, the same
in every part, so a policy can learn here what the model knows and no more. Nor is the order of visits real, nor that
one visit's click is independent of the last one's. What is won here must be proven on the real log.
"""

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
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError

from .clicks import click_probability
from .data import DAYS, FILES, observations, week

PARTS: dict[str, tuple[int, int]] = {"train": (0, 4), "selection": (4, 5), "held_out": (5, DAYS)}
"""Days of the real week whose visits each part draws from: 24 to 27, 28, and 29 and 30 November."""
SIMULATED_DAYS = 28
"""Days of a whole panel: four weeks, so that whole weeks can be compared."""
VISITS_PER_HOUR = 60
"""Visits side by side; the real log has 59.5 rows an hour."""
START = datetime(2019, 12, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Visits:
    """n visits, each waiting for its recommendation.

    Args:
        row: its row in the uniform log; int64 [n].
        begin: first row of the part it belongs to; int64 [n].
        end: the row after the part's last; int64 [n].
        lift: what every click's probability is multiplied by; float64 [n], 1 as the model says.
    """

    row: Ints
    begin: Ints
    end: Ints
    lift: Floats


class RecommenderSimulator:
    """Visits one after the other; what is recommended to one does not change the next."""

    levels: Mapping[str, Any] = {"easy": 3.0, "normal": 1.0, "hard": 0.5}
    """What every click's probability is multiplied by: the rarer clicks are, the less a visit teaches."""

    @cached_property
    def version(self) -> str:
        """Hash of the case's files that make the world, and of the data."""
        here = Path(__file__).parent
        parts = [here / name for name in ("simulator.py", "clicks.py", "data.py")]
        return hashlib.sha256(b"".join(path.read_bytes() for path in (*parts, *FILES.values()))).hexdigest()[:12]

    @cached_property
    def situations(self) -> Floats:
        """Every situation of the uniform log; float32 [10000, 39]."""
        return observations("uniform")

    @cached_property
    def clicked(self) -> Floats:
        """P(click) of every item in each of them: the truth of this world; [10000, 34]."""
        return click_probability(self.situations)

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Visits:
        """n visits of 24 to 27 November."""
        return replace(self._visits("train", n, rng), lift=np.full(n, self.levels[level]))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """60 visits an hour over whole days, drawn from one part of the real week.

        Raises:
            DataError: the days lie outside the 28 simulated ones.
        """
        days = SIMULATED_DAYS - first_day if days is None else days
        if first_day < 0 or days < 1 or first_day + days > SIMULATED_DAYS:
            raise DataError(
                expected=f"days within the {SIMULATED_DAYS} of {split!r}",
                found=f"{days} days from day {first_day}",
                where="panel of the case 'recommender'",
                fix="ask for fewer days",
            )
        first = self._visits(split, VISITS_PER_HOUR, np.random.default_rng([PARTS[split][0], first_day]))
        names = tuple(f"visit-{number:02d}" for number in range(1, VISITS_PER_HOUR + 1))
        return Panel(first, days * 24, names, START + timedelta(days=first_day), timedelta(hours=1))

    def observe(self, state: Visits) -> Floats:
        """Position, user features and affinities; float32 [n, 39]."""
        return np.asarray(self.situations[state.row])

    def step(self, state: Visits, action: Ints, rng: np.random.Generator) -> Step:
        """One click or none in each visit; then another visit comes."""
        chance, following = rng.random((2, len(state.row)))
        click = (chance < self.clicked[state.row, action] * state.lift).astype(float)
        first = (self.situations[state.row, 0] == 1).astype(float)
        signals = {"click": click, "first": first, "first_click": click * first}
        after = replace(state, row=_drawn(state.begin, state.end, following))
        return Step(after, signals, np.zeros(len(click), dtype=bool))

    def _visits(self, split: Split, n: int, rng: np.random.Generator) -> Visits:
        begin, end = np.searchsorted(week("uniform").day, PARTS[split])
        begins, ends = np.full(n, begin), np.full(n, end)
        return Visits(_drawn(begins, ends, rng.random(n)), begins, ends, np.ones(n))


def _drawn(begin: Ints, end: Ints, chance: Floats) -> Ints:
    """A row in [begin, end) for each number in [0, 1)."""
    return np.asarray(begin + (chance * (end - begin)).astype(np.int64))


simulator = RecommenderSimulator()
