"""Rows by hand: n decisions of one hour about the made-up problem, all alike but for what a test changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from benchmarks.watched_world import PROBLEM

from tenure.monitoring.rows import Rows

MONDAY = 24 * 4
"""Hours from 1970-01-01, a Thursday, to the first Monday."""


def rows(hour: int, n: int = 10, *, settled: bool = True, cost: Any = 8.0, **changes: Any) -> Rows:
    """The incumbent's rows: ten rides asked for, `cost` of them (through 2 $ a lost one) lost, nothing moved."""
    lost = np.broadcast_to(np.asarray(cost, dtype=np.float64) / 2, (n,))
    signals = {"lost": lost, "asked": np.full(n, 10.0), "moved": np.zeros(n)}
    no, yes = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    made = Rows(
        settled=settled,
        hour=hour,
        sequence=np.arange(n) + 1 + 1000 * hour,
        unit=np.array([f"u{hour}-{row}" for row in range(n)], dtype=object),
        version=np.array(["rule"] * n, dtype=object),
        candidate=no,
        incumbent=yes,
        fallback=no,
        failed=no,
        live=yes,
        action=np.arange(n) % 4,
        explored=no,
        confidence=np.full(n, 0.5),
        latency_ms=np.ones(n),
        proposed=no,
        differs=no,
        observation=np.tile([10.0, 0.0, 1.0, 0.0, 40.0, 0.5], (n, 1)),
        joined=yes,
        delay_s=np.full(n, 60.0),
        reward=PROBLEM.reward(signals),
        above=np.stack([kpi.numerator(signals) for kpi in PROBLEM.kpis], axis=1),
        below=np.stack([kpi.denominator(signals) for kpi in PROBLEM.kpis], axis=1),
    )
    return replace(made, **changes)


def learned(n: int, version: str = "v1") -> dict[str, Any]:
    """What makes rows the candidate's."""
    return {
        "candidate": np.ones(n, dtype=bool),
        "incumbent": np.zeros(n, dtype=bool),
        "version": np.array([version] * n, dtype=object),
    }
