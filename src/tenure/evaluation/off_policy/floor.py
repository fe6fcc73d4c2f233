"""What a log proves a policy to be worth at least, without trust in large samples."""

from __future__ import annotations

import numpy as np

from tenure.core.evidence import Estimate
from tenure.core.logged import LoggedSource, Target, joined
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.lower_bounds import high_confidence_lower
from tenure.evaluation.episodes.trajectories import last_weights, returns
from tenure.evaluation.off_policy.terms import DiscreteTerms


def lower_bound(
    source: LoggedSource, target: Target, least: float, *, discount: float = 1.0, alpha: float = 0.05
) -> Estimate:
    """The high-confidence lower bound of a policy's value per decision, or per episode where the log has episodes.

    Held in memory: weight, reward and unit of every row.

    Args:
        source: a log of `Discrete` actions with propensities in which every unit comes once (one decision or episode).
        target: probability of every action.
        least: the smallest reward (return of an episode) there can be, known beforehand.
        discount: per step of an episode, in (0, 1].
        alpha: error rate, in (0, 1).

    Raises:
        EvidenceError: a unit twice, a reward below `least`, no propensity, or as `high_confidence_lower`.

    Source: Thomas, Theocharous and Ghavamzadeh (2015), AAAI.
    """
    log = joined(list(source.batches()))
    seen = np.bincount(log.action, minlength=len(log.labels)) > 0
    terms = DiscreteTerms(target, seen)
    if log.episode is None or log.step is None:
        return high_confidence_lower(terms.weigh(log, None).weight, log.reward, least, log.unit, alpha)
    episodes = Episodes.from_logged(log, terms.probabilities(log), seen=seen)
    gained = returns(episodes, discount)
    return high_confidence_lower(last_weights(episodes), gained, least, episodes.unit, alpha)
