"""Residual policies: a learned adjustment of what the incumbent would do, within a bound that nothing can pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProblemError
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.spaces import Box, Discrete


@dataclass(frozen=True)
class Residual:
    """How far a policy may move the incumbent's action: the safest thing to let a learned policy do first.

    Args:
        within: labels up or down, a whole number of at least 1, where the actions are labels in order; where they are
            vectors, the share of each number's range, in (0, 1].

    Raises:
        ProblemError: `within` is not above 0.

    Source: Silver et al. (2018), "Residual policy learning"; Johannink et al. (2019), "Residual reinforcement learning
    for robot control".
    """

    within: float

    def __post_init__(self) -> None:
        if not self.within > 0:
            raise _wrong("a bound above 0", self.within)

    def space(self, action: Discrete | Box) -> Discrete | Box:
        """The space of adjustments to actions of that space.

        Raises:
            ProblemError: the bound is no whole number of labels, leaves no more than there are, or exceeds the range.
        """
        if isinstance(action, Box):
            if self.within > 1:
                raise _wrong("a share of each number's range, in (0, 1]", self.within)
            most = tuple(self.within * (high - low) for low, high in zip(action.low, action.high, strict=True))
            names = tuple(f"{name}, change" for name in action.names)
            return Box(names, action.units, tuple(-one for one in most), most)
        if self.within != int(self.within) or not 1 <= self.within < action.size:
            raise _wrong(f"a whole number of labels, 1 to {action.size - 1}", self.within)
        steps = range(-int(self.within), int(self.within) + 1)
        return Discrete(tuple(f"{step:+d}" if step else "0" for step in steps), action.unit)

    def problem(self, problem: Problem) -> Problem:
        """The same problem with adjustments as its actions; what a rule forbids is taken care of when they are applied.

        Raises:
            ProblemError: as `space` says.
        """
        return replace(problem, action=self.space(problem.action), constraints=())

    def none(self, n: int, action: Discrete | Box) -> Any:
        """n adjustments that leave the incumbent's action as it is."""
        return np.zeros((n, action.size)) if isinstance(action, Box) else np.full(n, int(self.within))

    def applied(self, action: Discrete | Box, base: Any, adjustment: Any, allowed: Bools | None = None) -> Any:
        """The incumbent's actions, adjusted.

        Args:
            action: space of the actions.
            base: what the incumbent would do; indices [n] or vectors [n, numbers].
            adjustment: indices [n] or vectors [n, numbers] of `space`; what exceeds the bound is cut off.
            allowed: allowed labels, [n, actions]; the incumbent's own action where nothing within the bound is.

        Returns:
            actions within the bound and the space; where one is not allowed, the allowed one nearest to it that lies
            within the bound.
        """
        if isinstance(action, Box):
            most = self.within * (np.array(action.high) - action.low)
            return action.nearest(base + np.clip(adjustment, -most, most))
        steps = int(self.within)
        wanted = np.clip(base + np.clip(adjustment - steps, -steps, steps), 0, action.size - 1)
        return wanted if allowed is None else _nearest(base, wanted, allowed, steps)

    def proposal(self, action: Discrete | Box, base: Proposal, adjustment: Proposal, allowed: Bools | None) -> Proposal:
        """Both proposals as one, with the whole distribution where either draws its action."""
        chosen = self.applied(action, base.action, adjustment.action, allowed)
        if isinstance(action, Box) or (base.distribution is None and adjustment.distribution is None):
            return Proposal(chosen, adjustment.confidence)
        mine = _distribution(base, action.size)
        moves = _distribution(adjustment, 2 * int(self.within) + 1)
        chance, rows = np.zeros_like(mine), np.arange(len(mine))
        for label in range(action.size):
            for move in range(moves.shape[1]):
                each = np.full(len(mine), label), np.full(len(mine), move)
                np.add.at(chance, (rows, self.applied(action, *each, allowed)), mine[:, label] * moves[:, move])
        return Proposal(chosen, chance[rows, chosen], chance)


class Adjusting:
    """An incumbent and a policy of adjustments to it, as one policy over the problem's own actions.

    Args:
        adjustments: proposes adjustments.
        incumbent: whose action they are added to.
        residual: bound of the adjustments.
        action: space of the actions.
    """

    draws = True  # the incumbent may draw

    def __init__(self, adjustments: Policy, incumbent: Policy, residual: Residual, action: Discrete | Box) -> None:
        self.version, self.problem_version = adjustments.version, getattr(adjustments, "problem_version", None)
        self._adjustments, self._incumbent, self._residual, self._action = adjustments, incumbent, residual, action

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """The incumbent's action, adjusted; its confidence is the adjustment's."""
        base = self._incumbent.propose(observation, allowed, draw)
        adjustment = self._adjustments.propose(observation, None, draw)
        return self._residual.proposal(self._action, base, adjustment, allowed)


def _nearest(base: Ints, wanted: Ints, allowed: Bools, most: int) -> Ints:
    """The allowed label nearest to the wanted one among those within the bound of the incumbent's."""
    labels = np.arange(allowed.shape[1])
    possible = allowed & (np.abs(labels - base[:, None]) <= most)
    distance = np.where(possible, np.abs(labels - wanted[:, None]).astype(float), np.inf)
    return np.where(possible.any(axis=1), distance.argmin(axis=1), base)


def _distribution(proposal: Proposal, actions: int) -> Floats:
    if proposal.distribution is not None:
        return proposal.distribution
    return np.asarray(np.eye(actions)[proposal.action])


def _wrong(expected: str, found: float) -> ProblemError:
    fix = "choose a bound that a first deployment may take"
    return ProblemError(expected=expected, found=f"{found:g}", where="Residual, within", fix=fix)
