"""Conservative Q-learning: values that are low wherever the log has nothing to show, and the best action by them."""

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


@dataclass(frozen=True)
class CQLSettings(OfflineSettings):
    """Q-learning with a penalty on the values of actions that the log did not take.

    Args:
        penalty: its weight, at least 0, in reward deviations; 1 for labels as in the paper's Atari runs on much data.
        cloned: share of the first steps in which the actor of a `Box` copies the log, as in the paper's code.

    Raises:
        SettingsError: a value is out of its range.
    """

    recipe: ClassVar[str] = "cql"

    penalty: float = 1.0
    cloned: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.in_range(0, penalty=self.penalty)
        self.in_range(0, 1, cloned=self.cloned)


class DiscreteCQL:
    """One network of values, whose best action is taken, and torchrl's `DiscreteCQLLoss`."""

    def __init__(self, problem: Problem, settings: CQLSettings) -> None:
        from torchrl.modules import QValueActor
        from torchrl.objectives import DiscreteCQLLoss

        from tenure.training.offline_learning import Actor, stepper

        self.actor, self.penalty = Actor(problem, settings.net), settings.penalty
        self.actor.log_std.requires_grad = False
        mask = {"action_mask_key": "allowed"} if problem.constraints else {}
        q = QValueActor(self.actor, in_keys=["observation"], action_space="categorical", **mask)
        loss = DiscreteCQLLoss(q, action_space="categorical")
        loss.make_value_estimator(gamma=problem.discount)
        self.loss, self.stepper = loss, stepper(loss, settings)

    def update(self, batch: Any, share: float) -> Mapping[str, float]:  # noqa: ARG002
        """One gradient step."""
        found = self.loss(batch)
        self.stepper.step(found["loss_qvalue"] + self.penalty * found["loss_cql"])
        return {f"train/{name}": float(found[name].detach()) for name in ("loss_qvalue", "loss_cql")}


class BoxCQL:
    """An actor, two values of situation and vector, and torchrl's `CQLLoss`."""

    def __init__(self, problem: Problem, settings: CQLSettings) -> None:
        from tensordict.nn import TensorDictModule
        from torchrl.objectives import CQLLoss

        from tenure.training.offline_learning import Actor, Joined, stepper

        self.actor = Actor(problem, settings.net)
        joined = Joined(problem, settings.net)
        q = TensorDictModule(joined, in_keys=["observation", "action"], out_keys=["state_action_value"])
        entropy = -float(problem.action.size)
        loss = CQLLoss(
            self.actor.as_torchrl(), q, target_entropy=entropy, min_q_weight=settings.penalty, loss_function="l2"
        )
        loss.make_value_estimator(gamma=problem.discount)
        self.loss, self.stepper = loss, stepper(loss, settings)
        self.cloned = settings.cloned

    def update(self, batch: Any, share: float) -> Mapping[str, float]:
        """One gradient step of all losses."""
        found = self.loss(batch)
        actor = "loss_actor_bc" if share < self.cloned else "loss_actor"
        losses = {name: found[name] for name in (actor, "loss_qvalue", "loss_cql", "loss_alpha")}
        self.stepper.step(sum(losses.values()))
        return {f"train/{name}": float(loss.detach()) for name, loss in losses.items()}


def train_cql(ground: Ground) -> Trained:
    """One seed."""
    from tenure.training.offline_learning import train_from_log

    build: Any = BoxCQL if isinstance(ground.problem.action, Box) else DiscreteCQL
    return train_from_log(ground, build, values=True)


RECIPE = Recipe(
    "cql",
    "conservative Q-learning from a log",
    "any",
    CQLSettings,
    train_cql,
    source="Kumar, Zhou, Tucker and Levine (2020); torchrl's CQLLoss and DiscreteCQLLoss",
    learns_from="log",
    climbs=False,
)
