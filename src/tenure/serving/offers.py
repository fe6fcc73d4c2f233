"""What a policy proposes, checked: legal actions, possible probabilities, and nothing left of what is not allowed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import ROUNDING, Proposal
from tenure.core.spaces import Action, Box, Discrete


class Offer(NamedTuple):
    """A proposal that was checked, as plain lists over the n requests; actions are indices, or vectors as tuples."""

    action: list[Any]
    confidence: list[float]
    distribution: Floats | None = None

    def probability(self, row: int, action: Action) -> float:
        """Probability of an action in one row; of a vector: of exactly this one."""
        if self.distribution is None:
            return float(self.action[row] == action)
        assert not isinstance(action, tuple)
        return float(self.distribution[row, action])


def checked(proposal: Proposal, n: int, space: Discrete | Box) -> Offer | None:
    """A proposal as lists, if each of n rows has an action, its sureness and a possible distribution."""
    if isinstance(space, Box):
        return _checked_vectors(proposal, n, space)
    actions = space.size
    if proposal.action.dtype.kind not in "iu":
        return None
    offer = Offer(proposal.action.tolist(), proposal.confidence.tolist(), proposal.distribution)
    if not len(offer.action) == len(offer.confidence) == n:
        return None
    if not (min(offer.action) >= 0 and max(offer.action) < actions):
        return None
    # Written so that NaN, which compares as neither, is refused.
    if not all(0.0 <= sure <= 1.0 for sure in offer.confidence):
        return None
    return offer if offer.distribution is None or _possible(offer, (n, actions)) else None


def _checked_vectors(proposal: Proposal, n: int, space: Box) -> Offer | None:
    """Vectors within their bounds, by somebody who draws nothing; None where they are not."""
    action, sure = np.asarray(proposal.action), proposal.confidence.tolist()
    if action.dtype.kind != "f" or action.shape != (n, space.size) or proposal.distribution is not None:
        return None
    if len(sure) != n or not all(0.0 <= each <= 1.0 for each in sure):
        return None
    return Offer([*map(tuple, action.tolist())], sure) if space.holds(action).all() else None


def restricted(offer: Offer, allowed: Bools | None, draws: Floats) -> Offer | None:
    """An offer after mask and constraints; None when it proposes what is forbidden, and nothing else.

    A distribution loses what is forbidden, what is left of it sums to 1 again, and every action of such a row is drawn
    anew from it, with the same draw: if only those that fell away were, the probabilities would not be what is done.
    """
    if allowed is None:
        return offer
    legal = allowed[np.arange(len(offer.action)), offer.action]
    if offer.distribution is None or not offer.distribution[~allowed].any():
        return offer if legal.all() else None
    left = np.where(allowed, offer.distribution, 0.0)
    mass = left.sum(axis=1, keepdims=True)
    if not (mass > 0).all():
        return None
    left = left / mass
    cumulative = left.cumsum(axis=1)
    drawn = (cumulative > (draws * cumulative[:, -1])[:, None]).argmax(axis=1)
    cut = (np.asarray(offer.distribution) * ~allowed).any(axis=1)
    action = np.where(cut, drawn, offer.action)
    sure = np.where(cut, left[np.arange(len(action)), action], offer.confidence)
    return Offer(action.tolist(), sure.tolist(), left)


def moved(offer: Offer, allowed: Bools | None) -> Offer:
    """The incumbent's offer, each forbidden action moved to the allowed one nearest by index; the lower one of two."""
    if allowed is None:
        return offer
    action: list[int] = _nearest(np.array(offer.action), allowed).tolist()
    if offer.distribution is None:
        return offer._replace(action=action)
    distribution = np.zeros_like(offer.distribution, dtype=float)
    rows = np.arange(len(action))
    for index in range(allowed.shape[1]):
        np.add.at(distribution, (rows, _nearest(np.full(len(action), index), allowed)), offer.distribution[:, index])
    return offer._replace(action=action, distribution=distribution)


def _nearest(action: Ints, allowed: Bools) -> Ints:
    distance = np.abs(np.arange(allowed.shape[1]) - action[:, None]).astype(float)
    nearest: Ints = np.where(allowed, distance, np.inf).argmin(axis=1)
    return nearest


def _possible(offer: Offer, shape: tuple[int, int]) -> bool:
    """Whether a distribution is one, and gives something to what it proposes."""
    distribution = np.asarray(offer.distribution)
    if distribution.shape != shape or not ((distribution >= 0) & (distribution <= 1)).all():
        return False
    if (np.abs(distribution.sum(axis=1) - 1) > ROUNDING).any():
        return False
    return all(offer.probability(row, action) > 0 for row, action in enumerate(offer.action))
