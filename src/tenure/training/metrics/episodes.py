"""Length and return of the episodes that ended, from blocks of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats

WINDOW = 100
"""Episodes of the moving mean."""
KEPT = ("_length", "_return", "_whole", "_latest")
"""What goes on over checkpoints."""


class EpisodeMeter:
    """Episodes of n worlds; each world's first one is left out, since staggered starts cut it short.

    >>> meter = EpisodeMeter(1)
    >>> over = np.array([[True], [False], [True]])
    >>> meter.update(np.array([[9.0], [1.0], [2.0]]), over)
    >>> found = meter.take()
    >>> found["episodes"], found["episode_length"], found["return_mean"]
    (1.0, 2.0, 3.0)
    """

    def __init__(self, n: int) -> None:
        self._length, self._return = np.zeros(n, dtype=np.int64), np.zeros(n)
        self._whole = np.zeros(n, dtype=bool)
        self._latest = np.zeros(0)
        self._ended: list[tuple[Floats, Floats]] = []

    def update(self, reward: Floats, over: Bools) -> None:
        """Count a block of steps.

        Args:
            reward: of each decision; [steps, n].
            over: the episode ended with it; bool [steps, n].
        """
        steps = len(reward)
        earned = self._return + np.cumsum(reward, axis=0)
        world, at = np.nonzero(over.T)  # world by world, each in the order of time
        first = np.ones(len(world), dtype=bool)
        first[1:] = world[1:] != world[:-1]
        before = np.where(first, -1, np.roll(at, 1))
        length = at - before + np.where(first, self._length[world], 0)
        total = earned[at, world] - np.where(first, 0.0, earned[before, world])
        whole = ~first | self._whole[world]
        order = np.argsort(at[whole], kind="stable")
        self._note(length[whole][order].astype(float), total[whole][order])
        last = np.full(len(self._whole), -1)
        last[world] = at  # of several ends of a world the last one stays
        ended = last >= 0
        self._return = earned[-1] - np.where(ended, earned[last, np.arange(len(last))], 0.0)
        self._length = np.where(ended, steps - 1 - last, self._length + steps)
        self._whole = self._whole | ended

    def take(self) -> dict[str, float]:
        """Metrics of the episodes since the last time; without any, of the moving mean alone."""
        found: dict[str, float] = {}
        if self._ended:
            length, total = (np.concatenate(part) for part in zip(*self._ended, strict=True))
            found = {"episodes": float(len(total)), "episode_length": float(length.mean())}
            found |= {"return_mean": float(total.mean()), "return_std": float(total.std())}
            found |= {"return_max": float(total.max()), "return_min": float(total.min())}
        if len(self._latest) == WINDOW:
            found["return_mean_100"] = float(self._latest.mean())
        self._ended = []
        return found

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints; call it after `take`."""
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint."""
        for name in KEPT:
            setattr(self, name, state[name])
        self._ended = []

    def _note(self, length: Floats, total: Floats) -> None:
        if len(total):
            self._ended.append((length, total))
            self._latest = np.concatenate([self._latest, total])[-WINDOW:]
