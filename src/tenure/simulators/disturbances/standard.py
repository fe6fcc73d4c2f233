"""The standard disturbances in three strengths, scaled to a problem, so that policies are compared on equal terms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.disturbances.actions import ActionDelay
from tenure.simulators.disturbances.observations import (
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    SensorNoise,
    StuckSensors,
)
from tenure.simulators.disturbances.worlds import DemandShock, Obstacle
from tenure.simulators.disturbances.wrapper import Disturbance

STRENGTHS = ("mild", "medium", "strong")
DELAYS = (1, 2, 4)
"""Decisions by which readings or actions come late, or at most come late over a network."""
NOISE = (0.05, 0.15, 0.4)
"""Standard deviation of the noise, as a share of each feature's own standard deviation."""
DROPPED = (0.05, 0.15, 0.4)
"""Share of readings that are missing."""
STUCK_CHANCE, STUCK_STEPS = 0.02, (2, 5, 20)
"""How often a sensor gets stuck, and for how many decisions: 4, 9 and 29 % of its readings."""
SHOCKS = (1.2, 1.5, 2.0)
"""What demand is multiplied by, after a quarter of the time."""
OBSTACLES = (0.1, 0.25, 0.5)
"""Share out of use, after a quarter of the time."""
LABELS = 32
"""A feature of whole numbers with at most so many different values counts as a label or a calendar: no noise."""


def standard(
    problem: Problem, simulator: Simulator, spread: Mapping[str, float], steps: int
) -> dict[str, tuple[Disturbance, ...]]:
    """Each standard disturbance in the strengths of `STRENGTHS`; those this world cannot have are left out.

    Args:
        problem: not read beyond its features.
        simulator: a demand shock needs its `shocked`, an obstacle its `obstructed`.
        spread: standard deviation of the features that get noise, in their units, as `spread_of` gives it.
        steps: decisions each world takes.
    """
    found: dict[str, tuple[Disturbance, ...]] = {
        "observation_delay": tuple(ObservationDelay(steps_late) for steps_late in DELAYS),
        "network_delay": tuple(NetworkDelay(most) for most in DELAYS),
        "sensor_noise": tuple(SensorNoise({name: share * sd for name, sd in spread.items()}) for share in NOISE),
        "dropped_sensors": tuple(DroppedSensors(share) for share in DROPPED),
        "stuck_sensors": tuple(StuckSensors(STUCK_CHANCE, length) for length in STUCK_STEPS),
        "action_delay": tuple(ActionDelay(late) for late in DELAYS),
        "demand_shock": tuple(DemandShock(factor, steps // 4) for factor in SHOCKS),
        "obstacle": tuple(Obstacle(share, steps // 4) for share in OBSTACLES),
    }
    missing = {"sensor_noise"} if not any(name in problem.feature_names for name in spread) else set()
    missing |= {"demand_shock"} if not hasattr(simulator, "shocked") else set()
    missing |= {"obstacle"} if not hasattr(simulator, "obstructed") else set()
    return {name: strengths for name, strengths in found.items() if name not in missing}


def spread_of(problem: Problem, observation: Floats) -> dict[str, float]:
    """Standard deviation of every feature that measures something; labels, calendars and constants are left out.

    Args:
        problem: names the features.
        observation: what was seen in a run, [steps, worlds, features].
    """
    rows = observation.reshape(-1, observation.shape[-1]).astype(np.float64)
    columns = zip(problem.feature_names, rows.T, strict=True)
    return {name: float(column.std()) for name, column in columns if not _is_label(column)}


def _is_label(column: Floats) -> bool:
    return bool((column == np.rint(column)).all() and len(np.unique(column)) <= LABELS) or not column.std() > 0
