"""Wrong scale: observations or rewards reach the learner in units it cannot work with."""

from __future__ import annotations

from tenure.diagnosis.causes.hypothesis import NOTHING, Hypothesis, Suspicion, ramp, sign
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix


def suspect(facts: Facts) -> Suspicion:
    """A deviation of rewards far from 1, or observations far beyond a few deviations."""
    reward, extreme = facts.most("reward_scale"), facts.most("observation_extreme")
    if reward is None and extreme is None:
        return NOTHING
    spread = reward or 1.0  # of a reward that never changed, sparsity tells
    plain = facts.settings.scale == "none"
    wild = ramp(extreme or 0.0, *((8.0, 20.0) if plain else (15.0, 60.0)))  # in deviations rare values lie far out
    far = max(ramp(spread, 5.0, 50.0), ramp(spread, 0.2, 0.02), wild)
    said = f"rewards deviate by {spread:.3g} of the learner's units, the largest observation is {extreme or 0.0:.3g}"
    own = 0.3 if plain else 0.0
    return Suspicion(sign(max(far, own), facts), said)


def fixes(facts: Facts) -> tuple[Fix, ...]:
    """Units of the data's own: by its deviation, or by its quartiles."""
    words = {
        "deviation": "Give the learner units of mean and deviation.",
        "robust": "Give the learner units of median and quartiles, which rare extremes do not move.",
    }
    return tuple(Fix(said, {"scale": scale}) for scale, said in words.items() if scale != facts.settings.scale)


HYPOTHESIS = Hypothesis(Cause.WRONG_SCALE, suspect, fixes)
