"""The probability of what was done, over traffic split and exploration."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.policy import Proposal


def propensity(
    action: Ints,
    incumbent: Proposal | None,
    candidate: Proposal | None,
    share: float,
    exploration: float,
    choices: Ints,
) -> Floats:
    """Probability of each action really taken; [n], in (0, 1].

    P(a) = share * ((1 - exploration) * candidate(a) + exploration / choices) + (1 - share) * incumbent(a).

    Args:
        action: what was done; [n].
        incumbent: its proposals; None only when `share` is 1.
        candidate: its proposals; None only when `share` is 0.
        share: of the units the candidate answers, in [0, 1].
        exploration: share of the candidate's decisions drawn uniformly from the allowed actions, in [0, 1].
        choices: how many actions were allowed; [n].

    Source: the logged mixture of an epsilon-greedy policy behind a traffic split, as in Li et al. (2010).
    """
    total = np.zeros(len(action))
    if candidate is not None and share > 0:
        total += share * ((1 - exploration) * candidate.probability_of(action) + exploration / choices)
    if incumbent is not None and share < 1:
        total += (1 - share) * incumbent.probability_of(action)
    return total
