"""TD3: a deterministic actor with two critics, updated half as often as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tenure.training.recipes.off_policy import OffPolicySettings, learn_off_policy, shaken, squashed
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class TD3Settings(OffPolicySettings):
    """Twin delayed deterministic policy gradient (Fujimoto et al. 2018); beside what every recipe with a buffer takes:

    Args:
        noise: standard deviation of what is added to each number to explore, as a share of half its range.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "td3"

    noise: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.above_zero(noise=self.noise)


def train_td3(ground: Ground) -> Trained:
    """One seed."""
    from stable_baselines3 import TD3

    settings = ground.settings
    assert isinstance(settings, TD3Settings)
    model = TD3(
        "MlpPolicy",
        ground.vectors,
        action_noise=shaken(ground, settings.noise),
        policy_kwargs={"net_arch": list(settings.net)},
        **settings.common(ground),
    )
    return learn_off_policy(ground, model, acting=lambda policy: squashed(policy.actor))


RECIPE = Recipe(
    "td3",
    "twin delayed deterministic policy gradient",
    "box",
    TD3Settings,
    train_td3,
    source="Fujimoto et al. (2018), by Stable-Baselines3",
)
