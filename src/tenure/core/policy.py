"""What decides: observations in, a proposal with its probability and confidence out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import BundleError
from tenure.core.spaces import Box

ROUNDING = 1e-4
"""Most by which a distribution may miss 1 in sum: float32 probabilities do."""


@dataclass(frozen=True)
class Proposal:
    """What a policy would do in each of n situations.

    Args:
        action: index of the chosen action, int64 [n]; for a `Box` the vector, float64 [n, numbers].
        confidence: how sure the policy is, in [0, 1]; [n]. 1 for a vector, which has no second best to compare with.
        distribution: probability of every action, [n, actions], rows sum to 1; None means the
            policy is deterministic and `action` has probability 1. Always None for a `Box`.
    """

    action: Any
    confidence: Floats
    distribution: Floats | None = None

    def probability_of(self, action: Any) -> Floats:
        """Probability this policy gives to some action (a vector: to exactly this one) of each row; [n], in [0, 1]."""
        if self.distribution is None:
            same = np.asarray(self.action == action)
            return np.asarray(same.all(axis=1) if same.ndim == 2 else same, dtype=float)
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


def check_policy(policy: Policy, observation: Floats, actions: int | Box, allowed: Bools | None = None) -> None:
    """Conformance of any policy: legal actions, a batch equals singles, the same input the same answer.

    Args:
        policy: what to check.
        observation: situations to try it on; float32 [n, features].
        actions: size of the action space, or the `Box` itself.
        allowed: allowed actions; [n, actions]; None for a `Box`.

    Raises:
        BundleError: the first promise broken, with the row that shows it.
    """
    n, before = len(observation), observation.copy()
    draw = (np.arange(n) + 0.5) / n
    batch = _proposal(policy, observation, allowed, draw)
    again = _proposal(policy, observation, allowed, draw)
    for row in range(n):
        one = slice(row, row + 1)
        single = _proposal(policy, observation[one], None if allowed is None else allowed[one], draw[one])
        _check_same(policy, (batch.action[row], again.action[row], single.action[0]), row)
        if isinstance(actions, Box):
            _check_vector(policy, batch, row, actions)
            continue
        legal = np.ones(actions, dtype=bool) if allowed is None else allowed[row]
        _check_row(policy, batch, row, legal)
    if not np.array_equal(before, observation):
        raise _broken(policy, "observations left as they were", "changed ones", 0)


def _proposal(policy: Policy, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
    try:
        proposal = policy.propose(observation, allowed, draw)
    except Exception as error:  # a policy is somebody else's code
        raise _broken(policy, "a proposal", f"{type(error).__name__}: {error}", 0) from error
    lengths = (len(proposal.action), len(proposal.confidence))
    if lengths != (len(observation),) * 2:
        raise _broken(policy, f"{len(observation)} actions and confidences", f"{lengths[0]} and {lengths[1]}", 0)
    return proposal


def _check_same(policy: Policy, answers: tuple[Any, Any, Any], row: int) -> None:
    # Another number of rows may round a vector's last digits otherwise; an index is equal or it is not.
    batch, again, single = answers
    exact = np.ndim(batch) == 0
    alike = batch == single if exact else np.allclose(batch, single, rtol=0, atol=ROUNDING, equal_nan=True)
    if not (np.array_equal(batch, again, equal_nan=not exact) and alike):
        found = f"{batch} in a batch, {again} again, {single} alone"
        raise _broken(policy, "the same action for the same observation", found, row)


def _check_vector(policy: Policy, proposal: Proposal, row: int, space: Box) -> None:
    action, confidence = np.asarray(proposal.action[row]), proposal.confidence[row]
    if action.dtype.kind != "f" or action.shape != (space.size,) or not space.holds(action):
        expected = f"{space.size} finite numbers from {list(space.low)} to {list(space.high)}"
        raise _broken(policy, expected, str(action), row)
    if not 0 <= confidence <= 1:
        raise _broken(policy, "a confidence in [0, 1]", str(confidence), row)
    if proposal.distribution is not None:
        raise _broken(policy, "no distribution beside a vector", "one", row)


def _check_row(policy: Policy, proposal: Proposal, row: int, legal: Bools) -> None:
    action, confidence = proposal.action[row], proposal.confidence[row]
    if proposal.action.dtype.kind not in "iu" or not (0 <= action < len(legal) and legal[action]):
        raise _broken(policy, "an allowed action, as an integer", str(action), row)
    if not 0 <= confidence <= 1:
        raise _broken(policy, "a confidence in [0, 1]", str(confidence), row)
    if proposal.distribution is not None:
        chances = np.asarray(proposal.distribution)[row]
        possible = chances.shape == legal.shape and (chances >= 0).all() and abs(chances.sum() - 1) < ROUNDING
        if not (possible and chances[action] > 0 and not chances[~legal].any()):
            raise _broken(policy, "probabilities of allowed actions, summing to 1", str(chances), row)


def _broken(policy: Policy, expected: str, found: str, row: int) -> BundleError:
    return BundleError(
        expected=expected, found=found, where=f"policy {policy.version!r}, row {row}", fix="mend the policy's propose"
    )
