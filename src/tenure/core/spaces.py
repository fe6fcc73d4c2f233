"""What is seen and what can be done: features and action spaces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats

Action = int | tuple[float, ...]
"""What is done: an index into the labels of a `Discrete`, or the vector of a `Box`."""
APART = 0.05
"""Two vectors are different actions where a number of theirs is farther apart than this share of its range. A choice:
far above what another processor's rounding makes, far below a push anybody would call another one."""


@dataclass(frozen=True)
class Feature:
    """One number the decision maker sees.

    Args:
        name: the key under which a request sends it.
        unit: its unit, in words.
        low: smallest legal value, in that unit.
        high: largest legal value.
        about: one sentence for the reader.
        default: value used when a request leaves it out; None refuses such a request.
        known: when the value is known where decisions are really taken: at the decision, only after it, or `simulated`
            for what only a simulator can read off (ground truth, instruments); the last two are no observation.
        lag: steps by which the value is older than the decision.
        per: another feature, always positive, by which a learner divides this one, so that units of
            different size look alike to it; requests and logs keep the plain value.
    """

    name: str
    unit: str
    low: float = -math.inf
    high: float = math.inf
    about: str = ""
    default: float | None = None
    known: Literal["at_decision", "after", "simulated"] = "at_decision"
    lag: int = 0
    per: str | None = None


@dataclass(frozen=True)
class Discrete:
    """A finite set of labelled actions; the action itself is an index into the labels."""

    labels: tuple[str, ...]
    unit: str = ""

    @property
    def size(self) -> int:
        """How many actions there are."""
        return len(self.labels)

    def word(self, action: Action) -> str:
        """An action in words: its label."""
        assert not isinstance(action, tuple)
        return self.labels[action]


@dataclass(frozen=True)
class Box:
    """A vector of real numbers, each with its name, unit and bounds."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def size(self) -> int:
        """How many numbers an action is."""
        return len(self.names)

    def holds(self, action: Floats) -> Bools:
        """Whether every number of each vector is finite and within its bounds; from [..., numbers] to bool [...]."""
        within = (action >= self.low) & (action <= self.high)
        return np.asarray((within & np.isfinite(action)).all(axis=-1))

    def nearest(self, action: Floats) -> Floats:
        """Each number cut off at its bounds; [..., numbers]. NaN stays NaN."""
        return np.clip(action, self.low, self.high)

    def apart(self, one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
        """Largest difference of a number between two vectors, as a share of its range; [..., numbers] to [...].

        >>> float(Box(("a", "b"), ("m", "m"), (0.0, 0.0), (1.0, 10.0)).apart((0.0, 0.0), (0.25, 5.0)))
        0.5
        """
        width = np.subtract(self.high, self.low)
        return np.asarray((np.abs(np.subtract(one, other)) / width).max(axis=-1))

    def word(self, action: Action) -> str:
        """An action in words: every number with its name.

        >>> Box(("shoulder", "elbow"), ("", ""), (-1.0, -1.0), (1.0, 1.0)).word((0.5, -1.0))
        'shoulder 0.5, elbow -1'
        """
        assert isinstance(action, tuple)
        return ", ".join(f"{name} {number:.4g}" for name, number in zip(self.names, action, strict=True))
