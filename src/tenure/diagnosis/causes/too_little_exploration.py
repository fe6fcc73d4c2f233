"""Too little exploration: from the start the learner tries almost nothing but what it takes for best."""

from __future__ import annotations

import math

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix


def suspect(facts: Facts) -> Suspicion:
    """Entropy of what was tried, or the share of decisions that were tries, low from the start."""
    entropy, explored, labels = facts.early("behaviour_entropy"), facts.early("explored"), facts.labels
    if labels is None:
        return _of_vectors(facts)
    if entropy is None and explored is None:
        return NOTHING
    share = 1.0 if entropy is None else entropy / math.log(labels)
    tried = 1.0 if explored is None else explored
    little = max(ramp(share, 0.6, 0.2), ramp(tried, 0.1, 0.02))
    said = f"in the first fifth of the training actions had {share:.0%} of the greatest entropy"
    said = said if explored is None else f"{said}, and {tried:.1%} of the decisions were tries"
    return Suspicion(little * (0.3 + 0.7 * trouble(facts)), said)


def _of_vectors(facts: Facts) -> Suspicion:
    noise = facts.setting("noise")
    if noise is None:
        return NOTHING
    said = f"the noise that tries vectors is {noise:g} of half a range"
    return Suspicion(ramp(noise, 0.1, 0.02) * (0.3 + 0.7 * trouble(facts)), said)


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
