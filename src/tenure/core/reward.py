"""What is measured and what it is worth: signals, the reward over them, and the KPIs beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """One part of the reward: `weight` per unit of `signal`, and the reason for it.

    Args:
        signal: what is paid for.
        weight: reward per unit of it; negative is a price.
        unit: currency per unit of the signal, such as `$/bike`; all terms of a reward share the currency.
        because: the reason, for the risk officer.
        scale: how much of the signal a usual decision brings, in the signal's unit; None where its bounds say enough.
    """

    signal: str
    weight: float
    unit: str
    because: str
    scale: float | None = None


@dataclass(frozen=True)
class Tradeoff:
    """Two terms that pull against each other on purpose, named by their signals, and why the weights are right."""

    one: str
    other: str
    because: str


@dataclass(frozen=True)
class Reward:
    """Weighted terms over signals; a pure function, so old logs can be scored again.

    Args:
        terms: what is paid and priced; their order says nothing.
        tradeoffs: pairs of terms that are known to fight.
    """

    terms: tuple[Term, ...]
    tradeoffs: tuple[Tradeoff, ...] = ()

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
        return replace(self, terms=tuple(term for term in self.terms if term.signal != signal))

    def by_term(self, signals: Mapping[str, Floats]) -> dict[str, Floats]:
        """What each term contributes, by its signal, in the reward's unit; two terms over one signal are added."""
        parts: dict[str, Floats] = {}
        for term in self.terms:
            part = np.asarray(term.weight * signals[term.signal], dtype=float)
            parts[term.signal] = parts[term.signal] + part if term.signal in parts else part
        return parts


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
        worst: the worst value that is still acceptable, in its unit; the reward audit calls anything beyond it harm.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    of: Mapping[str, float]
    per: Mapping[str, float] | None = None
    worst: float | None = None

    @property
    def reads(self) -> frozenset[str]:
        """Names of the signals it is made of."""
        return frozenset((*self.of, *(self.per or {})))

    def numerator(self, signals: Mapping[str, Floats]) -> Floats:
        """Weighted sum above the line, row by row."""
        return np.asarray(sum(weight * signals[name] for name, weight in self.of.items()), dtype=float)

    def denominator(self, signals: Mapping[str, Floats]) -> Floats:
        """Weighted sum below the line, row by row; ones where the KPI is a mean per decision."""
        if self.per is None:
            return np.ones_like(self.numerator(signals))
        return np.asarray(sum(weight * signals[name] for name, weight in self.per.items()), dtype=float)

    def value(self, signals: Mapping[str, Floats]) -> float:
        """The KPI where every row is a decision; NaN where there is nothing to divide by.

        Worlds side by side may end early: `Trace.kpi` leaves out what comes after.
        """
        below = float(self.denominator(signals).sum())
        return float(self.numerator(signals).sum()) / below if below else math.nan

    def of_totals(self, totals: Mapping[str, Floats], decisions: int) -> float:
        """The KPI from signals already summed over so many decisions; totals per world.

        Who has a bound's totals takes `tenure.core.trace.bound_kpi`, which knows when the decisions are not known.
        """
        below = decisions if self.per is None else float(self.denominator(totals).sum())
        return float(self.numerator(totals).sum()) / below if below else math.nan

    @property
    def sign(self) -> int:
        """+1 where higher is better, -1 where lower is."""
        return 1 if self.better == "higher" else -1
