"""Too stochastic: worlds so noisy that each update learns from chance."""

from __future__ import annotations

import numpy as np

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, trouble
from tenure.diagnosis.facts import Facts, part
from tenure.diagnosis.findings import Cause, Fix
from tenure.diagnosis.shapes import noise
from tenure.diagnosis.thresholds import LAST


def suspect(facts: Facts) -> Suspicion:
    """Returns that differ far more than they improved, and than the incumbent's differ from chance's."""
    spread, means = facts.late("return_std"), facts.metric("return_mean")
    if spread is None or not means:
        return NOTHING
    gained = float(np.mean([abs(row[-part(row, LAST) :].mean() - row[0]) for row in means]))
    gap = max(gained, _stake(facts))
    loud = spread / max(gap, 1e-9)
    rough = float(np.mean([noise(merits) for merits in facts.merits]) / facts.span)
    strength = ramp(loud, 1.5, 6.0) * (0.6 + 0.4 * ramp(rough, 0.05, 0.3))
    said = f"returns differ by {spread:.3g} about their mean, where {gap:.3g} is to be gained; checkpoints lie"
    return Suspicion(strength * (0.2 + 0.8 * trouble(facts)), f"{said} {rough:.0%} of the span apart")


def _stake(facts: Facts) -> float:
    """How much more the incumbent earns in an episode than chance does, in the reward's unit; 0 where unknown."""
    paid = [facts.standings[name][1] for name in ("incumbent", "chance") if name in facts.standings]
    length = facts.late("episode_length") or float(facts.problem.horizon)
    return length * abs(paid[0] - paid[1]) if len(paid) == 2 else 0.0


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """More decisions behind each update, at as many decisions in all."""
    found = []
    if not facts.settings.baseline:
        found.append(Fix("Train on the difference to the incumbent in a twin world.", {"baseline": True}))
    if facts.setting("rollout") is not None and facts.setting("batch") is not None:
        found.append(_wider_rollouts(facts))
    elif facts.setting("batch") is not None:
        batch, rate = 8 * facts.setting("batch"), facts.settings.learning_rate / 2
        found.append(Fix(f"Average over batches of {batch}.", {"batch": batch, "learning_rate": rate}))
    return tuple(found)


def _wider_rollouts(facts: Facts) -> Fix:
    more = max(1, min(4, facts.settings.steps // (8 * facts.settings.worlds * facts.setting("rollout"))))
    worlds, batch = more * facts.settings.worlds, facts.settings.worlds * facts.setting("rollout") * more
    return Fix(
        f"Collect {more} times as many decisions for each update, and take each in one batch of {batch}.",
        {"worlds": worlds, "batch": batch},
    )


HYPOTHESIS = Hypothesis(Cause.TOO_STOCHASTIC, suspect, fixes)
