"""The figures that are watched hour by hour: one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.problem import Problem
from tenure.monitoring.rows import Rows

Sums = tuple[float, float, float]
"""Numerator, denominator, and how many rows they are of."""


@dataclass(frozen=True)
class Figure:
    """A ratio of sums over an hour's decisions.

    Args:
        monitor: what it belongs to.
        segment: which one.
        worse: +1 where rising is bad, -1 where falling is, 0 where any change is to be told.
        sums: of a batch.
        unit: in words.
    """

    monitor: str
    segment: str
    worse: Literal[-1, 0, 1]
    sums: Callable[[Rows], Sums]
    unit: str = ""


def decided_figures(problem: Problem) -> list[Figure]:
    """Figures of the decisions themselves, known at once."""
    return [
        Figure("confidence", "all", -1, _mean(lambda rows: (rows.confidence, rows.candidate)), unit="of 1"),
        Figure("latency", "all", 1, _mean(_log_latency), unit="log ms"),
        Figure("failures", "all", 1, _mean(lambda rows: (rows.failed, _all(rows)))),
        Figure("fallbacks", "all", 1, _mean(lambda rows: (rows.fallback, _all(rows)))),
        Figure("disagreement", "all", 1, _mean(lambda rows: (rows.differs, rows.proposed))),
        *(
            Figure("feature", feature.name, 0, _mean(_feature(column)), unit=feature.unit)
            for column, feature in enumerate(problem.observation)
        ),
    ]


def settled_figures(problem: Problem, wait: timedelta) -> list[Figure]:
    """Figures that rest on outcomes."""
    late = _mean(lambda rows: (rows.delay_s / wait.total_seconds(), rows.joined))
    return [
        Figure("reward", "all", -1, _mean(lambda rows: (rows.reward, rows.measured))),
        *(
            Figure("kpi", kpi.name, 1 if kpi.better == "lower" else -1, _ratio(column), unit=kpi.unit)
            for column, kpi in enumerate(problem.kpis)
        ),
        Figure("missing outcomes", "all", 1, _mean(lambda rows: (~rows.joined, _all(rows)))),
        Figure("late outcomes", "all", 1, late, unit="of the wait time"),
    ]


def summed(figures: Sequence[Figure], rows: Rows) -> Floats:
    """Sums of every figure over a batch; [figures, 3]."""
    return np.array([figure.sums(rows) for figure in figures])


def _mean(of: Callable[[Rows], tuple[Floats | Bools, Bools]]) -> Callable[[Rows], Sums]:
    """The mean of a column over the rows where it means something."""

    def sums(rows: Rows) -> Sums:
        values, valid = of(rows)
        n = float(np.count_nonzero(valid))
        return float(values[valid].sum()), n, n

    return sums


def _ratio(column: int) -> Callable[[Rows], Sums]:
    def sums(rows: Rows) -> Sums:
        measured = rows.measured
        above, below = rows.above[measured, column].sum(), rows.below[measured, column].sum()
        return float(above), float(below), float(np.count_nonzero(measured))

    return sums


def _feature(column: int) -> Callable[[Rows], tuple[Floats, Bools]]:
    return lambda rows: (rows.observation[:, column], np.isfinite(rows.observation[:, column]))


def _log_latency(rows: Rows) -> tuple[Floats, Bools]:
    return np.log(np.maximum(rows.latency_ms, 1e-3)), _all(rows)


def _all(rows: Rows) -> Bools:
    return np.ones(len(rows), dtype=bool)
