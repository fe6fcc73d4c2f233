"""A log too long to be held: whole episodes of it, chosen by their names, while it is read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import numpy as np

from tenure.core.arrays import Bools

Part = TypeVar("Part")
FEWEST = 200
"""Episodes that are kept however long they are: with fewer there is little to count by."""


class Sieve(Generic[Part]):
    """Keeps at most about so many decisions, in whole episodes, whatever order they come in.

    An episode stays while a number made of its name lies below the share; the share is halved whenever more decisions
    are held. So the same log gives the same episodes, in any order of its lines, and no more than `most` decisions and
    one part are held at a time, as long as `FEWEST` episodes do not need more.

    Args:
        most: decisions; None keeps all.
        names: of the episode of each decision of a part; [n].
        chosen: some decisions of a part, by flag.
    """

    def __init__(self, most: int | None, names: Callable[[Part], Any], chosen: Callable[[Part, Bools], Part]) -> None:
        self._most, self._names, self._chosen = most, names, chosen
        self._draws: dict[str, float] = {}
        self._held = 0
        self.parts: list[Part] = []
        self.share, self.read = 1.0, 0

    def take(self, parts: Iterable[Part]) -> None:
        """Read them all."""
        for part in parts:
            self.read += len(self._names(part))
            if self._most is None:
                self.parts.append(part)
                continue
            self._keep(part)
            while self._held > self._most and self._enough(self.share / 2):
                self.share /= 2
                held, self.parts, self._held = self.parts, [], 0
                self._draws = {name: draw for name, draw in self._draws.items() if draw < self.share}
                for each in held:
                    self._keep(each)

    def _keep(self, part: Part) -> None:
        known, key = np.unique(self._names(part).astype(str), return_inverse=True)
        draws = np.array([draw_of(name) for name in known])
        stays = draws < self.share
        self._draws.update(zip(known[stays].tolist(), draws[stays].tolist(), strict=True))
        flags = stays[key]
        self._held += int(flags.sum())
        if flags.any() or not self.parts:
            self.parts.append(self._chosen(part, flags))

    def _enough(self, share: float) -> bool:
        return sum(draw < share for draw in self._draws.values()) >= FEWEST


def draw_of(name: str) -> float:
    """A number in [0, 1) that a name always gives."""
    return zlib.crc32(name.encode()) / 2**32
