"""Deep sea (bsuite, Osband et al. 2020): N steps down a grid; right costs 0.01 / N and pays 1 in the last corner only.

Every path but one earns at most 0. Random actions find it once in 2^N episodes; an ensemble that begins from different
values tries a direction for a whole episode, and finds it in a number of episodes that grows as a power of N.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.training.exploration import Decay

SIZES, SEEDS, MOST = (8, 12, 16), 5, 10_000
GOOD = 0.9
"""Share of the last 100 episodes that must earn the prize: the problem is solved."""


class Values:
    """Tables of values, one per member, with a deep exploration that needs nothing but their disagreement.

    Args:
        size: N.
        members: tables; one is plain Q-learning.
        prior: deviation of the first values of each member, kept as a fixed addition; 0 for none.
        rng: all chance.

    Source: Osband et al. (2016), bootstrapped DQN; Osband et al. (2018), randomised prior functions.
    """

    def __init__(self, size: int, members: int, prior: float, rng: np.random.Generator) -> None:
        self.size, self.rng = size, rng
        self.learned = np.zeros((members, size, size, 2))
        self.prior = prior * rng.standard_normal(self.learned.shape)
        self.right = rng.integers(0, 2, (size, size))

    @property
    def values(self) -> Floats:
        """[members, row, column, left or right by the table's own labels]."""
        return self.learned + self.prior

    def episode(self, member: int, epsilon: float) -> bool:
        """One descent by a member's table, learned from by all; True where it earned the prize."""
        column, path = 0, np.zeros((self.size, 2), dtype=np.int64)
        values = self.values[member]
        for row in range(self.size):
            one = values[row, column]
            random = self.rng.random() < epsilon or one[0] == one[1]
            action = int(self.rng.integers(0, 2)) if random else int(one.argmax())
            path[row] = column, action
            column = self._moved(row, column, action)
        self._learn(path)
        return bool((self._is_right(path)).all())

    def _moved(self, row: int, column: int, action: int) -> int:
        return column + 1 if action == self.right[row, column] else max(column - 1, 0)

    def _is_right(self, path: Ints) -> Bools:
        rows = np.arange(self.size)
        return np.asarray(path[:, 1] == self.right[rows, path[:, 0]])

    def _learn(self, path: Ints) -> None:
        """From the last row up, each member with Poisson(1) weights; a weight counts as so many updates of rate 1/2."""
        right = self._is_right(path)
        weight = self.rng.poisson(1.0, (len(self.learned), self.size)) if len(self.learned) > 1 else None
        for row in reversed(range(self.size)):
            column, action = path[row]
            reward = -0.01 / self.size * right[row] + (1.0 if row == self.size - 1 and right.all() else 0.0)
            ahead = 0.0
            if row + 1 < self.size:
                ahead = self.values[:, row + 1, self._moved(row, column, action)].max(axis=1)
            rate = 0.5 if weight is None else 1 - 0.5 ** weight[:, row]
            gap = reward + ahead - self.values[:, row, column, action]
            self.learned[:, row, column, action] += rate * gap


def solved_after(size: int, members: int, prior: float, epsilon: Decay, seed: int, most: int = MOST) -> int | None:
    """Episodes until `GOOD` of the last 100 earned the prize; None where `most` were too few."""
    rng = np.random.default_rng([seed, size])
    values, won = Values(size, members, prior, rng), np.zeros(100, dtype=bool)
    for count in range(most):
        won[count % 100] = values.episode(int(rng.integers(members)), epsilon(count / most))
        if won.mean() >= GOOD:
            return count + 1
    return None


def sea() -> Iterator[list[str]]:
    """Rows: who, size, seeds solved, median episodes."""
    ways = {"epsilon-greedy 0.1": (1, 0.0, Decay(0.1, 0.1)), "epsilon 0.3 to 0.01": (1, 0.0, Decay(0.3, 0.01))}
    ways |= {"bootstrap of 20": (20, 1.0, Decay(0.0, 0.0))}
    for name, (members, prior, epsilon) in ways.items():
        medians: list[float] = []
        for size in SIZES:
            found = [solved_after(size, members, prior, epsilon, seed) for seed in range(SEEDS)]
            medians.append(float(np.median([MOST if one is None else one for one in found])))
            solved = sum(one is not None for one in found)
            yield [f"deep sea {size}", name, f"{solved} of {SEEDS}", f"{medians[-1]:.0f}"]
        if max(medians) < MOST:
            power = np.polyfit(np.log(SIZES), np.log(medians), 1)[0]
            yield ["deep sea", name, "all", f"grows as N to the power of {power:.1f}"]
