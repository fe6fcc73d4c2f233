"""The probability of what was done, over traffic split and exploration."""

from __future__ import annotations


def propensity(candidate: float, incumbent: float, share: float, exploration: float, choices: int) -> float:
    """Probability of an action really taken, in (0, 1].

    P(a) = share * ((1 - exploration) * candidate + exploration / choices) + (1 - share) * incumbent.

    >>> round(propensity(candidate=1.0, incumbent=0.0, share=0.1, exploration=0.02, choices=4), 9)
    0.0985

    Args:
        candidate: probability the candidate gives to the action, in [0, 1].
        incumbent: probability the incumbent gives to it, in [0, 1].
        share: of the units the candidate answers, in [0, 1].
        exploration: share of the candidate's decisions drawn uniformly from the allowed actions, in [0, 1].
        choices: how many actions are allowed, at least 1.

    Source: the logged mixture of an epsilon-greedy policy behind a traffic split, as in Li et al. (2010).
    """
    learned = (1 - exploration) * candidate + exploration / choices
    return min(1.0, share * learned + (1 - share) * incumbent)  # rounding may add up to a hair above 1
