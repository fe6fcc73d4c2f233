"""Value explosion: the learner's values run away from any return there is."""

from __future__ import annotations

import math

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, sign
from tenure.diagnosis.causes.wrong_discount import ahead, discount_of
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix


def suspect(facts: Facts) -> Suspicion:
    """The value loss beside where it began, and values beside the largest there can be."""
    first, most = facts.early("value_loss"), facts.most("value_loss")
    mean, reward = facts.late("value_mean"), facts.most("reward_scale")
    if first is None and mean is None:
        return NOTHING
    largest = (reward or 1.0) * min(ahead(discount_of(facts)), facts.problem.horizon)
    grown = 0.0 if not first or not most else math.log10(max(most / max(first, largest**2), 1.0))
    ceiling = 3 * largest
    beyond = 0.0 if mean is None else math.log10(max(abs(mean) / ceiling, 1.0))
    said = f"the value loss grew {10**grown:.3g} times over its beginning and over any return"
    said = said if mean is None else f"{said}; values are {mean:.3g}, where {ceiling:.3g} is the most to expect"
    return Suspicion(sign(max(ramp(grown, 1.0, 3.0), ramp(beyond, 0.2, 0.7)), facts), said)


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Smaller steps; for recipes with a target network, one that moves seldom."""
    rate = facts.settings.learning_rate / 10
    slow = {"target_every": max(64, facts.setting("target_every"))} if facts.setting("target_every") else {}
    return (Fix(f"Take smaller steps: learning_rate = {rate:.2g}.", {"learning_rate": rate, **slow}),)


HYPOTHESIS = Hypothesis(Cause.VALUE_EXPLOSION, suspect, fixes)
