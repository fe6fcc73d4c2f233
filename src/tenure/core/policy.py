"""What decides: observations in, a proposal with its probability and confidence out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import BundleError


@dataclass(frozen=True)
class Proposal:
    """What a policy would do in each of n situations.

    Args:
        action: index of the chosen action; int64 [n].
        confidence: how sure the policy is, in [0, 1]; [n].
        distribution: probability of every action, [n, actions], rows sum to 1; None means the
            policy is deterministic and `action` has probability 1.
    """

    action: Ints
    confidence: Floats
    distribution: Floats | None = None

    def probability_of(self, action: Ints) -> Floats:
        """Probability this policy gives to some action of each row; [n], in [0, 1]."""
        if self.distribution is None:
            return np.asarray(self.action == action, dtype=float)
        return np.take_along_axis(self.distribution, action[:, None], axis=1)[:, 0]


class Policy(Protocol):
    """A decision rule, learned or written by hand."""

    @property
    def version(self) -> str:
        """What the log calls it."""
        ...

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """Decide.

        Args:
            observation: float32 [n, features], in the order of the problem.
            allowed: allowed actions, [n, actions]; None when all are.
            draw: one number in [0, 1) per row, the only chance a policy may use; [n].
        """
        ...


def check_policy(policy: Policy, observation: Floats, actions: int, allowed: Bools | None = None) -> None:
    """Conformance of any policy: legal actions, a batch equals singles, the same input the same answer.

    Args:
        policy: what to check.
        observation: situations to try it on; float32 [n, features].
        actions: size of the action space.
        allowed: allowed actions; [n, actions].

    Raises:
        BundleError: the first promise broken, with the row that shows it.
    """
    n = len(observation)
    draw = (np.arange(n) + 0.5) / n
    batch = policy.propose(observation, allowed, draw)
    again = policy.propose(observation, allowed, draw)
    for row in range(n):
        one = slice(row, row + 1)
        single = policy.propose(observation[one], None if allowed is None else allowed[one], draw[one])
        if not batch.action[row] == again.action[row] == single.action[0]:
            found = f"{batch.action[row]} in a batch, {again.action[row]} again, {single.action[0]} alone"
            raise _broken(policy, "the same action for the same observation", found, row)
        legal = 0 <= batch.action[row] < actions and (allowed is None or allowed[row, batch.action[row]])
        if not legal:
            raise _broken(policy, "an allowed action", str(batch.action[row]), row)
        if not 0 <= batch.confidence[row] <= 1:
            raise _broken(policy, "a confidence in [0, 1]", str(batch.confidence[row]), row)


def _broken(policy: Policy, expected: str, found: str, row: int) -> BundleError:
    return BundleError(
        expected=expected, found=found, where=f"policy {policy.version!r}, row {row}", fix="mend the policy's propose"
    )
