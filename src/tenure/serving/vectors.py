"""The traffic split of a `Box`: a vector is proposed exactly, with a probability, or drawn to explore, with a density.

With share s of the units, exploration e, the arms' own vectors c and i, and g the density of `rollout.gaussian` around
c, what is done has two point masses and a continuous part:

    P(c) = s * (1 - e)     P(i) = 1 - s     (their sum, where c = i)     density(x) = s * e * g(x) elsewhere

So a row holds a probability or a density, and never both: a row without density was drawn by nobody.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tenure.core.spaces import Action, Box
from tenure.rollout.assignment import draw
from tenure.rollout.gaussian import density, drawn
from tenure.serving.propensity import propensity


class Done(NamedTuple):
    """A vector that is done; its probability where it was proposed, its density where it was drawn."""

    action: Action
    explored: bool
    propensity: float | None
    density: float | None


def split_vector(
    space: Box,
    candidate: Action,
    incumbent: Action,
    share: float,
    exploration: float,
    scale: float,
    live: bool,
    salt: str,
    decision_id: str,
) -> Done:
    """What one decision does.

    Args:
        space: names and finite bounds.
        candidate, incumbent: what each arm proposes, within the bounds.
        share: of the units the candidate answers, in [0, 1].
        exploration: share of the candidate's decisions that are drawn around its vector, in [0, 1].
        scale: of `rollout.gaussian`.
        live: the unit is one of the candidate's.
        salt, decision_id: of all draws.
    """
    assert isinstance(candidate, tuple)
    if live and exploration > 0 and draw(salt, "explore", decision_id) < exploration:
        uniform = [draw(salt, "which", name, decision_id) for name in space.names]
        action = drawn(space, candidate, scale, uniform)
        return Done(action, True, None, share * exploration * density(space, candidate, scale, action))
    done = candidate if live else incumbent
    chances = float(candidate == done), float(incumbent == done)
    return Done(done, False, propensity(*chances, share, exploration, math.inf), None)
