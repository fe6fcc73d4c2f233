"""What a record says, as arrays: curves in shares of the way from a random policy to the best one known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.diagnosis.thresholds import EVEN, FIRST, FLOOR, LAST
from tenure.training.recipes import recipe_of
from tenure.training.record import CurvePoint, RunRecord
from tenure.training.settings import Settings

NO_STANDINGS: Mapping[str, tuple[float, float]] = MappingProxyType({})
"""Where nobody rolled policies out."""


@dataclass(frozen=True)
class Facts:
    """A run as hypotheses read it; scores are merits, the higher the better, in the first KPI's unit.

    Args:
        problem: what was trained for.
        settings: of the recipe.
        curves: of each seed, its checkpoints.
        incumbent: its merit on the selection data.
        bound: the bound's; None where there is none.
        random: of an even choice among the allowed actions; None where nobody tried.
        masked: actions may be forbidden.
        standings: merit and mean reward on the selection data of policies there are anyway, by name; those that begin
            with `last` are the seeds' last checkpoints. Empty where nobody rolled them out.
    """

    problem: Problem
    settings: Settings
    curves: tuple[tuple[CurvePoint, ...], ...]
    incumbent: float
    bound: float | None = None
    random: float | None = None
    masked: bool = False
    standings: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 where a higher first KPI is better, -1 where a lower one is."""
        return self.problem.kpis[0].sign

    @cached_property
    def merits(self) -> tuple[Floats, ...]:
        """Of each seed, of its checkpoints."""
        return tuple(self.sign * np.array([point.score for point in curve]) for curve in self.curves)

    @cached_property
    def reached(self) -> Floats:
        """What each seed came to, as arms of probes count: half its best checkpoint, half its last third; [seeds]."""
        return np.array([(merits.max() + merits[-part(merits, LAST) :].mean()) / 2 for merits in self.merits])

    @property
    def best_known(self) -> float:
        """The best merit anybody is known to reach."""
        known = [self.incumbent, float(self.reached.max())]
        return max(known if self.bound is None else [*known, self.bound])

    @property
    def worst_known(self) -> float:
        """A random policy's merit; the first checkpoints' where nobody tried one."""
        if self.random is not None:
            return self.random
        return float(np.mean([merits[0] for merits in self.merits]))

    @property
    def way(self) -> float:
        """From a random policy to the best one known, above 0."""
        return max(self.best_known - min(self.worst_known, self.incumbent), 1e-9)

    @property
    def span(self) -> float:
        """What effects are shares of: from the incumbent to the best one known, and at least `FLOOR` of the way."""
        return max(self.best_known - self.incumbent, FLOOR * self.way)

    @property
    def shortfall(self) -> float:
        """How far the run stays behind the best one known, as a share of the way; in [0, 1]."""
        return float(np.clip((self.best_known - self.reached.mean()) / self.way, 0, 1))

    @property
    def unproven(self) -> bool:
        """Whether it does not beat the incumbent, and nobody knows whether that can be done."""
        return self.bound is None and bool(self.reached.mean() <= self.incumbent + EVEN * self.way)

    @property
    def behind(self) -> float:
        """How far the run stays behind the incumbent, as a share of the way; in [0, 1]."""
        return float(np.clip((self.incumbent - self.reached.mean()) / self.way, 0, 1))

    def metric(self, name: str) -> tuple[Floats, ...]:
        """A metric of each seed, at the checkpoints that have it; empty where no checkpoint has."""
        rows = ([point.metrics[name] for point in curve if name in point.metrics] for curve in self.curves)
        return tuple(np.array(row) for row in rows if row)

    def early(self, name: str) -> float | None:
        """Mean of a metric over the first fifth of the checkpoints and over seeds; None where it is absent."""
        return _mean([row[: part(row, FIRST)] for row in self.metric(name)])

    def late(self, name: str) -> float | None:
        """Mean of a metric over the last third of the checkpoints and over seeds; None where it is absent."""
        return _mean([row[-part(row, LAST) :] for row in self.metric(name)])

    def most(self, name: str) -> float | None:
        """The largest value of a metric, mean over seeds; None where it is absent."""
        return _mean([row.max(keepdims=True) for row in self.metric(name)])

    @property
    def labels(self) -> int | None:
        """How many actions there are; None for vectors."""
        return self.problem.action.size if isinstance(self.problem.action, Discrete) else None

    def setting(self, name: str) -> Any:
        """A field of the settings; None where the recipe has none of that name."""
        return getattr(self.settings, name, None)


def part(row: Sequence[Any] | Floats, share: float) -> int:
    """How many entries that share of a row is, at least one."""
    return max(1, round(len(row) * share))


def _mean(rows: list[Floats]) -> float | None:
    finite = [row[np.isfinite(row)] for row in rows]
    means = [float(row.mean()) for row in finite if len(row)]
    return float(np.mean(means)) if means else None


def facts_of(
    problem: Problem,
    record: RunRecord,
    *,
    masked: bool = False,
    standings: Mapping[str, tuple[float, float]] = NO_STANDINGS,
) -> Facts:
    """The facts of a record.

    Args:
        problem: of the project.
        record: of the run.
        masked: actions may be forbidden.
        standings: merit and mean reward of policies on the selection data, `chance` among them.

    Raises:
        ProjectError: its settings are none of its recipe's, or no seed has a curve.
    """
    sign, curves = problem.kpis[0].sign, tuple(seed.curve for seed in record.seeds if seed.curve)
    if not curves:
        raise ProjectError(
            expected="a run with scored checkpoints",
            found="none",
            where=f"run {record.run!r}",
            fix="train it again; a run that never came to a checkpoint has nothing to diagnose",
        )
    return Facts(
        problem,
        settings_of(record),
        curves,
        sign * record.incumbent,
        None if record.bound is None else sign * record.bound,
        standings["chance"][0] if "chance" in standings else None,
        masked,
        standings,
    )


def settings_of(record: RunRecord) -> Settings:
    """The settings a run was trained with, as its recipe has them.

    Raises:
        ProjectError: they are none of that recipe's.
    """
    try:
        return msgspec.convert(record.settings, recipe_of(record.recipe).settings)
    except (msgspec.ValidationError, ProjectError) as error:
        raise ProjectError(
            expected=f"settings of recipe {record.recipe!r}",
            found=str(error),
            where=f"the record of run {record.run!r}",
            fix="train again with this version of tenure",
        ) from error
