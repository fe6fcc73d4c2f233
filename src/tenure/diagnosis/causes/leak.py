"""Leak: a feature tells in training worlds what it does not tell on the selection data."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Look, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix
from tenure.diagnosis.rollouts import Rollouts, Shuffled
from tenure.diagnosis.shapes import train_lead
from tenure.diagnosis.thresholds import RELIES


def suspect(facts: Facts) -> Suspicion:
    """A policy that is much better in training worlds than on the selection data."""
    lead = train_lead(facts)
    if lead is None:
        return NOTHING
    strength = ramp(lead, 0.1, 0.5) * (0.2 + 0.8 * trouble(facts))
    return Suspicion(
        strength, f"in training worlds the policy is {lead:.0%} of the span better than on the selection data"
    )


def fixes(_: Facts) -> tuple[Fix, ...]:
    """None without a look: the record does not say which feature."""
    return ()


def look(facts: Facts, rollouts: Rollouts) -> Look:
    """How much the policy relies on each feature, by shuffling it among worlds: in training worlds, and beside them."""
    policies, problem = rollouts.learned("last")[:1], rollouts.project.problem
    if not policies:
        return Look("no checkpoint lies in the run's folder", (), "inconclusive")
    kpi, policy = problem.kpis[0], policies[0]
    there, here = rollouts.in_training(policy).kpi(kpi), rollouts.on_selection(policy).kpi(kpi)
    leans = {}
    for column, name in enumerate(problem.feature_names):
        shuffled = Shuffled(policy, column)
        lost = there - rollouts.in_training(shuffled).kpi(kpi)
        lost_here = here - rollouts.on_selection(Shuffled(policy, column)).kpi(kpi)
        leans[name] = facts.sign * (lost - lost_here) / facts.span
    ranked = sorted(leans, key=lambda name: -leans[name])[:2]
    suspects = [name for name in ranked if leans[name] > RELIES and name not in facts.settings.hide]
    told = ", ".join(f"{name!r} by {leans[name]:.0%} of the span" for name in ranked)
    said = f"shuffled among worlds, features cost more in training worlds than on the selection data: {told}"
    if not suspects or len(facts.settings.hide) + len(suspects) >= len(problem.observation):
        return Look(said, (), "rejected")
    return Look(said, tuple(_hiding(facts, name) for name in suspects))


def _hiding(facts: Facts, name: str) -> Fix:
    words = f"Hide {name!r} from the learner; better, let the training worlds show what is known at the decision."
    return Fix(words, {"hide": (*facts.settings.hide, name)})


HYPOTHESIS = Hypothesis(Cause.LEAK, suspect, fixes, look)
