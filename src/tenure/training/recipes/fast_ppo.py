"""PPO for many decisions per second: one trunk for actor and critic, large batches, nothing copied twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.core.spaces import Box
from tenure.simulators.actions import is_masked
from tenure.training.recipes.ppo import PPOSettings, acting, entropy_of, gaussian
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from tenure.simulators.vec_env import SimulatorVecEnv
    from tenure.training.fast_ppo import FastPPO
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class FastPPOSettings(PPOSettings):
    """PPO with the settings of `ppo`, other defaults, and:

    Args:
        shared: actor and critic share their hidden layers, with ReLU; otherwise each has its own, with tanh, as in
            `ppo`.

    Raises:
        SettingsError: as for `ppo`, or a trunk without layers.
    """

    recipe: ClassVar[str] = "fast_ppo"

    worlds: int = 1024
    rollout: int = 32
    batch: int = 8192
    epochs: int = 4
    shared: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shared and not self.net:
            raise self.wrong("at least one layer in net to share", "net=()", "give net a size, or set shared = false")


def new_fast_ppo(worlds: SimulatorVecEnv, settings: FastPPOSettings, seed: int) -> FastPPO:
    """An untrained learner; its learning rate falls linearly to 1 % of the first, as that of `ppo`."""
    from tenure.training.fast_ppo import ONE_CALL, FastPPO, shared_trunk
    from tenure.training.vectors import UnitVectors

    space = worlds.problem.action
    layers: dict[str, Any] = shared_trunk(settings.net) if settings.shared else {"net_arch": list(settings.net)}
    return FastPPO(
        "MlpPolicy",
        UnitVectors(worlds, space) if isinstance(space, Box) else worlds,
        masked=is_masked(worlds.problem, worlds.simulator),
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=worlds.problem.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        learning_rate=lambda left: settings.learning_rate * max(left, 0.01),
        policy_kwargs={**layers, **gaussian(worlds.problem), "optimizer_kwargs": ONE_CALL},
        seed=seed,
    )


def layers_acting(policy: Any) -> tuple[nn.Module, nn.Module]:
    """The layers that act: the trunk where there is one, or the actor's own, and the head."""
    from tenure.training.fast_ppo import Trunk

    body, head = acting(policy)
    trunk = policy.features_extractor
    return (trunk.layers, head) if isinstance(trunk, Trunk) else (body, head)


def train_fast_ppo(ground: Ground) -> Trained:
    """One seed."""
    settings = ground.settings
    assert isinstance(settings, FastPPOSettings)
    model = new_fast_ppo(ground.worlds, settings, ground.seed)
    per_update = settings.worlds * settings.rollout
    gradient_steps = per_update // settings.batch * settings.epochs
    return ground.learn(
        model,
        layers_acting,
        gradient_steps=lambda: model.num_timesteps // per_update * gradient_steps,
        entropy=entropy_of(settings),
    )


RECIPE = Recipe(
    "fast_ppo",
    "proximal policy optimisation, fast",
    "any",
    FastPPOSettings,
    train_fast_ppo,
    source="Schulman et al. (2017); Stable-Baselines3's, its rollouts, buffer and update made wider",
    masks=True,
)
