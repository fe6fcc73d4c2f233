"""Facts made by hand: curves of scores and metrics without any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Reward, Signal, Term
from tenure.diagnosis.facts import Facts
from tenure.training import CurvePoint, PPOSettings
from tenure.training.settings import Settings

PROBLEM = Problem(
    name="made",
    about="Nothing.",
    observation=(Feature("seen", "units"), Feature("other", "units")),
    action=Discrete(("left", "right", "stay", "jump")),
    signals=(Signal("paid", "$", -1e9, 1e9), Signal("moved", "cells", 0, 1e9)),
    reward=Reward((Term("paid", 1.0, "$/$", "it pays"), Term("moved", -0.1, "$/cell", "steps tire"))),
    kpis=(KPI("gained", "$", "higher", {"paid": 1.0}),),
    horizon=20,
    discount=0.9,
)
SETTINGS = PPOSettings(steps=20_000, worlds=16, rollout=32, batch=128, net=(16,))


def curve(
    scores: Sequence[float], metrics: Mapping[str, Sequence[float]] | None = None, top: float = 0.5
) -> tuple[CurvePoint, ...]:
    """Checkpoints at equal distances, with a metric's value at each."""
    given = metrics or {}
    return tuple(
        CurvePoint(
            steps=1000 * (place + 1),
            gradient_steps=place + 1,
            seconds=float(place + 1),
            score=score,
            most_taken_share=top,
            entropy=1.0,
            metrics={name: float(values[place]) for name, values in given.items()},
        )
        for place, score in enumerate(scores)
    )


def facts(*curves: Sequence[float], incumbent: float = 1.0, **changes: Any) -> Facts:
    """Facts of seeds with these scores; chance reaches 0, the incumbent 1 where nothing else is said."""
    settings: Settings = changes.pop("settings", SETTINGS)
    metrics: Mapping[str, Sequence[float]] = changes.pop("metrics", {})
    top: float = changes.pop("top", 0.5)
    made = tuple(curve(one, metrics, top) for one in curves)
    problem: Problem = changes.pop("problem", PROBLEM)
    return Facts(problem, settings, made, incumbent, **{"random": 0.0, **changes})


def steady(value: float, points: int = 20) -> list[float]:
    """One value all along."""
    return [value] * points


def noisy(values: Sequence[float], deviation: float, seed: int = 0) -> list[float]:
    """The values with Gaussian noise."""
    rng = np.random.default_rng(seed)
    return [float(value) for value in np.asarray(values) + deviation * rng.standard_normal(len(values))]
