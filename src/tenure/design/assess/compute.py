"""How much training would take, before anybody trains: steps by a stated formula, core hours by a measured speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

BIKES_STEPS = 491_520.0
"""Steps to 90 % of the final gain in the shipped case `bikes`, median of five seeds of its own recipe: 18 features,
25 actions, effective horizon 100."""
BIKES_NOISE = 21.0
"""Noise over signal of `bikes`, as `tenure assess bikes` measures it."""
WEIGHT = 0.25
"""Exponent of each of the four: a guess, made before the other cases were trained. PPO's batch of 16,384 decisions
averages most of what makes a problem hard, so doubling any of them costs a fifth more steps."""
WHOLE_RUN = 4
"""Steps of a whole run, in steps to 90 %: the learning rate falls to nothing over it."""
STEPS_PER_S = 28_000.0
"""Training steps a second of one core, learner included: 2 million of `bikes` in 64 to 83 s, on 2 cores of 2026."""
LEAST, MOST = 50_000, 50_000_000
"""Steps below which no curve settles, and above which nothing is promised."""


@dataclass(frozen=True)
class Compute:
    """An estimate with its assumptions.

    Args:
        steps: decisions in a simulator until 90 % of the final gain, by PPO with the defaults of `tenure train`.
        core_hours: of a whole run on one core, a seed.
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
    """Steps of `bikes`, times the fourth root of features, actions, horizon and noise over signal, each by `bikes`'s.

    Args:
        features: numbers seen.
        actions: how many.
        horizon: effective, min(horizon, 1 / (1 - discount)), in decisions.
        noise: standard deviation of a world's mean reward per decision, any unit.
        signal: gain per decision that is to be learned, same unit.
        steps_per_s: training steps a second of one core.

    >>> expected_compute(18, 25, 100, 21.0, 1.0).steps
    491520
    >>> expected_compute(18, 25, 50, 21.0, 1.0).steps
    413317
    """
    ratio = noise / signal if signal > 0 else math.inf
    hard = features / 18 * actions / 25 * horizon / 100 * ratio / BIKES_NOISE
    steps = int(min(max(BIKES_STEPS * hard**WEIGHT, LEAST), MOST))
    assumptions = (
        f"{features} features, {actions} actions, effective horizon {horizon:.3g}, noise over signal {ratio:.2g}",
        f"PPO on a batch-native simulator, {steps_per_s:,.0f} steps/s a core; steps to 90 % of the gain, hours of "
        f"a whole run of one seed, {WHOLE_RUN} times as many steps",
    )
    return Compute(steps, WHOLE_RUN * steps / steps_per_s / 3600, assumptions)
