"""What was chosen in one situation, and what waits for a person beside it."""

from __future__ import annotations

from typing import NamedTuple

from tenure.core.decision import Arm
from tenure.core.spaces import Action
from tenure.rollout.rules import HumanRule


class Held(NamedTuple):
    """A learned proposal that waits for a person."""

    rule: HumanRule
    action: int
    confidence: float
    version: str


class Choice(NamedTuple):
    """What is done in one situation, who decided so and why; probability over split, exploration and people.

    A vector that was drawn has a density instead of a probability.
    """

    action: Action
    arm: Arm
    version: str
    confidence: float
    explored: bool
    propensity: float | None
    reason: str
    held: Held | None = None
    density: float | None = None
