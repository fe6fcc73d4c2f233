"""Small shadow logs for tests: two actions, one KPI to win and one that may be lost, and a problem to read them by."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.evaluation.logs import logged

from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.evaluation.shadow.log import Need, Replay, ShadowLog, hashed

NEED = Need(100, 4)


def problem(horizon: int = 1) -> Problem:
    return Problem(
        name="tiny",
        about="Left or right.",
        observation=(Feature("x", "m", 0, 1), Feature("night", "0 or 1", 0, 1)),
        action=Discrete(("left", "right")),
        signals=(Signal("time", "min", 0, 100), Signal("trucks", "trucks", 0, 100)),
        reward=Reward((Term("time", -1, "$/min", "time is money"),)),
        kpis=(
            KPI("time", "min", "lower", {"time": 1}),
            KPI("trucks", "trucks per min", "lower", {"trucks": 1}, {"time": 1}),
        ),
        horizon=horizon,
    )


def shadow_log(n: int = 2000, seed: int = 0, **changes: Any) -> ShadowLog:
    """n decisions over 10 days, 200 units; the incumbent tosses a coin, the candidate always goes right."""
    rng = np.random.default_rng(seed)
    action = changes.get("action", rng.integers(0, 2, n))
    time = changes.get("time", 10 - 2.0 * action + rng.normal(0, 0.5, n))
    trucks = changes.get("trucks", 0.5 * time * (1 + rng.normal(0, 0.05, n)))
    features = np.stack([rng.random(n), rng.random(n) < 0.5], axis=1)
    rows = logged(
        action,
        changes.get("propensity", np.full(n, 0.5)),
        -time,
        features=features,
        unit=hashed([f"u{row % 200}" for row in range(n)]),
        at=np.datetime64("2026-03-02", "us") + (np.arange(n) * 10 // max(n, 1)) * np.timedelta64(24, "h"),
    )
    proposed = changes.get("proposed", np.ones(n, dtype=np.int64))
    return ShadowLog(rows, np.asarray(proposed, dtype=np.int64), {"time": time, "trucks": trucks})


def replay_of(log: ShadowLog, time: Any, trucks: Any, confidence: Any = None) -> Replay:
    """The log's own signals for the incumbent, others for the candidate."""
    n = len(log)
    sure = np.full(n, 0.8) if confidence is None else np.asarray(confidence, dtype=float)
    after = {"time": np.asarray(time, dtype=float), "trucks": np.asarray(trucks, dtype=float)}
    return Replay(log.rows.unit, log.rows.unit, "unit", log.rows.features, dict(log.signals), after, sure)
