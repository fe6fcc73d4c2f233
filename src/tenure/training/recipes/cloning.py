"""Behaviour cloning: do what the log did, as the floor that every other learner from the log must beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from tenure.core.problem import Problem
    from tenure.training.ground import Ground, Trained


@dataclass(frozen=True)
class CloningSettings(OfflineSettings):
    """Maximum likelihood of the logged actions. Rewards are not read but for choosing the checkpoint."""

    recipe: ClassVar[str] = "cloning"

    learning_rate: float = 1e-3


class Cloning:
    """One actor; the loss is the negative logarithm of the probability, or density, of what was done."""

    def __init__(self, problem: Problem, settings: CloningSettings) -> None:
        from tenure.training.offline_learning import Actor, stepper

        self.actor = Actor(problem, settings.net)
        self.policy = self.actor.as_torchrl()
        self.stepper = stepper(self.policy, settings)

    def update(self, batch: Any, share: float) -> Mapping[str, float]:  # noqa: ARG002
        """One gradient step."""
        loss = -self.policy.get_dist(batch).log_prob(batch["action"]).mean()
        self.stepper.step(loss)
        return {"train/loss": float(loss.detach())}


def train_cloning(ground: Ground) -> Trained:
    """One seed."""
    from tenure.training.offline_learning import train_from_log

    return train_from_log(ground, Cloning, values=False)


RECIPE = Recipe(
    "cloning",
    "behaviour cloning of a log",
    "any",
    CloningSettings,
    train_cloning,
    source="Pomerleau (1991)",
    learns_from="log",
    climbs=False,
)
