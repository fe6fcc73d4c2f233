"""Off-policy estimators of episodes, as formulas: terms above and below a line, whose ratios sum to the value.

Notation: w_t is the product of target over logged probability from the first step to step t, T the episode's last
step, g the discount. All value the logged steps: an episode that was cut off counts up to the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.evaluation.checks import finite, refusal
from tenure.evaluation.episodes.columns import Episodes

Term = tuple[Floats, Floats]
"""What every episode adds above and below one line; [episodes] each."""


@dataclass(frozen=True)
class Formula:
    """One estimator: its terms for a discount in [0, 1]; the value is the sum over terms of sum above / sum below."""

    terms: Callable[[Episodes, float], Iterator[Term]]

    @property
    def name(self) -> str:
        """Its short name."""
        return self.terms.__name__


def tis(episodes: Episodes, discount: float) -> Iterator[Term]:
    """Trajectory importance sampling, mean of w_T sum_t g^t r_t; unbiased.

    Source: Precup, Sutton and Singh (2000).
    """
    yield last_weights(episodes) * returns(episodes, discount), np.ones(len(episodes))


def pdis(episodes: Episodes, discount: float) -> Iterator[Term]:
    """Per-decision importance sampling, mean of sum_t g^t w_t r_t; unbiased.

    Source: Precup, Sutton and Singh (2000).
    """
    weighted = discount**episodes.step * cumulative_weights(episodes) * episodes.reward
    yield _summed(weighted, episodes), np.ones(len(episodes))


def wis(episodes: Episodes, discount: float) -> Iterator[Term]:
    """Weighted importance sampling, sum w_T G / sum w_T; biased, consistent.

    Source: Precup, Sutton and Singh (2000).
    """
    weight = last_weights(episodes)
    yield weight * returns(episodes, discount), weight


def pdwis(episodes: Episodes, discount: float) -> Iterator[Term]:
    """Per-decision weighted importance sampling, sum_t g^t (sum_i w_it r_it) / (sum_i w_it); biased, consistent.

    An episode that has ended keeps its last weight below the line and earns nothing: it rests in an absorbing state.
    Leaving it out would weigh step t as if every episode had reached it.

    Source: Precup, Sutton and Singh (2000), with the absorbing state of Thomas (2015), PhD thesis, section 3.8.
    """
    weight, kept = cumulative_weights(episodes), np.ones(len(episodes))
    for step, (alive, rows) in enumerate(_walk(episodes)):
        above = np.zeros(len(episodes))
        kept[alive] = weight[rows]
        above[alive] = discount**step * weight[rows] * episodes.reward[rows]
        yield above, kept.copy()


def dr(episodes: Episodes, discount: float) -> Iterator[Term]:
    """Doubly robust, from the last step backwards: d_t = v_t + p_t (r_t + g d_{t+1} - q_t), mean of d_0.

    p_t is the step's own ratio; d after the last step is 0. Unbiased when the probabilities are right, whatever the
    model, and when the model is right, whatever the probabilities; the model must not have seen the episode.

    Raises:
        EvidenceError: episodes without finite q and v.

    Source: Jiang and Li (2016), ICML, equation 10.
    """
    if episodes.q is None or episodes.v is None:
        raise refusal("episodes with q and v", "no model", "dr", "fit one with fqe.crossfitted")
    q, v = finite(episodes.q, "dr(q)", at_least=1), finite(episodes.v, "dr(v)", at_least=1)
    ratio, value = ratios(episodes), np.zeros(len(episodes))
    for alive, rows in reversed(list(_walk(episodes))):
        value[alive] = v[rows] + ratio[rows] * (episodes.reward[rows] + discount * value[alive] - q[rows])
    yield value, np.ones(len(episodes))


FORMULAS = {formula.name: formula for formula in map(Formula, (tis, pdis, wis, pdwis, dr))}


def ratios(episodes: Episodes) -> Floats:
    """Target over logged probability of each step, >= 0; [steps]. Not finite where the logged one is not legal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(episodes.target_prob / episodes.logged_prob)


def cumulative_weights(episodes: Episodes) -> Floats:
    """w_t, the product of the ratios up to each step; [steps]."""
    weight = ratios(episodes)
    # Many steps may carry a weight beyond what a float holds; it is counted as not finite, and refused.
    with np.errstate(over="ignore", invalid="ignore"):
        for step, (_, rows) in enumerate(_walk(episodes)):
            if step:
                weight[rows] *= weight[rows - 1]
    return weight


def last_weights(episodes: Episodes) -> Floats:
    """w_T, the weight of each whole episode; [episodes]."""
    return np.asarray(cumulative_weights(episodes)[episodes.start + episodes.length - 1])


def returns(episodes: Episodes, discount: float) -> Floats:
    """sum_t g^t r_t of each episode, in the reward's unit; [episodes]."""
    return _summed(discount**episodes.step * episodes.reward, episodes)


def ratio_sum(terms: Iterator[Term]) -> float:
    """The estimate from one set of terms: sum over terms of sum above / sum below."""
    return float(sum(above.sum() / below.sum() for above, below in terms))


def _summed(x: Floats, episodes: Episodes) -> Floats:
    return np.asarray(np.add.reduceat(x, episodes.start))


def _walk(episodes: Episodes) -> Iterator[tuple[Ints, Ints]]:
    """Step by step: the episodes that reach it, and their rows of it."""
    length = episodes.length
    order = np.argsort(-length, kind="stable")
    longest_first = length[order]
    for step in range(int(longest_first[0])):
        alive = order[: int(np.searchsorted(-longest_first, -step, side="left"))]
        yield alive, episodes.start[alive] + step
