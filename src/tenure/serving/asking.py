"""What is asked, on what it is decided, and the neighbours a decision may call on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.rollout.rules import ExplorationRule, HumanRule
from tenure.serving.wire import DecisionRequest
from tenure.store import Control, Recent, Store, Trip

NOTHING: Counter[str] = Counter()
"""No explored decision beside those of the log."""


@dataclass(frozen=True)
class Asked:
    """A group of n requests that can be answered.

    Args:
        requests: each with its id.
        observation: float32 [n, features].
        allowed: allowed actions, at least one per row, [n, actions]; None when all are.
    """

    requests: Sequence[DecisionRequest]
    observation: Floats
    allowed: Bools | None

    def only(self, rows: Sequence[int]) -> Asked:
        """Some of them."""
        allowed = None if self.allowed is None else self.allowed[rows]
        return Asked([self.requests[row] for row in rows], self.observation[rows], allowed)

    @classmethod
    def joined(cls, groups: Sequence[Asked]) -> Asked:
        """Several groups of one problem as one."""
        if len(groups) == 1:
            return groups[0]
        requests = [request for group in groups for request in group.requests]
        observation = np.concatenate([group.observation for group in groups])
        if all(group.allowed is None for group in groups):
            return cls(requests, observation, None)
        size = next(group.allowed.shape[1] for group in groups if group.allowed is not None)
        every = [np.ones((len(g.requests), size), dtype=bool) if g.allowed is None else g.allowed for g in groups]
        return cls(requests, observation, np.concatenate(every))


class Situation(NamedTuple):
    """What a group is decided on: the requests, where the rollout stands, the moment, and a word of doubt or none."""

    asked: Asked
    control: Control
    now: datetime
    doubt: str = ""


class Exploring(Protocol):
    """How much is explored; `rollout.Exploration` keeps budgets, `Steady` knows none."""

    @property
    def scale(self) -> float:
        """Standard deviation of an explored vector's numbers, as a share of their range."""
        ...

    def segment(self, context: Mapping[str, float]) -> str:
        """What a request's exploration is counted under."""
        ...

    def epsilon(self, segment: str, now: datetime, control: Control, beside: Counter[str] = NOTHING) -> float:
        """Share of the candidate's decisions to draw at random now, in [0, 1].

        Args:
            segment: of the request.
            now: the moment.
            control: where the rollout stands.
            beside: explored decisions by segment that are not in the log yet, of the same group.
        """
        ...

    def update(self, segment: str, now: datetime, explored: bool) -> None:
        """One learned decision is in the log."""
        ...


class Humans(Protocol):
    """Which proposals a person must approve."""

    def asks(self, context: Mapping[str, float], action_label: str, confidence: float) -> HumanRule | None:
        """The rule that asks for a person; None when nobody is needed."""
        ...


class Breaking(Protocol):
    """What watches single decisions and stops the candidate."""

    def fold(self, recent: Recent) -> Trip | None:
        """Sees new outcomes, inside the transaction that writes them."""
        ...

    def look(self, store: Store, now: datetime) -> None:
        """Sees new decisions, behind the answers."""
        ...


class Steady:
    """Explores at one rate, which the head of the log may override."""

    def __init__(self, rate: float, scale: float = ExplorationRule().scale) -> None:
        self._rate, self.scale = rate, scale

    def segment(self, context: Mapping[str, float]) -> str:
        del context
        return ""

    def epsilon(self, segment: str, now: datetime, control: Control, beside: Counter[str] = NOTHING) -> float:
        del segment, now, beside
        return self._rate if control.exploration is None else control.exploration

    def update(self, segment: str, now: datetime, explored: bool) -> None:
        """Nothing to count."""


class NoBreakers:
    """Nothing watches."""

    def fold(self, recent: Recent) -> Trip | None:
        del recent
        return None

    def look(self, store: Store, now: datetime) -> None:
        """Nothing to see."""
