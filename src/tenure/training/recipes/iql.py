"""Implicit Q-learning: the best of what the log did, never asking the value of what it did not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.core.spaces import Box
from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.core.problem import Problem
    from tenure.training.ground import Ground, Trained
    from tenure.training.offline_learning import Actor


@dataclass(frozen=True)
class IQLSettings(OfflineSettings):
    """Values by expectile regression, then cloning weighted by advantage.

    Args:
        expectile: of the values of logged actions, in [0.5, 1); 0.5 is their mean, near 1 the best of them. 0.7 in the
            paper's locomotion tasks.
        temperature: inverse one of the weights exp(temperature * advantage), in reward deviations; 3 in the paper.

    Raises:
        SettingsError: a value is out of its range.
    """

    recipe: ClassVar[str] = "iql"

    expectile: float = 0.7
    temperature: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(0.5, 0.999, expectile=self.expectile)
        self.above_zero(temperature=self.temperature)


class IQL:
    """An actor, two values of actions, one of situations, and torchrl's `IQLLoss` or `DiscreteIQLLoss`."""

    def __init__(self, problem: Problem, settings: IQLSettings) -> None:
        from tenure.training.offline_learning import Actor, stepper

        self.actor = Actor(problem, settings.net)
        loss = _loss(problem, settings, self.actor)
        loss.make_value_estimator(gamma=problem.discount)
        self.loss, self.stepper = loss, stepper(loss, settings)

    def update(self, batch: Any, share: float) -> Mapping[str, float]:  # noqa: ARG002
        """One gradient step of all three losses."""
        found = self.loss(batch)
        losses = {name: found[name] for name in ("loss_actor", "loss_qvalue", "loss_value")}
        self.stepper.step(sum(losses.values()))
        return {f"train/{name}": float(loss.detach()) for name, loss in losses.items()}


def _loss(problem: Problem, settings: IQLSettings, actor: Actor) -> Any:
    from tensordict.nn import TensorDictModule
    from torchrl.objectives import DiscreteIQLLoss, IQLLoss

    from tenure.training.offline_learning import Joined, network

    features, chosen = len(problem.observation), {"expectile": settings.expectile, "temperature": settings.temperature}
    value = TensorDictModule(network(features, settings.net, 1), in_keys=["observation"], out_keys=["state_value"])
    if isinstance(problem.action, Box):
        joined = Joined(problem, settings.net)
        q = TensorDictModule(joined, in_keys=["observation", "action"], out_keys=["state_action_value"])
        return IQLLoss(actor.as_torchrl(), q, value, loss_function="l2", **chosen)
    each = network(features, settings.net, problem.action.size)
    q = TensorDictModule(each, in_keys=["observation"], out_keys=["state_action_value"])
    return DiscreteIQLLoss(actor.as_torchrl(), q, value, action_space="categorical", loss_function="l2", **chosen)


def train_iql(ground: Ground) -> Trained:
    """One seed."""
    from tenure.training.offline_learning import train_from_log

    return train_from_log(ground, IQL, values=True)


RECIPE = Recipe(
    "iql",
    "implicit Q-learning from a log",
    "any",
    IQLSettings,
    train_iql,
    source="Kostrikov, Nair and Levine (2022); torchrl's IQLLoss and DiscreteIQLLoss",
    learns_from="log",
    climbs=False,
)
