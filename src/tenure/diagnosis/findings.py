"""What a diagnosis says: the shape of the run, each cause that was probed, and what could not be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Literal

from tenure.core.errors import SettingsError
from tenure.core.evidence import Estimate

Shape = Literal["healthy", "plateau", "oscillation", "collapse", "flat", "overfit", "forgetting"]
Verdict = Literal["confirmed", "rejected", "inconclusive"]


class Cause(Enum):
    """Why a training does not work; the value is the name in commands, records and docs."""

    BROKEN_REWARD = "broken_reward"
    LEAK = "leak"
    VALUE_EXPLOSION = "value_explosion"
    DEAD_NETWORK = "dead_network"
    WRONG_SCALE = "wrong_scale"
    ACTION_SKEW = "action_skew"
    TOO_LITTLE_EXPLORATION = "too_little_exploration"
    SPARSE_REWARD = "sparse_reward"
    WRONG_DISCOUNT = "wrong_discount"
    WEAK_OBSERVATION = "weak_observation"
    TOO_STOCHASTIC = "too_stochastic"
    ALGORITHM_MISMATCH = "algorithm_mismatch"


@dataclass(frozen=True)
class Allowance:
    """How much a diagnosis may cost.

    Args:
        probes: hypotheses that are tested, at most.
        seconds: of each, wall clock.
        seeds: of each arm of a probe at most, and at least 3: one training each, the same seeds in every arm.
        processes: trainings at once; 1 trains in this process.

    Raises:
        SettingsError: fewer than 0 probes, 3 seeds or 1 process, or no time.
    """

    probes: int = 3
    seconds: float = 120.0
    seeds: int = 10
    processes: int = 1

    def __post_init__(self) -> None:
        if self.probes < 0 or self.seconds <= 0 or self.seeds < 3 or self.processes < 1:
            raise SettingsError(
                expected="0 probes or more, some seconds, at least 3 seeds and 1 process",
                found=f"{self.probes} probes, {self.seconds} s, {self.seeds} seeds, {self.processes} processes",
                where="the allowance of a diagnosis",
                fix="ask for more",
            )


@dataclass(frozen=True)
class Fix:
    """What mends a cause.

    Args:
        words: one sentence.
        settings: fields of the recipe's settings with their new values; empty where only the problem's code can mend
            it. `recipe` names another recipe.
    """

    words: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """One hypothesis and what became of it.

    Args:
        name: of the cause.
        evidence: what in the record speaks for it, in words and numbers.
        probe: what was done to test it, and what came out.
        verdict: confirmed where the interval lies above 0 and the effect is worth it; rejected where it lies below
            what would be worth it; else inconclusive.
        fix: what mends it, if it is the cause.
        strength: of the suspicion before the probe, in [0, 1].
        effect: how much better the treated arm is than the control, in shares of the run's span, with its interval;
            None where the probe could not be carried out.
        seconds: the probe took.
    """

    name: str
    evidence: str
    probe: str
    verdict: Verdict
    fix: Fix
    strength: float = 0.0
    effect: Estimate | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Diagnosis:
    """What is the matter with a run.

    Args:
        run: its name.
        shape: of its curves.
        healthy: the curves are, and no cause is named. `named` is None too where the curves are not and no cause was
            confirmed.
        causes: those that were probed, ranked: the first is the named one, where it is confirmed.
        missing: what could not be judged, and why, a sentence each.
        told: the sentence to begin with.
    """

    run: str
    shape: Shape
    healthy: bool
    causes: tuple[Found, ...] = ()
    missing: tuple[str, ...] = ()
    told: str = ""

    @property
    def named(self) -> Found | None:
        """The cause, where one is confirmed."""
        return next((found for found in self.causes[:1] if found.verdict == "confirmed"), None)

    def as_dict(self) -> dict[str, Any]:
        """As plain fields, for `--json` and for diagnosis.json."""
        return asdict(self) | {"named": None if self.named is None else self.named.name}
