"""The hypotheses, one file each: how much a record speaks for it, and what would mend it."""

from __future__ import annotations

from tenure.diagnosis.causes import (
    action_skew,
    algorithm_mismatch,
    broken_reward,
    dead_network,
    leak,
    sparse_reward,
    too_little_exploration,
    too_stochastic,
    value_explosion,
    weak_observation,
    wrong_discount,
    wrong_scale,
)
from tenure.diagnosis.causes.hypothesis import Hypothesis, Look, Suspicion

HYPOTHESES: tuple[Hypothesis, ...] = tuple(
    module.HYPOTHESIS
    for module in (
        broken_reward,
        leak,
        value_explosion,
        dead_network,
        wrong_scale,
        action_skew,
        too_little_exploration,
        sparse_reward,
        wrong_discount,
        weak_observation,
        too_stochastic,
        algorithm_mismatch,
    )
)
"""In the order in which equally strong suspicions are probed: what is settled for certain first."""

__all__ = ["HYPOTHESES", "Hypothesis", "Look", "Suspicion"]
