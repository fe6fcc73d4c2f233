"""Can this log say anything about that policy? Counted with every batch, answered before any number is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Verdict
from tenure.evaluation.checks import LARGEST

FEWEST_EFFECTIVE = 100.0
"""Effective rows under which no value is given."""

MOST_UNSUPPORTED = 0.01
"""Largest share of the target's decisions that the logging policy may never have taken."""

WEIGHT_OFF = 0.05
"""How far from 1 the weights may average, once chance is excluded: propensities that belong to this log give 1."""

MANY = 1e12
"""Rows that nobody will log."""

_SURE = 4.4
"""Standard errors that exclude chance, about one in 100,000."""

_CERTAIN = 1 - 1e-9


class Why(StrEnum):
    """Why there is no number."""

    EMPTY = "empty"
    NOT_FINITE = "not_finite"
    REWARD_MISSING = "reward_missing"
    PROPENSITY_MISSING = "propensity_missing"
    PROPENSITY_ILLEGAL = "propensity_illegal"
    PROPENSITY_WRONG = "propensity_wrong"
    DETERMINISTIC = "deterministic_logging"
    NO_SUPPORT = "no_support"
    FEW_EFFECTIVE = "few_effective"


ILLEGAL = frozenset({Why.EMPTY, Why.NOT_FINITE, Why.REWARD_MISSING, Why.PROPENSITY_MISSING, Why.PROPENSITY_ILLEGAL})
"""Refusals over the log itself; the others say that it holds too little for this policy."""


@dataclass(frozen=True)
class Refusal:
    """No number: what is wrong, and what would help."""

    why: Why
    reason: str
    helps: str

    @property
    def verdict(self) -> Verdict:
        """ERROR where the log itself is wrong, INCONCLUSIVE where it says too little."""
        return Verdict.ERROR if self.why in ILLEGAL else Verdict.INCONCLUSIVE


@dataclass
class Support:
    """Counts of what carries the evidence: rows, weights, and what is wrong with them; mergeable.

    Args:
        density: propensities are densities, which may exceed 1.
        n: rows.
        illegal, missing: propensities outside (0, 1], and absent.
        rewardless: rows without a reward that is a number below `LARGEST`.
        infinite: rows whose weight is no number below `LARGEST` although the propensity is legal.
        certain: rows logged with probability 1.
        between: rewards that are neither 0 nor 1.
        weight, squares: sum of weights and of their squares, over the legal rows.
        largest: the largest weight.
        unsupported: the target's probability on actions that could not have been logged, summed over rows.
    """

    density: bool = False
    n: int = 0
    illegal: int = 0
    missing: int = 0
    rewardless: int = 0
    infinite: int = 0
    certain: int = 0
    between: int = 0
    weight: float = 0.0
    squares: float = 0.0
    largest: float = 0.0
    unsupported: float = 0.0
    bad: dict[str, int] = field(default_factory=dict)

    def update(
        self, index: Ints, reward: Floats, propensity: Floats, weight: Floats, elsewhere: Floats | None = None
    ) -> None:
        """Count a batch.

        Args:
            index: position of each row in its log, for messages; [n].
            reward: [n].
            propensity: as logged; [n].
            weight: target over propensity; anything where the propensity is not legal; [n].
            elsewhere: the target's probability on actions never logged at all; [n]; None where all were.
        """
        missing, certain = np.isnan(propensity), propensity >= _CERTAIN
        illegal = ~missing & ~((propensity > 0) & ((propensity <= 1) | self.density) & np.isfinite(propensity))
        rewardless, odd = ~(np.abs(reward) < LARGEST), ~missing & ~illegal & ~(np.abs(weight) < LARGEST)
        for name, rows in (("missing", missing), ("illegal", illegal), ("rewardless", rewardless), ("infinite", odd)):
            setattr(self, name, getattr(self, name) + int(rows.sum()))
            if rows.any():
                first = int(index[int(np.argmax(rows))])
                self.bad[name] = min(first, self.bad.get(name, first))
        usable = ~missing & ~illegal & ~odd
        w = np.where(usable, weight, 0.0)
        # Logged for certain means that nothing else could have been.
        never = np.where(certain & usable & (not self.density), np.clip(1 - w, 0, 1), 0.0)
        self.unsupported += float(np.maximum(never, 0.0 if elsewhere is None else elsewhere).sum())
        self.n += len(reward)
        self.between += int(((reward != 0) & (reward != 1)).sum())
        self.certain += 0 if self.density else int(certain.sum())
        self.weight += float(w.sum())
        self.squares += float(w @ w)
        self.largest = max(self.largest, float(w.max(initial=0.0)))

    def merge(self, other: Support) -> None:
        """Add what another has counted."""
        for name in ("n", "illegal", "missing", "rewardless", "infinite", "certain", "between"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.weight += other.weight
        self.squares += other.squares
        self.unsupported += other.unsupported
        self.largest = max(self.largest, other.largest)
        for name, row in other.bad.items():
            self.bad[name] = min(row, self.bad.get(name, row))

    @property
    def ess(self) -> float:
        """Effective sample size, (sum w)^2 / sum w^2; Kish (1965)."""
        return self.weight**2 / self.squares if self.squares > 0 else 0.0

    def effective(self, normalised: bool) -> float:
        """Rows an estimate is worth: `ess` where weights are normalised, n^2 / sum w^2 where they are not."""
        return self.ess if normalised else self.n**2 / self.squares if self.squares > 0 else 0.0

    @property
    def unsupported_share(self) -> float:
        """Share of the target's decisions that this log cannot value, in [0, 1]."""
        return self.unsupported / self.n if self.n else 1.0

    @property
    def refusal(self) -> Refusal | None:
        """Why no value can be given; None when one can. Rows count as independent."""
        return self.refused(None)

    def refused(self, weight_error: float | None) -> Refusal | None:
        """The same, with the standard error of the mean weight by unit where rows of one unit are alike."""
        return self._of_the_log() or self._of_the_overlap() or self._of_the_weights(weight_error)

    def _of_the_log(self) -> Refusal | None:
        if not self.n:
            return Refusal(Why.EMPTY, "the log has no usable row", "check the file and its rejected rows")
        if self.illegal:
            found = (
                f"{self.illegal} of {self.n} propensities lie outside (0, 1], the first in row {self.bad['illegal']}"
            )
            return Refusal(Why.PROPENSITY_ILLEGAL, found, "log the probability of the action really taken")
        if self.missing:
            found = f"{self.missing} of {self.n} rows have no propensity, the first is row {self.bad['missing']}"
            return Refusal(Why.PROPENSITY_MISSING, found, "log it in every row, or in none: then one is modelled")
        if self.rewardless:
            found = f"{self.rewardless} of {self.n} rewards are missing or beyond {LARGEST:g}, the first in row "
            helps = "wait for the outcomes, fill in the default reward on purpose, or leave the rows out on purpose"
            return Refusal(Why.REWARD_MISSING, f"{found}{self.bad['rewardless']}", helps)
        if self.infinite:
            found = f"{self.infinite} weights are not finite or beyond {LARGEST:g}, the first in row "
            helps = "check the target's probabilities, and propensities near 0"
            return Refusal(Why.NOT_FINITE, f"{found}{self.bad['infinite']}", helps)
        return None

    def _of_the_overlap(self) -> Refusal | None:
        unsupported = self.unsupported_share
        if unsupported > MOST_UNSUPPORTED and self.certain == self.n:
            found = f"every decision was logged with probability 1, and the target takes {unsupported:.1%} otherwise"
            return Refusal(Why.DETERMINISTIC, found, "let the incumbent explore a little, or use a simulator")
        if unsupported > MOST_UNSUPPORTED or self.weight == 0:
            found = f"{unsupported:.1%} of the target's decisions were never taken in this log"
            return Refusal(Why.NO_SUPPORT, found, "explore these actions, restrict the target, or use a simulator")
        if self.ess < FEWEST_EFFECTIVE:
            found = f"{self.n} rows weigh as much as {self.ess:.1f} of the target's own (at least 100 needed)"
            return Refusal(Why.FEW_EFFECTIVE, found, self._more())
        return None

    def _more(self) -> str:
        if not self.ess:
            return "explore the target's actions"
        rows = FEWEST_EFFECTIVE / self.ess * self.n
        return f"about {math.ceil(rows):,} such rows, or more exploration" if rows < MANY else "more exploration"

    def _of_the_weights(self, error: float | None) -> Refusal | None:
        mean = self.weight / self.n
        if error is None:
            error = math.sqrt(max(self.squares / self.n - mean**2, 0.0) / self.n)
        if self.density or abs(mean - 1) <= max(WEIGHT_OFF, _SURE * error):
            return None
        found = f"the weights average {mean:.3f} where 1 is due (standard error {error:.3f})"
        if mean < 1:
            helps = "part of what the target does was never or hardly ever logged: explore it"
            return Refusal(Why.NO_SUPPORT, found, helps)
        helps = "the propensities are not those of the actions in this log: log what was really drawn"
        return Refusal(Why.PROPENSITY_WRONG, found, helps)
