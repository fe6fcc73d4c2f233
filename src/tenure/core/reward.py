"""What is measured and what it is worth: signals, the reward over them, and the KPIs beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tenure.core.arrays import Floats


@dataclass(frozen=True)
class Signal:
    """One measured consequence of a decision; bounds are per decision, in its unit."""

    name: str
    unit: str
    low: float
    high: float
    about: str = ""


@dataclass(frozen=True)
class Term:
    """One part of the reward: `weight` per unit of `signal`, and the reason for it."""

    signal: str
    weight: float
    unit: str
    because: str


@dataclass(frozen=True)
class Reward:
    """Weighted terms over signals; a pure function, so old logs can be scored again."""

    terms: tuple[Term, ...]

    def __call__(self, signals: Mapping[str, Floats]) -> Floats:
        """Reward of each row.

        Args:
            signals: each named signal, [n] or any common shape, in the problem's units.

        Returns:
            The reward, of that shape, in the terms' unit; higher is better.
        """
        return np.asarray(sum(term.weight * signals[term.signal] for term in self.terms), dtype=float)

    def without(self, signal: str) -> Reward:
        """The same reward with the terms over one signal left out."""
        return Reward(tuple(term for term in self.terms if term.signal != signal))


@dataclass(frozen=True)
class KPI:
    """A business figure read beside the reward.

    A ratio of sums: `of` over `per`, each a weighted sum of signals; without `per`, the mean per decision.

    Args:
        name: its name in settings, reports and JSON.
        unit: its unit, in words.
        better: which direction is an improvement.
        of: weight of each signal in the numerator.
        per: weight of each signal in the denominator; None divides by the number of decisions.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    of: Mapping[str, float]
    per: Mapping[str, float] | None = None

    def numerator(self, signals: Mapping[str, Floats]) -> Floats:
        """Weighted sum above the line, row by row."""
        return np.asarray(sum(weight * signals[name] for name, weight in self.of.items()), dtype=float)

    def denominator(self, signals: Mapping[str, Floats]) -> Floats:
        """Weighted sum below the line, row by row; ones where the KPI is a mean per decision."""
        if self.per is None:
            return np.ones_like(self.numerator(signals))
        return np.asarray(sum(weight * signals[name] for name, weight in self.per.items()), dtype=float)

    def value(self, signals: Mapping[str, Floats]) -> float:
        """The KPI over all rows given; NaN where there is nothing to divide by."""
        below = float(self.denominator(signals).sum())
        return float(self.numerator(signals).sum()) / below if below else math.nan

    def of_totals(self, totals: Mapping[str, Floats], decisions: int) -> float:
        """The KPI from signals already summed over so many decisions, as a bound gives them; totals per world."""
        below = decisions if self.per is None else float(self.denominator(totals).sum())
        return float(self.numerator(totals).sum()) / below if below else math.nan

    @property
    def sign(self) -> int:
        """+1 where higher is better, -1 where lower is."""
        return 1 if self.better == "higher" else -1
