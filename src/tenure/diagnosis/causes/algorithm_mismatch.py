"""Algorithm mismatch: another recipe is made for problems like this one."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, trouble
from tenure.diagnosis.changes import sized
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix
from tenure.training.choose import Advice, advise

SAME = {"fast_ppo": "ppo"}
"""Recipes that are as another one is, but for speed."""


def advised(facts: Facts) -> list[Advice]:
    """Recipes for problems like this one, the likeliest first; none of them a table, whose cells nobody counted."""
    return advise(facts.problem, steps=facts.settings.steps, masked=facts.masked)


def suspect(facts: Facts) -> Suspicion:
    """How far down the list of advice the run's recipe stands."""
    names = [one.recipe for one in advised(facts)]
    own = SAME.get(facts.settings.recipe, facts.settings.recipe)
    if own == names[0] or facts.setting("log"):
        return NOTHING
    place = names.index(own) if own in names else len(names)
    said = (
        f"{own} stands {place + 1}. of {len(names)} recipes advised here" if own in names else f"{own} is not advised"
    )
    return Suspicion(min(0.15 * (place + 1), 0.6) * (0.1 + 0.9 * trouble(facts)), f"{said}; {names[0]} is the first")


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """The recipe that is advised first."""
    best = advised(facts)[0]
    return (
        Fix(
            f"Train with {best.recipe}: {best.because}.", {"recipe": best.recipe, **sized(best.recipe, facts.settings)}
        ),
    )


HYPOTHESIS = Hypothesis(Cause.ALGORITHM_MISMATCH, suspect, fixes)
