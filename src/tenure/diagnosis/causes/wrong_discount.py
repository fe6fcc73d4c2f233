"""Wrong discount: the learner looks a much shorter, or a much longer way ahead than what counts."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix

FARTHEST = 0.9999
"""A discount that looks ten thousand decisions ahead."""


def ahead(discount: float) -> float:
    """Decisions a discount looks ahead, 1 / (1 - discount); of 1, those of `FARTHEST`.

    >>> round(ahead(0.9), 6)
    10.0
    """
    return 1 / (1 - min(discount, FARTHEST))


def discount_of(facts: Facts) -> float:
    """The one that was trained with."""
    return facts.problem.discount if facts.settings.discount is None else facts.settings.discount


def suspect(facts: Facts) -> Suspicion:
    """How far it looks, beside how long an episode lasts."""
    length = facts.late("episode_length") or float(facts.problem.horizon)
    looks = ahead(discount_of(facts))
    short, far = ramp(looks / length, 0.5, 0.05), ramp(looks / length, 5.0, 50.0)
    said = f"the discount {discount_of(facts):g} looks {looks:.0f} decisions ahead, an episode lasts {length:.0f}"
    strength = 0.0 if length < 2 else (0.1 + 0.5 * max(short, 0.6 * far)) * (0.2 + 0.8 * trouble(facts))
    return Suspicion(strength, said)


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Five times farther, or to the end of an episode where that is farther; and a fifth as far."""
    looks, length = ahead(discount_of(facts)), facts.late("episode_length") or float(facts.problem.horizon)
    both = [(1 - 1 / max(5 * looks, length), "farther"), (1 - 1 / max(looks / 5, 1.25), "less far")]
    told = [(min(round(discount, 5), FARTHEST), words) for discount, words in both]
    return tuple(
        Fix(f"Look {words} ahead: discount = {discount:g}.", {"discount": discount})
        for discount, words in told
        if discount != discount_of(facts)
    )


HYPOTHESIS = Hypothesis(Cause.WRONG_DISCOUNT, suspect, fixes)
