"""What recipes that learn from a replay buffer share: their settings, and how their networks act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenure.training.settings import SHORT, Settings

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class OffPolicySettings(Settings):
    """Settings of recipes with a replay buffer; beside what every recipe takes:

    Args:
        steps: decisions over all worlds.
        worlds: stepped side by side; each step of all of them adds so many decisions to the buffer.
        learning_rate: of the networks.
        checkpoint_every: gradient steps between checkpoints.
        buffer: decisions that are kept; the oldest give way.
        batch: decisions per gradient step.
        learning_starts: decisions taken at random before the first gradient step.
        gradient_steps: after each step of all worlds.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    steps: int = 500_000
    worlds: int = 64
    learning_rate: float = 1e-3
    checkpoint_every: int = 500
    buffer: int = 200_000
    batch: int = 256
    learning_starts: int = 5_000
    gradient_steps: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(1, buffer=self.buffer, batch=self.batch, gradient_steps=self.gradient_steps)
        self.in_range(self.batch, self.steps, learning_starts=self.learning_starts)

    def common(self, ground: Ground) -> dict[str, Any]:
        """Arguments every such algorithm of Stable-Baselines3 takes."""
        return {
            "learning_rate": self.learning_rate,
            "buffer_size": self.buffer,
            "batch_size": self.batch,
            "learning_starts": self.learning_starts,
            "train_freq": (1, "step"),
            "gradient_steps": self.gradient_steps,
            "gamma": ground.problem.discount,
            "seed": ground.seed,
            "device": "cpu",
        }


def learn_off_policy(ground: Ground, model: Any, acting: Any) -> Trained:
    """Run such an algorithm over its steps; its own counter counts gradient steps.

    Rewards in the buffer keep the price of limits at the moment they were earned.
    """
    return ground.learn(model, acting, gradient_steps=lambda: model._n_updates, dual_every=SHORT)


def tanh_mean(actor: Any) -> tuple[Any, Any]:
    """Body and head of an actor that squashes its Gaussian's mean, as SAC's and TQC's: a mean in [-1, 1]."""
    from torch import nn

    return actor.latent_pi, nn.Sequential(actor.mu, nn.Tanh())


def squashed(actor: Any) -> tuple[Any, Any]:
    """Body and head of a deterministic actor, as TD3's and DDPG's, whose last layer is the squashing."""
    from torch import nn

    return nn.Identity(), actor.mu


def shaken(ground: Ground, noise: float) -> Any:
    """Independent Gaussian noise for every number of every world's vector, in the learner's units of half a range."""
    import numpy as np
    from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise

    size = ground.problem.action.size
    one = NormalActionNoise(np.zeros(size), np.full(size, noise))
    return VectorizedActionNoise(one, ground.settings.worlds)
