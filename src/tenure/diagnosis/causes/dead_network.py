"""Dead network: hidden units that answer the same to everything, so that nothing can be learned any more."""

from __future__ import annotations

from tenure.diagnosis.causes import value_explosion
from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, sign
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix
from tenure.diagnosis.thresholds import STRONG


def suspect(facts: Facts) -> Suspicion:
    """Share of dead units; a gradient near 0 beside it."""
    dead, gradient = facts.late("dead_units"), facts.late("gradient_norm")
    if dead is None:
        return NOTHING
    still = "" if gradient is None else f", and the gradient's norm is {gradient:.2g}"
    ran_away = value_explosion.suspect(facts).strength > STRONG  # then units died of that
    strength = sign(ramp(dead, 0.3, 0.9), facts) * (0.5 if ran_away else 1.0)
    return Suspicion(strength, f"{dead:.0%} of the hidden units answer the same to all observations{still}")


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Steps small enough not to throw units out of reach."""
    rate = min(facts.settings.learning_rate / 10, 1e-3)
    return (Fix(f"Take smaller steps: learning_rate = {rate:.2g}.", {"learning_rate": rate}),)


HYPOTHESIS = Hypothesis(Cause.DEAD_NETWORK, suspect, fixes)
