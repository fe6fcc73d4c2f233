"""Sparse reward: almost every decision earns the same, so that there is nothing to climb."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix

JUMP = 0.9
"""Share of an episode's steps the incumbent takes at first; Uchendu et al. (2022) begin near its end."""


def suspect(facts: Facts) -> Suspicion:
    """Share of decisions whose reward is not the most common one, through the training."""
    busy, late = facts.early("reward_busy"), facts.late("reward_busy")
    if busy is None or late is None:
        return NOTHING
    strength = ramp(busy, 0.05, 0.005) * (0.2 + 0.8 * trouble(facts))
    return Suspicion(
        strength, f"{busy:.2%} of the decisions earned anything else than the rest at first, {late:.2%} later"
    )


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Begin episodes where the incumbent gets to."""
    if facts.setting("jump_start") is None or facts.setting("jump_start") >= JUMP:
        return ()
    said = "Let the incumbent take the first steps of training episodes, ever fewer of them."
    return (Fix(said, {"jump_start": JUMP}),)


HYPOTHESIS = Hypothesis(Cause.SPARSE_REWARD, suspect, fixes)
