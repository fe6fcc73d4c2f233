"""DQN of Stable-Baselines3: the value of each action, learned from a buffer of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.training.exploration import Decay, Shape
from tenure.training.recipes.off_policy import OffPolicySettings, learn_off_policy
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class DQNSettings(OffPolicySettings):
    """Deep Q-networks (Mnih et al. 2015) on a batch of worlds; beside what every recipe with a buffer takes:

    Args:
        explore_first: share of random actions at the start, in [0, 1].
        explore_last: share of random actions in the end, in [0, 1].
        explore_for: share of the steps over which the one becomes the other, in (0, 1].
        decay: how: `linear`, or `exponential`, which tries less early on.
        target_every: steps of all worlds between two copies of the network into the target network.

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = "dqn"

    explore_first: float = 0.3
    explore_last: float = 0.01
    explore_for: float = 0.5
    decay: Shape = "linear"
    target_every: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(0, 1, explore_first=self.explore_first, explore_last=self.explore_last)
        self.in_range(1e-6, 1, explore_for=self.explore_for)
        self.in_range(1, target_every=self.target_every)
        if self.decay == "exponential":
            self.above_zero(explore_first=self.explore_first, explore_last=self.explore_last)

    def exploring(self) -> dict[str, Any]:
        """Arguments of both Q-network algorithms; Stable-Baselines3 counts the target's distance in decisions."""
        return {
            "exploration_initial_eps": self.explore_first,
            "exploration_final_eps": self.explore_last,
            "exploration_fraction": self.explore_for,
            "target_update_interval": self.target_every * self.worlds,
            "policy_kwargs": {"net_arch": list(self.net)},
        }


def falling(model: Any, settings: DQNSettings) -> Any:
    """The same learner, its share of random actions as the settings say; the linear one is its own already."""
    if settings.decay != "linear":
        decay = Decay(settings.explore_first, settings.explore_last, settings.explore_for, settings.decay)
        model.exploration_schedule = lambda left: decay(1.0 - left)
    return model


def acting(policy: Any) -> tuple[Any, Any]:
    """Body and head of the Q-network; its values stand where other recipes have logits."""
    layers = list(policy.q_net.q_net)
    return type(policy.q_net.q_net)(*layers[:-1]), layers[-1]


def train_dqn(ground: Ground) -> Trained:
    """One seed. A forbidden action gives way to the nearest allowed one, whose outcome it is then taken to have."""
    from stable_baselines3 import DQN

    settings = ground.settings
    assert isinstance(settings, DQNSettings)
    model = DQN("MlpPolicy", ground.vectors, **settings.common(ground), **settings.exploring())
    return learn_off_policy(ground, falling(model, settings), acting)


RECIPE = Recipe(
    "dqn",
    "deep Q-network",
    "discrete",
    DQNSettings,
    train_dqn,
    source="Mnih et al. (2015), by Stable-Baselines3; exploration from 0.3 to 0.01",
)
