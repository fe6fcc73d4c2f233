"""What an off-policy estimator answers: a value with its doubt, or the reason why there is none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class PolicyValue:
    """Value of a policy per decision (per episode, for episode estimators), or a refusal: `value` is None then.

    Args:
        estimator: its short name, such as `snips`.
        value: the estimate, in the reward's unit.
        low, high: ends of the interval.
        n: rows behind it (episodes, for episode estimators).
        ess: effective sample size of the weights, (sum w)^2 / sum w^2 (Kish 1965).
        max_weight: the largest weight.
        reason: why there is no value; empty where there is one.
        helps: what would help; empty where there is a value.
        assumed: propensities were not logged but modelled.
        method: how value and interval were made.
        cluster: the independent unit of the interval.
        alpha: error rate of the interval, in (0, 1).
    """

    estimator: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    ess: float
    max_weight: float
    reason: str = ""
    helps: str = ""
    assumed: bool = False
    method: str = ""
    cluster: str = "unit"
    alpha: float = 0.05

    @classmethod
    def refused(
        cls, estimator: str, reason: str, helps: str, *, n: int = 0, ess: float = 0.0, max_weight: float = 0.0
    ) -> PolicyValue:
        """No number, and why."""
        return cls(estimator, None, None, None, n, ess, max_weight, reason, helps)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)
