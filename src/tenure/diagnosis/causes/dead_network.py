"""Dead network: hidden units that answer the same to everything, so that nothing can be learned any more."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, sign
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix


def suspect(facts: Facts) -> Suspicion:
    """Share of dead units; a gradient near 0 beside it."""
    dead, gradient = facts.late("dead_units"), facts.late("gradient_norm")
    if dead is None:
        return NOTHING
    still = "" if gradient is None else f", and the gradient's norm is {gradient:.2g}"
    strength = sign(ramp(dead, 0.3, 0.9), facts)
    return Suspicion(strength, f"{dead:.0%} of the hidden units answer the same to all observations{still}")


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Steps small enough not to throw units out of reach."""
    rate = min(facts.settings.learning_rate / 10, 1e-3)
    return (Fix(f"Take smaller steps: learning_rate = {rate:.2g}.", {"learning_rate": rate}),)


HYPOTHESIS = Hypothesis(Cause.DEAD_NETWORK, suspect, fixes)
