"""SAC: an actor that is paid for keeping its options open, with two critics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tenure.training.recipes.off_policy import OffPolicySettings, learn_off_policy, tanh_mean
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class SACSettings(OffPolicySettings):
    """Soft actor-critic (Haarnoja et al. 2018) on a batch of worlds, with the settings of a buffer.

    The weight of the policy's entropy is learned.
    """

    recipe: ClassVar[str] = "sac"


def train_sac(ground: Ground) -> Trained:
    """One seed."""
    from stable_baselines3 import SAC

    settings = ground.settings
    assert isinstance(settings, SACSettings)
    network = {"net_arch": list(settings.net)}
    model = SAC("MlpPolicy", ground.vectors, policy_kwargs=network, **settings.common(ground))
    return learn_off_policy(ground, model, acting=lambda policy: tanh_mean(policy.actor))


RECIPE = Recipe(
    "sac", "soft actor-critic", "box", SACSettings, train_sac, source="Haarnoja et al. (2018), by Stable-Baselines3"
)
