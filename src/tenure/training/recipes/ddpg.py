"""DDPG: a deterministic actor and one critic; TD3 is its steadier successor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tenure.training.recipes.off_policy import OffPolicySettings, learn_off_policy, shaken, squashed
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class DDPGSettings(OffPolicySettings):
    """Deep deterministic policy gradient (Lillicrap et al. 2016); beside what every recipe with a buffer takes:

    Args:
        noise: standard deviation of what is added to each number to explore, as a share of half its range.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "ddpg"

    noise: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.above_zero(noise=self.noise)


def train_ddpg(ground: Ground) -> Trained:
    """One seed."""
    from stable_baselines3 import DDPG

    settings = ground.settings
    assert isinstance(settings, DDPGSettings)
    model = DDPG(
        "MlpPolicy",
        ground.vectors,
        action_noise=shaken(ground, settings.noise),
        policy_kwargs={"net_arch": list(settings.net)},
        **settings.common(ground),
    )
    return learn_off_policy(ground, model, acting=lambda policy: squashed(policy.actor))


RECIPE = Recipe(
    "ddpg",
    "deep deterministic policy gradient",
    "box",
    DDPGSettings,
    train_ddpg,
    source="Lillicrap et al. (2016), by Stable-Baselines3",
)
