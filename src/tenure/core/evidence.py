"""Evidence: no number without its doubt, no verdict without its reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """What a gate says, ordered from best to worst."""

    PASS = 0
    INCONCLUSIVE = 1
    ERROR = 2
    FAIL = 3

    @property
    def word(self) -> str:
        """The lower-case word used in JSON."""
        return self.name.lower()

    @property
    def exit_code(self) -> int:
        """The command line's exit code: 0 pass, 3 inconclusive, 5 could not be measured, 4 fail."""
        return {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 3, Verdict.ERROR: 5, Verdict.FAIL: 4}[self]


@dataclass(frozen=True)
class Estimate:
    """A figure with its doubt.

    Args:
        value: the point estimate, in the unit of the figure.
        low: lower end of the interval.
        high: upper end of the interval.
        n: rows behind it.
        ess: effective sample size, in independent units.
        method: how it was made, in the field's words.
        cluster: the independent unit of the interval.
        alpha: error rate of the interval, in (0, 1).
    """

    value: float
    low: float
    high: float
    n: int
    ess: float
    method: str
    cluster: str
    alpha: float = 0.05

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)

    def scaled(self, factor: float) -> Estimate:
        """The same figure in another unit.

        Raises:
            ValueError: the factor is not positive (the ends would change places).
        """
        if factor <= 0:
            raise ValueError(f"a positive factor is needed, found {factor}")
        fields = asdict(self) | {name: getattr(self, name) * factor for name in ("value", "low", "high")}
        return Estimate(**fields)


@dataclass(frozen=True)
class Finding:
    """A gate's verdict with the one sentence that justifies it."""

    gate: str
    verdict: Verdict
    reason: str
    estimate: Estimate | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "gate": self.gate,
            "verdict": self.verdict.word,
            "reason": self.reason,
            "estimate": self.estimate.as_dict() if self.estimate else None,
        }


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that decides; without any verdict nothing passes.

    >>> worst([Verdict.PASS, Verdict.FAIL, Verdict.ERROR]).word
    'fail'
    >>> worst([]).word
    'inconclusive'
    """
    return max(verdicts, default=Verdict.INCONCLUSIVE)
