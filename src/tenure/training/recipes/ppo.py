"""PPO of Stable-Baselines3, with masks by sb3-contrib where actions may be forbidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.core.problem import Problem
from tenure.core.spaces import Box
from tenure.simulators.actions import is_masked
from tenure.training.exploration import Decay
from tenure.training.recipes.recipe import Recipe
from tenure.training.settings import Settings
from tenure.training.warm_settings import WarmStart

if TYPE_CHECKING:
    from sb3_contrib import MaskablePPO
    from stable_baselines3 import PPO
    from torch import nn

    from tenure.simulators.vec_env import SimulatorVecEnv
    from tenure.training.ground import Ground, Trained
    from tenure.training.recipes.a2c import A2CSettings

    Learner = PPO | MaskablePPO

FIRST_LOG_STD = -1.0
"""Logarithm of the Gaussian's first width in each number, where half its range is 1: the learner begins by trying about
a third of that around its mean. Source: rl-baselines3-zoo's hyperparameters for continuous actions, -1 to -2."""


@dataclass(frozen=True)
class PPOSettings(Settings):
    """Proximal policy optimisation (Schulman et al. 2017) on a batch of worlds; beside what every recipe takes:

    Args:
        rollout: steps of each world between two updates.
        batch: decisions per gradient step.
        epochs: passes over each rollout.
        gae_lambda: generalised advantage estimation (Schulman et al. 2016), in [0, 1].
        entropy: weight of the policy's entropy in the loss, at least 0; more keeps it trying longer.
        entropy_last: the weight in the end, at least 0, to which it goes linearly; None keeps it.
        warm: begin from the layers of a version, a table with its `bundle`, and `stay` near it (docs/retraining.md).

    Raises:
        SettingsError: a size is not positive, the batch does not divide the rollout, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "ppo"

    rollout: int = 64
    batch: int = 2048
    epochs: int = 6
    gae_lambda: float = 0.95
    entropy: float = 0.0
    entropy_last: float | None = None
    warm: WarmStart | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(1, rollout=self.rollout, batch=self.batch, epochs=self.epochs)
        self.in_range(0, 1, gae_lambda=self.gae_lambda)
        self.in_range(0, entropy=self.entropy, entropy_last=self.entropy_last or 0.0)
        per_update = self.worlds * self.rollout
        if self.steps < per_update:
            raise self.wrong(
                f"at least {per_update:,} steps, those of one update "
                f"(worlds x rollout = {self.worlds:,} x {self.rollout:,})",
                f"{self.steps:,} steps",
                f"give --steps {per_update} or more, or make worlds or rollout smaller in [train] of tenure.toml",
            )
        if per_update % self.batch or self.batch < 2:
            expected = f"a batch of at least 2 that divides worlds * rollout = {per_update}"
            raise self.wrong(expected, f"batch={self.batch}")


def entropy_of(settings: PPOSettings | A2CSettings) -> Decay | None:
    """How the weight of the entropy falls; None where it stays."""
    last = settings.entropy_last
    return None if last is None else Decay(settings.entropy, last)


def gaussian(problem: Problem) -> dict[str, float]:
    """How wide an actor of vectors begins; nothing for labels."""
    return {"log_std_init": FIRST_LOG_STD} if isinstance(problem.action, Box) else {}


def new_ppo(worlds: SimulatorVecEnv, settings: PPOSettings, seed: int) -> Learner:
    """An untrained learner; it never tries a forbidden action where actions may be forbidden.

    Its learning rate falls linearly to 1 % of the first, which made the worst seed good.
    """
    from sb3_contrib import MaskablePPO
    from stable_baselines3 import PPO

    from tenure.training.vectors import UnitVectors

    recipe = MaskablePPO if is_masked(worlds.problem, worlds.simulator) else PPO
    space = worlds.problem.action
    return recipe(
        "MlpPolicy",
        UnitVectors(worlds, space) if isinstance(space, Box) else worlds,
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=worlds.problem.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        learning_rate=lambda left: settings.learning_rate * max(left, 0.01),
        policy_kwargs={"net_arch": list(settings.net), **gaussian(worlds.problem)},
        seed=seed,
        device="cpu",
    )


def acting(policy: Any) -> tuple[nn.Module, nn.Module]:
    """The layers that act: body and head."""
    return policy.mlp_extractor.policy_net, policy.action_net


def train_ppo(ground: Ground) -> Trained:
    """One seed."""
    settings = ground.settings
    assert isinstance(settings, PPOSettings)
    model = new_ppo(ground.worlds, settings, ground.seed)
    per_update = settings.worlds * settings.rollout
    gradient_steps = per_update // settings.batch * settings.epochs
    return ground.learn(
        model,
        acting,
        gradient_steps=lambda: model.num_timesteps // per_update * gradient_steps,
        entropy=entropy_of(settings),
    )


RECIPE = Recipe(
    "ppo",
    "proximal policy optimisation",
    "any",
    PPOSettings,
    train_ppo,
    source="Schulman et al. (2017); masks, Huang and Ontanon (2022), both by Stable-Baselines3 and sb3-contrib",
    masks=True,
)
