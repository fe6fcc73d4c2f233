"""Small trajectories written by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.trajectories import Trajectories

HOURS = np.timedelta64(1, "h")
START = np.datetime64("2024-01-01T00:00:00", "us")


def rows(
    features: Mapping[str, Floats], signals: Mapping[str, Floats], episodes: int, action: Floats | None = None
) -> Trajectories:
    """Episodes of one length, hour by hour from a Monday midnight."""
    n = len(next(iter((*features.values(), *signals.values()))))
    steps = n // episodes
    step = np.tile(np.arange(steps), episodes)
    return Trajectories(
        observation=np.column_stack([*features.values()]) if features else np.zeros((n, 0)),
        names=tuple(features),
        action=np.zeros(n, dtype=np.int64) if action is None else np.asarray(action, dtype=np.int64),
        signals=dict(signals),
        episode=np.repeat(np.arange(episodes), steps),
        step=step,
        propensity=np.full(n, np.nan),
        world=tuple(f"w{k}" for k in range(episodes)),
        at=START + step * HOURS,
    )
