"""Too little exploration: from the start the learner tries almost nothing but what it takes for best."""

from __future__ import annotations

import math

import numpy as np

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, sign
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix

BEGINS_EVEN = 0.4
"""What low entropy counts of a policy that draws its actions and begins with all alike: more likely it was skewed."""


def suspect(facts: Facts) -> Suspicion:
    """Entropy of what was tried, or the share of decisions that were tries, low from the start; so by the settings."""
    entropy, tried, labels = facts.early("behaviour_entropy"), _tried(facts), facts.labels
    if labels is None:
        return _of_vectors(facts)
    if entropy is None and tried is None:
        return NOTHING
    share = 1.0 if entropy is None else entropy / math.log(labels)
    tried, first = 1.0 if tried is None else tried, facts.setting("explore_first")
    asked = ramp(tried, 0.08, 0.01) if first is None else ramp(first, 0.1, 0.01)  # settings say it without noise
    little = max(ramp(share, 0.5, 0.1), asked)
    if facts.setting("entropy") is not None:
        little *= BEGINS_EVEN
    said = f"early in the training actions had {share:.0%} of the greatest entropy, {tried:.1%} of them were tries"
    return Suspicion(sign(little, facts), said)


def _tried(facts: Facts) -> float | None:
    """Share of decisions of the first half that were tries; without the first checkpoint, which begins at random."""
    halves = [row[1 : max(2, len(row) // 2)] for row in facts.metric("explored")]
    return float(np.mean(np.concatenate(halves))) if halves and all(len(row) for row in halves) else None


def _of_vectors(facts: Facts) -> Suspicion:
    noise = facts.setting("noise")
    if noise is None:
        return NOTHING
    said = f"the noise that tries vectors is {noise:g} of half a range"
    return Suspicion(sign(ramp(noise, 0.1, 0.02), facts), said)


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """More of whatever makes this recipe try."""
    if facts.setting("explore_first") is not None:
        more = {"explore_first": 1.0, "explore_last": 0.05, "explore_for": 0.5}
        return (Fix("Begin with random actions, and end with 5 % of them.", more),)
    if facts.setting("entropy") is not None:
        return tuple(
            Fix(f"Pay for entropy: entropy = {entropy:g}.", {"entropy": entropy})
            for entropy in (0.02, 0.1)
            if entropy > facts.setting("entropy")
        )
    if facts.setting("noise") is not None:
        return (Fix("Try vectors farther from the mean: noise = 0.3.", {"noise": 0.3}),)
    return ()


HYPOTHESIS = Hypothesis(Cause.TOO_LITTLE_EXPLORATION, suspect, fixes)
