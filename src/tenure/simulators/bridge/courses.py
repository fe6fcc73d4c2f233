"""Worlds in another process as values: a seed and the actions since, and perhaps a place in the process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats


@dataclass(frozen=True)
class Moment:
    """One world between two decisions: what is seen and allowed, what the step to here brought, and if it ended."""

    observation: Floats
    allowed: Bools
    signals: dict[str, float]
    terminated: bool


class Course:
    """One world since its seed. `place` is its number in the process that holds it now, and which process that is.

    Args:
        seed: of all its chance.
        level: its parameter set.
        actions: what was done.
        last: where that led; None until it is known.
        left: called with its place when nobody needs it any more.
    """

    def __init__(
        self,
        seed: int,
        level: str,
        actions: list[npt.NDArray[Any]],
        last: Moment | None,
        left: Callable[[tuple[int, int]], None],
    ) -> None:
        self.seed, self.level, self.actions, self.last, self._left = seed, level, actions, last, left
        self.place: tuple[int, int] | None = None

    def __del__(self) -> None:
        if self.place is not None:
            self._left(self.place)

    def __eq__(self, other: object) -> bool:
        """Both have one seed, and one goes on where the other ends."""
        if not isinstance(other, Course):
            return NotImplemented
        pairs = zip(self.actions, other.actions, strict=False)
        return self.seed == other.seed and all(np.array_equal(one, two) for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"the course of seed {self.seed}"

    @property
    def moment(self) -> Moment:
        """Where it stands."""
        assert self.last is not None
        return self.last

    def beginning(self, age: int, moment: Moment) -> Course:
        """A course of its own that begins as this one did, up to an age."""
        return Course(self.seed, self.level, self.actions[:age], moment, self._left)
