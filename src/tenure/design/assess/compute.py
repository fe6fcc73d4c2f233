"""How much training would take, before anybody trains: steps by a stated formula, core hours by a measured speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

BASE_STEPS = 150_000.0
"""Steps of a problem of 10 features, 5 actions and an effective horizon of 20 whose noise equals its signal."""
STEPS_PER_S = 25_000.0
"""Training steps a second on one core, learner included: PPO behind a batch-native simulator (docs/assess.md)."""
LEAST, MOST = 50_000, 50_000_000
"""Steps below which no curve settles, and above which nothing is promised."""


@dataclass(frozen=True)
class Compute:
    """An estimate with its assumptions.

    Args:
        steps: decisions in a simulator until 90 % of the final gain, by PPO with library defaults.
        core_hours: the same on one core, a seed.
        assumptions: what was put in, in words.
    """

    steps: int
    core_hours: float
    assumptions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {"steps": self.steps, "core_hours": self.core_hours, "assumptions": list(self.assumptions)}


def expected_compute(
    features: int, actions: int, horizon: float, noise: float, signal: float, steps_per_s: float = STEPS_PER_S
) -> Compute:
    """Steps = BASE * (features / 10)^(1/2) * (actions / 5)^(1/2) * (horizon / 20) * (1 + noise / signal) / 2.

    Policy-gradient variance grows with the effective horizon and with noise over signal; width and actions weigh less,
    because one network shares them. The noise factor is held between 1/2 and 8, because a network averages over worlds.

    Args:
        features: numbers seen.
        actions: how many.
        horizon: effective, min(horizon, 1 / (1 - discount)), in decisions.
        noise: standard deviation of a world's mean reward per decision, any unit.
        signal: gain per decision that is to be learned, same unit.
        steps_per_s: training steps a second of one core.

    >>> expected_compute(10, 5, 20, 1.0, 1.0).steps
    150000
    """
    ratio = noise / signal if signal > 0 else math.inf
    hard = min(max((1 + ratio) / 2, 0.5), 8.0)
    wide = math.sqrt(max(features, 1) / 10) * math.sqrt(max(actions, 2) / 5)
    steps = int(min(max(BASE_STEPS * wide * horizon / 20 * hard, LEAST), MOST))
    assumptions = (
        f"{features} features, {actions} actions, effective horizon {horizon:.3g}, noise over signal {ratio:.2g}",
        f"PPO on a batch-native simulator at {steps_per_s:,.0f} steps/s a core, one seed, to 90 % of its final gain",
    )
    return Compute(steps, steps / steps_per_s / 3600, assumptions)
