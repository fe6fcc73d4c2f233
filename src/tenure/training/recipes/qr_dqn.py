"""QR-DQN of sb3-contrib: the whole distribution of each action's return by its quantiles, acting by their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.training.recipes.dqn import DQNSettings, falling
from tenure.training.recipes.off_policy import learn_off_policy
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class QRDQNSettings(DQNSettings):
    """Quantile regression DQN (Dabney et al. 2018) on a batch of worlds; beside what DQN takes:

    Args:
        quantiles: of each action's return.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "qr_dqn"

    quantiles: int = 25

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(2, quantiles=self.quantiles)


def acting(policy: Any) -> tuple[Any, Any]:
    """Body and head of the quantile network; the head is folded, so that it answers the mean of each action's."""
    import torch
    from torch import nn

    network = policy.quantile_net
    layers, n = list(network.quantile_net), network.n_quantiles
    last = layers[-1]
    head = nn.Linear(last.in_features, last.out_features // n)
    with torch.no_grad():  # quantile by quantile, each with every action: [quantiles * actions] as they are laid out
        head.weight.copy_(last.weight.view(n, -1, last.in_features).mean(dim=0))
        head.bias.copy_(last.bias.view(n, -1).mean(dim=0))
    return nn.Sequential(*layers[:-1]), head


def train_qr_dqn(ground: Ground) -> Trained:
    """One seed. A forbidden action gives way to the nearest allowed one, whose outcome it is then taken to have."""
    from sb3_contrib import QRDQN

    settings = ground.settings
    assert isinstance(settings, QRDQNSettings)
    exploring = settings.exploring()
    exploring["policy_kwargs"]["n_quantiles"] = settings.quantiles
    model = QRDQN("MlpPolicy", ground.vectors, **settings.common(ground), **exploring)
    return learn_off_policy(ground, falling(model, settings), acting)


RECIPE = Recipe(
    "qr_dqn",
    "quantile regression DQN",
    "discrete",
    QRDQNSettings,
    train_qr_dqn,
    source="Dabney et al. (2018), by sb3-contrib; exploration from 0.3 to 0.01",
)
