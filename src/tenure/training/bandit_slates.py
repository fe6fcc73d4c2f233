"""Slates: several different actions side by side, with the probability of each at its position.

Where positions are decided apart, as separate requests with the position as a feature, no slate is needed: each is a
decision of its own, and its propensity is P(item at that position). So it is in the Open Bandit Data, which keep
positions as rows; items of one visit differ there, so a shop that fills a page uses `slate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.store.bundles import sampled


class Distributed(Protocol):
    """A policy that can tell the probability of every action, such as `Bandit`."""

    def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """[n, actions], rows sum to 1."""
        ...


@dataclass(frozen=True, eq=False)
class Slate:
    """What n visitors are shown.

    Args:
        action: different actions, one per position; int64 [n, positions].
        propensity: P(that action at that position), over whatever stands above it; [n, positions]. This is what the
            Open Bandit Data log.
        given_above: the same, given what really stands above; its product over positions is P(the slate).
    """

    action: Ints
    propensity: Floats
    given_above: Floats


def slate(policy: Distributed, observation: Floats, allowed: Bools, draw: Floats) -> Slate:
    """Fill the positions from the first on, each by the policy's distribution over what is not shown yet.

    The propensities are exact: all ways to fill the positions above are summed, `actions ** (positions - 1)` of them.

    Args:
        policy: decides each position.
        observation: what it sees there; [positions, n, features].
        allowed: actions that may be shown; [n, actions].
        draw: one number in [0, 1) per row and position; [n, positions].

    Raises:
        DataError: some row has fewer allowed actions than positions.
    """
    positions, n = observation.shape[:2]
    if (allowed.sum(axis=1) < positions).any():
        raise DataError(
            expected=f"at least {positions} allowed actions in every row",
            found=f"{int(allowed.sum(axis=1).min())}",
            where="slate",
            fix="show fewer positions, or allow more",
        )
    action, given = np.empty((n, positions), dtype=np.int64), np.empty((n, positions))
    left, rows = allowed.copy(), np.arange(n)
    for position in range(positions):
        distribution = policy.distribution(observation[position], left)
        action[:, position] = sampled(distribution, draw[:, position]).action
        given[:, position] = distribution[rows, action[:, position]]
        left[rows, action[:, position]] = False
    at = marginals(policy, observation, allowed)
    return Slate(action, at[np.arange(positions), rows[:, None], action], given)


def marginals(policy: Distributed, observation: Floats, allowed: Bools) -> Floats:
    """P(action at position) of every action, whatever stands above; [positions, n, actions], each row sums to 1.

    Args:
        policy: decides each position.
        observation: what it sees there; [positions, n, features].
        allowed: actions that may be shown, at least one per position; [n, actions].
    """
    positions, n = observation.shape[:2]
    found = np.zeros((positions, n, allowed.shape[1]))
    row, chance, left = np.arange(n), np.ones(n), allowed
    for position in range(positions):
        joint = chance[:, None] * policy.distribution(observation[position][row], left)
        np.add.at(found[position], row, joint)
        if position + 1 < positions:
            # Only ways that can happen go on; each takes its own action away.
            way, taken = np.nonzero(joint)
            row, chance, left = row[way], joint[way, taken], left[way].copy()
            left[np.arange(len(way)), taken] = False
    return found
