"""What a hypothesis is: how much a record speaks for a cause, and what would mend it, which is what a probe tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.evidence import Estimate
from tenure.diagnosis.facts import Facts
from tenure.diagnosis.findings import Cause, Fix, Verdict
from tenure.diagnosis.rollouts import Rollouts
from tenure.diagnosis.thresholds import DIRECT, UNPROVEN


@dataclass(frozen=True)
class Suspicion:
    """How much a record speaks for a cause.

    Args:
        strength: in [0, 1]; 0 where nothing does, or where nothing was measured.
        evidence: in words and numbers.
    """

    strength: float
    evidence: str


NOTHING = Suspicion(0.0, "")
"""Nothing measured, or nothing that speaks for it."""


@dataclass(frozen=True)
class Look:
    """What roll-outs say.

    Args:
        said: in words and numbers.
        fixes: to train with, or to propose where it is settled.
        verdict: where they settle it; None leaves it to trainings with each fix.
        effect: what settled it, in spans.
    """

    said: str
    fixes: tuple[Fix, ...] = ()
    verdict: Verdict | None = None
    effect: Estimate | None = None


@dataclass(frozen=True)
class Hypothesis:
    """A cause with its suspicion and its probe.

    Args:
        cause: which one.
        suspect: from the record alone.
        fixes: changes of the settings, each one treated arm of the probe; the best one is proposed. Empty where the
            recipe has nothing to change.
        look: roll-outs that settle it, or say what to change; None for a probe of trainings alone.
    """

    cause: Cause
    suspect: Callable[[Facts], Suspicion]
    fixes: Callable[[Facts], tuple[Fix, ...]]
    look: Callable[[Facts, Rollouts], Look] | None = None


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between; with `low` above `high` the other way round.

    >>> ramp(0.75, 0.5, 1.0), ramp(0.75, 1.0, 0.5), ramp(9.0, 0.5, 1.0)
    (0.5, 0.5, 1.0)
    """
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))


def sign(strength: float, facts: Facts) -> float:
    """A direct sign of a cause: most of its strength stands by itself, the rest where the run is in trouble."""
    return strength * (DIRECT + (1 - DIRECT) * trouble(facts))


def trouble(facts: Facts) -> float:
    """How clearly the run is not what it could be: 1 from a quarter of the way behind the best one known; in [0, 1].

    A run that merely equals the incumbent where nobody knows the bound is in half the trouble.

    >>> ramp(0.1, 0.0, 0.25)
    0.4
    """
    return max(ramp(facts.shortfall, 0.02, 0.25), UNPROVEN if facts.unproven else 0.0)
