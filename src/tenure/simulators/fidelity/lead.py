"""Does the simulator hand out a feature earlier than the log has it? Cross-correlations placed beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Finding, Verdict
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.sample import Sample

SHIFTS = tuple(range(-limits.LARGEST_LEAD, limits.LARGEST_LEAD + 1))
DRAWS = 10
FEWEST = 200
"""Rows under which nothing can be placed in time."""
STILL = 1e-3
"""Part of a field's spread under which its innovations are rounding."""


@dataclass(frozen=True)
class Lead:
    """One feature in time.

    Args:
        field: the feature.
        steps: by how many steps the simulator has it before the log; 0 where both have it at one time.
        partner: what its timing was read off best.
        stable: share of the log's halves that agree.
    """

    field: str
    steps: int
    partner: str
    stable: float

    @property
    def finding(self) -> Finding:
        """FAIL where the simulator is ahead and the halves of the log agree on it."""
        gate = f"leak: {self.field}"
        if self.steps <= 0:
            return Finding(gate, Verdict.PASS, f"{self.field} is not ahead of the log")
        told = (
            f"{self.field} comes {self.steps} step(s) earlier in the simulator than in the log, beside {self.partner}"
        )
        if self.stable < limits.LEAD_STABLE:
            return Finding(gate, Verdict.INCONCLUSIVE, f"{told}, but only in {self.stable:.0%} of the log's halves")
        return Finding(gate, Verdict.FAIL, f"{told}: delay it there by as many, and train again")


def leads(real: Sample, simulated: Sample, seed: int = 0) -> list[Lead]:
    """Every feature whose innovations say when it moved.

    Each feature is whitened (season of the day and memory of one step taken out, in each sample by its own figures),
    every other field passes the same filter, and their correlations at shifts of up to `LARGEST_LEAD` steps make a
    curve. The simulator's lead is the shift that lays the simulator's curves best upon the log's.

    Args:
        real, simulated: with the same fields.
        seed: of the halves.

    Source: prewhitening, Box and Jenkins (1976), chapter 11.
    """
    rng = np.random.default_rng([seed, 2])
    halves = [half for _ in range(DRAWS) for half in real.halves(rng)]
    found = (_lead(field, real, simulated, halves) for field in real.features)
    return [lead for lead in found if lead is not None]


def _lead(field: str, real: Sample, simulated: Sample, halves: Sequence[Bools]) -> Lead | None:
    others = [name for name in real.columns if name != field]
    every = np.ones(len(real), dtype=bool)
    theirs = _curves(field, others, simulated, np.ones(len(simulated), dtype=bool))
    mine = _curves(field, others, real, every)
    if mine is None or theirs is None:
        return None
    partner = int(np.abs(theirs).max(axis=1).argmax())
    steps = _best(theirs, mine)
    if steps == 0:
        return Lead(field, 0, others[partner], 1.0)
    again = [curves for half in halves if (curves := _curves(field, others, real, half)) is not None]
    stable = float(np.mean([_best(theirs, curves) == steps for curves in again])) if again else 0.0
    return Lead(field, steps, others[partner], stable)


def _best(theirs: Floats, mine: Floats) -> int:
    """The shift that fits best; 0 where no other fits much better. [fields, shifts] each."""
    clear = np.maximum(np.abs(theirs).max(axis=1), np.abs(mine).max(axis=1)) > limits.LEAD_SEEN
    theirs, mine = theirs[clear], mine[clear]
    perfect = np.sqrt((theirs**2).sum() * (mine**2).sum())
    if not perfect > 0:
        return 0
    fits = {shift: float((theirs * _moved(mine, shift)).sum() / perfect) for shift in SHIFTS}
    best = max(fits, key=lambda shift: fits[shift])
    return best if fits[best] - fits[0] > limits.LEAD_BETTER else 0


def _moved(curves: Floats, shift: int) -> Floats:
    """The curves `shift` places to the right, zeros coming in."""
    out = np.zeros_like(curves)
    if shift >= 0:
        out[:, shift:] = curves[:, : curves.shape[1] - shift]
    else:
        out[:, :shift] = curves[:, -shift:]
    return out


def _curves(field: str, others: Sequence[str], sample: Sample, kept: Bools) -> Floats | None:
    """Correlation of a feature's innovations with each other field, at every shift; [fields, shifts]."""
    before = sample.shifted(-1)
    x = _unseasoned(sample, field, kept)
    rows = np.flatnonzero(kept & (before >= 0) & np.isfinite(x) & np.isfinite(x[before]))
    if len(rows) < FEWEST or not x[rows].std() > 0:
        return None
    slope = float(np.dot(x[rows], x[before[rows]]) / max(np.dot(x[before[rows]], x[before[rows]]), 1e-12))
    moved = _standard(_filtered(x, before, slope), kept)
    if not np.nanstd(_filtered(x, before, slope)[rows]) > STILL * np.nanstd(sample.columns[field]):
        return None
    filtered = [_standard(_filtered(_unseasoned(sample, name, kept), before, slope), kept) for name in others]
    partners = np.column_stack(filtered)
    return np.stack([_at(sample, moved, partners, rows, shift) for shift in SHIFTS], axis=1)


def _filtered(y: Floats, before: Ints, slope: float) -> Floats:
    return np.where(before >= 0, y - slope * y[before], np.nan)


def _standard(y: Floats, kept: Bools) -> Floats:
    """With mean 0 and spread 1 over the rows kept; 0 elsewhere, where nothing is known, and where it stands still."""
    known = kept & np.isfinite(y)
    spread = y[known].std() if known.any() else 0.0
    return np.where(known, (y - y[known].mean()) / spread, 0.0) if spread > 1e-12 else np.zeros(len(y))


def _unseasoned(sample: Sample, name: str, kept: Bools) -> Floats:
    """The field less its mean in that hour of the day (its mean, where hours are not known)."""
    values = sample.columns[name]
    slot = np.zeros(len(values), dtype=np.int64) if sample.hour is None else sample.hour
    known = kept & np.isfinite(values)
    count = np.maximum(np.bincount(slot[known], minlength=24), 1)
    return np.asarray(values - (np.bincount(slot[known], weights=values[known], minlength=24) / count)[slot])


def _at(sample: Sample, x: Floats, y: Floats, rows: Ints, shift: int) -> Floats:
    """Correlation of x with what each y is `shift` steps later; [fields]."""
    other = sample.shifted(shift)[rows]
    here, there = rows[other >= 0], other[other >= 0]
    return x[here] @ y[there] / max(len(here), 1)
