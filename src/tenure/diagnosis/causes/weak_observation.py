"""Weak observation: what is needed for a good decision is not in the newest observation."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix


def suspect(facts: Facts) -> Suspicion:
    """Values that observations do not explain."""
    explained = facts.late("explained_variance")
    if facts.settings.residual is not None:
        return Suspicion(0.0, "")
    blind = 0.5 if explained is None else ramp(explained, 0.9, 0.2)
    said = (
        "how well values are explained was not measured"
        if explained is None
        else (f"the newest observation explains {max(explained, 0):.0%} of the variance of returns")
    )
    return Suspicion((0.1 + 0.4 * blind) * (0.1 + 0.9 * trouble(facts)), said)


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Windows of the newest observations."""
    now = 1 if facts.settings.history is None else facts.settings.history.steps
    steps = min(4 * now, max(facts.problem.horizon, 2))
    if steps <= now:
        return ()
    return (Fix(f"Show the learner the newest {steps} observations.", {"history": {"steps": steps}}),)


HYPOTHESIS = Hypothesis(Cause.WEAK_OBSERVATION, suspect, fixes)
