"""The probability of what was done, over traffic split, exploration and the rules that ask for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def learned(candidate: float, exploration: float, choices: float) -> float:
    """Probability of an action under the candidate, explored: (1 - exploration) * candidate + exploration / choices.

    >>> learned(candidate=1.0, exploration=0.02, choices=4)
    0.985

    Args:
        candidate: probability the candidate gives to the action, in [0, 1].
        exploration: share of the candidate's decisions drawn uniformly from the allowed actions, in [0, 1].
        choices: how many actions are allowed, at least 1; infinitely many vectors, none of which is drawn again.

    Source: epsilon-greedy logging, as in Li et al. (2010).
    """
    return (1 - exploration) * candidate + exploration / choices


def propensity(candidate: float, incumbent: float, share: float, exploration: float, choices: float) -> float:
    """Probability of an action really taken, in (0, 1].

    P(a) = share * learned(a) + (1 - share) * incumbent.

    >>> round(propensity(candidate=1.0, incumbent=0.0, share=0.1, exploration=0.02, choices=4), 9)
    0.0985

    Args:
        candidate: probability the candidate gives to the action, in [0, 1].
        incumbent: probability the incumbent gives to it, in [0, 1].
        share: of the units the candidate answers, in [0, 1].
        exploration: as of `learned`.
        choices: how many actions are allowed, at least 1.
    """
    mixture = share * learned(candidate, exploration, choices) + (1 - share) * incumbent
    return min(1.0, mixture)  # rounding may add up to a hair above 1


def held_propensity(
    action: int,
    legal: Sequence[int],
    held: Sequence[int],
    proposed: Callable[[int], float],
    incumbent: float,
    share: float,
) -> float:
    """Probability of an action where some proposals wait for a person, and the incumbent acts meanwhile; in (0, 1].

    P(a) = share * (learned(a) [a is not held] + incumbent(a) * sum of learned over what is held)
         + (1 - share) * incumbent(a).

    >>> half = {0: 0.0, 1: 0.5, 2: 0.5}
    >>> round(held_propensity(0, legal=[0, 1, 2], held=[2], proposed=half.__getitem__, incumbent=1.0, share=0.1), 9)
    0.95

    Args:
        action: what was done.
        legal: allowed actions.
        held: those a person must approve.
        proposed: `learned` of an action.
        incumbent: probability the incumbent gives to the action, in [0, 1].
        share: of the units the candidate answers, in [0, 1].
    """
    waits = sum(proposed(other) for other in legal if other in held)
    own = 0.0 if action in held else proposed(action)
    return min(1.0, share * (own + incumbent * waits) + (1 - share) * incumbent)
