"""TQC: SAC with critics that learn quantiles and leave out the highest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tenure.training.recipes.off_policy import OffPolicySettings, learn_off_policy, tanh_mean
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class TQCSettings(OffPolicySettings):
    """Truncated quantile critics (Kuznetsov et al. 2020) on a batch of worlds, with the settings of a buffer.

    The weight of the policy's entropy is learned.
    """

    recipe: ClassVar[str] = "tqc"


def train_tqc(ground: Ground) -> Trained:
    """One seed."""
    from sb3_contrib import TQC

    settings = ground.settings
    assert isinstance(settings, TQCSettings)
    network = {"net_arch": list(settings.net)}
    model = TQC("MlpPolicy", ground.vectors, policy_kwargs=network, **settings.common(ground))
    return learn_off_policy(ground, model, acting=lambda policy: tanh_mean(policy.actor))


RECIPE = Recipe(
    "tqc", "truncated quantile critics", "box", TQCSettings, train_tqc, source="Kuznetsov et al. (2020), by sb3-contrib"
)
