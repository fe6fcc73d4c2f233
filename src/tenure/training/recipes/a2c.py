"""A2C of Stable-Baselines3: an actor and a critic that learn from short stretches, one gradient step each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tenure.training.recipes.ppo import acting, entropy_of, gaussian
from tenure.training.recipes.recipe import Recipe
from tenure.training.settings import SHORT, Settings

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class A2CSettings(Settings):
    """Advantage actor-critic (Mnih et al. 2016) on a batch of worlds; beside what every recipe takes:

    Args:
        steps: decisions over all worlds.
        worlds: stepped side by side.
        learning_rate: of the networks, at the start; it falls linearly to 1 % of it.
        rollout: steps of each world between two updates, each of one gradient step.
        gae_lambda: generalised advantage estimation (Schulman et al. 2016), in [0, 1].
        entropy: weight of the policy's entropy in the loss, at least 0.
        entropy_last: the weight in the end, at least 0, to which it goes linearly; None keeps it.
        checkpoint_every: gradient steps between checkpoints.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "a2c"

    worlds: int = 64
    learning_rate: float = 1e-3
    rollout: int = 16
    gae_lambda: float = 0.95
    entropy: float = 0.0
    entropy_last: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(1, rollout=self.rollout)
        self.in_range(0, 1, gae_lambda=self.gae_lambda)
        self.in_range(0, entropy=self.entropy, entropy_last=self.entropy_last or 0.0)


def train_a2c(ground: Ground) -> Trained:
    """One seed. A forbidden action gives way to the nearest allowed one, whose outcome it is then taken to have."""
    from stable_baselines3 import A2C

    settings = ground.settings
    assert isinstance(settings, A2CSettings)
    model = A2C(
        "MlpPolicy",
        ground.vectors,
        n_steps=settings.rollout,
        gamma=ground.problem.discount,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        learning_rate=lambda left: settings.learning_rate * max(left, 0.01),
        policy_kwargs={"net_arch": list(settings.net), **gaussian(ground.problem)},
        seed=ground.seed,
        device="cpu",
    )
    per_update = settings.worlds * settings.rollout
    return ground.learn(
        model,
        acting,
        gradient_steps=lambda: model.num_timesteps // per_update,
        dual_every=SHORT,
        entropy=entropy_of(settings),
    )


RECIPE = Recipe(
    "a2c",
    "advantage actor-critic",
    "any",
    A2CSettings,
    train_a2c,
    source="Mnih et al. (2016), by Stable-Baselines3",
)
