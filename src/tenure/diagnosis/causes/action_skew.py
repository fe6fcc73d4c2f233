"""Action skew: a policy that tried everything at first ended up doing one thing, though more would be better."""

from __future__ import annotations

import math

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts, part
from tenure.diagnosis.findings import Cause, Fix
from tenure.diagnosis.thresholds import LAST

SYMPTOM = 0.55
"""Strength at most: many other causes also end in one action, and most of them leave a clearer sign."""


def suspect(facts: Facts) -> Suspicion:
    """Above 90 % one action in the end, with fair entropy at the start; harmless where that is right."""
    ends = [curve[-part([0.0] * len(curve), LAST) :] for curve in facts.curves]
    top = sum(point.most_taken_share for end in ends for point in end) / sum(len(end) for end in ends)
    entropy = facts.early("behaviour_entropy")
    if facts.labels is None or entropy is None:
        return NOTHING
    share = entropy / math.log(facts.labels)
    fair = 1.0 if facts.setting("entropy") is not None else ramp(share, 0.3, 0.6)  # a drawn policy begins even
    strength = ramp(top, 0.85, 0.95) * fair * SYMPTOM * trouble(facts)
    return Suspicion(
        strength,
        f"{top:.0%} of the decisions end as one action, which had begun with {share:.0%} of the greatest entropy",
    )


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """What keeps a policy mixed: paid entropy with a smaller learning rate, or tries that go on."""
    rate = facts.settings.learning_rate / 4
    if facts.setting("entropy") is not None:
        entropy = max(0.02, 2 * facts.setting("entropy"))
        return (
            Fix("Take smaller steps and pay for entropy.", {"learning_rate": rate, "entropy": entropy}),
            Fix("Pay for entropy.", {"entropy": entropy}),
        )
    if facts.setting("explore_last") is not None:
        return (Fix("Go on trying, with smaller steps.", {"explore_last": 0.1, "learning_rate": rate}),)
    return (Fix("Take smaller steps.", {"learning_rate": rate}),)


HYPOTHESIS = Hypothesis(Cause.ACTION_SKEW, suspect, fixes)
