"""A number that falls while training goes on: a share of random actions, a temperature, the weight of a bonus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import SettingsError

Shape = Literal["linear", "exponential"]
SHAPES = get_args(Shape)


@dataclass(frozen=True)
class Decay:
    """From `first` to `last` over a share of the training, then `last`.

    Args:
        first, last: at the start and in the end, at least 0; for `exponential` above 0.
        over: share of the training it takes, in (0, 1].
        shape: `linear`, by equal steps; `exponential`, by equal factors, so that most of the fall comes early.

    Raises:
        SettingsError: a number is out of its range.

    >>> Decay(0.3, 0.03, shape="exponential")(0.5)
    0.0948...
    """

    first: float = 0.3
    last: float = 0.01
    over: float = 1.0
    shape: Shape = "linear"

    def __post_init__(self) -> None:
        least = min(self.first, self.last)
        if not (least > 0 if self.shape == "exponential" else least >= 0):
            raise _wrong("first and last above 0 where the fall is exponential, else at least 0", f"{least:g}")
        if not 0 < self.over <= 1:
            raise _wrong("over in (0, 1]", f"{self.over:g}")
        if self.shape not in SHAPES:
            raise _wrong(f"a shape of {list(SHAPES)}", repr(self.shape))

    def __call__(self, done: float) -> float:
        """The number once this share of the training, in [0, 1], is done."""
        share = min(done / self.over, 1.0)
        if self.shape == "exponential":
            return float(self.first * (self.last / self.first) ** share)
        return self.first + share * (self.last - self.first)


class ValueDifference:
    """A share of random actions for each cell of a table: high where its values still move.

    An update by `moved` draws it towards (1 - e) / (1 + e), e = exp(-moved / sensitivity), by 1 / actions.

    Args:
        cells, actions: of the table.
        first: share in every cell at the start, in [0, 1]; the paper takes 1.
        last: share it never falls below, in [0, 1].
        sensitivity: a move of a value that keeps it at 0.46, in reward units, above 0.

    Source: Tokic (2010), "Adaptive epsilon-greedy exploration in reinforcement learning based on value differences",
    equations 8 and 9; the floor is ours.
    """

    def __init__(self, cells: int, actions: int, first: float, last: float, sensitivity: float) -> None:
        if not 0 < sensitivity < np.inf:
            raise _wrong("a sensitivity above 0", f"{sensitivity:g}")
        self.epsilon = np.full(cells, first)
        self._rate, self._last, self._sensitivity = 1 / actions, last, sensitivity

    def __call__(self, cell: Ints) -> Floats:
        """Share of random actions in each cell; [n]."""
        return np.asarray(np.maximum(self.epsilon[cell], self._last))

    def update(self, cell: Ints, moved: Floats) -> None:
        """Look at what an update did.

        Args:
            cell: updated; [n]; a cell that comes more than once counts with the mean of its moves, once for each.
            moved: how far its value went, at least 0; [n].
        """
        fall = np.exp(-np.abs(moved) / self._sensitivity)
        entry, group = np.unique(cell, return_inverse=True)
        count = np.bincount(group)
        towards = np.bincount(group, weights=(1 - fall) / (1 + fall)) / count
        kept = (1 - self._rate) ** count
        self.epsilon[entry] = kept * self.epsilon[entry] + (1 - kept) * towards


def _wrong(expected: str, found: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="an exploration schedule", fix="correct the number")
