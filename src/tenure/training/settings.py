"""Settings of the PPO recipe; each says what it does and where its default comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tenure.core.errors import SettingsError


@dataclass(frozen=True)
class PPOSettings:
    """Proximal policy optimisation (Schulman et al. 2017) on a batch of worlds.

    Args:
        steps: decisions over all worlds; 2 million take about a minute on one core of 2026.
        worlds: worlds stepped side by side.
        rollout: steps of each world between two updates.
        batch: decisions per gradient step.
        epochs: passes over each rollout.
        learning_rate: at the start; it falls linearly to 1 % of this, which made the worst seed good.
        gae_lambda: generalised advantage estimation (Schulman et al. 2016), in [0, 1].
        entropy: weight of the policy's entropy in the loss, at least 0; more keeps it trying longer.
        net: units of the hidden layers of policy and value networks.
        checkpoint_every: gradient steps between checkpoints, taken at the first update that reaches them; each is
            scored on the selection data.
        level: the simulator's level to train on.
        baseline: train on the difference to the incumbent in a twin world, which takes out the noise both share; worlds
            that end by themselves are trained without, whatever stands here.
        dual_rate: how fast the weights of limits held by `lagrange` move; see `Duals`.
        without: signals whose reward terms are left out, for showing what a term is for.

    Raises:
        SettingsError: a size is not positive, the batch does not divide the rollout, or a rate is out of its range.
    """

    steps: int = 2_000_000
    worlds: int = 256
    rollout: int = 64
    batch: int = 2048
    epochs: int = 6
    learning_rate: float = 2e-3
    gae_lambda: float = 0.95
    net: tuple[int, ...] = (64, 64)
    entropy: float = 0.0
    checkpoint_every: int = 200
    level: str = "normal"
    baseline: bool = True
    dual_rate: float = 0.05
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.steps, self.worlds, self.rollout, self.batch, self.epochs, self.checkpoint_every, *self.net)
        per_update = self.worlds * self.rollout
        if min(sizes) < 1 or per_update % self.batch or self.steps < per_update or self.batch < 2:
            raise _wrong(
                f"positive sizes, steps >= worlds * rollout = {per_update}, a batch of at least 2 that divides it",
                f"steps={self.steps}, batch={self.batch}, sizes={sizes}",
            )
        rates = (self.learning_rate, self.dual_rate)
        if not (all(0 < rate < math.inf for rate in rates) and 0 <= self.gae_lambda <= 1 and self.entropy >= 0):
            raise _wrong(
                "learning_rate and dual_rate above 0, gae_lambda in [0, 1], entropy of at least 0",
                f"learning_rate={self.learning_rate}, dual_rate={self.dual_rate}, gae_lambda={self.gae_lambda}, "
                f"entropy={self.entropy}",
            )


def _wrong(expected: str, found: str) -> SettingsError:
    fix = "take the defaults, or change them together"
    return SettingsError(expected=expected, found=found, where="settings of the PPO recipe", fix=fix)
