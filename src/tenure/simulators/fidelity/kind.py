"""Is the simulator too kind? What the log has and the simulator has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Finding, Verdict
from tenure.core.trajectories import Trajectories
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.sample import Sample

SURELY = 4.0
"""Standard errors, by independent unit, that make a column matter."""


def kindness(log: Trajectories, real: Sample, simulated: Sample, seed: int = 0) -> list[Finding]:
    """Columns that only the log has, and features that stand still in one of the two alone.

    Args:
        log: the log, with all its columns.
        real, simulated: what both have.
        seed: of the halves.
    """
    extra = [name for name in log.names if name not in real.features]
    return [*_missing(log, extra, real, seed), *_still(real, simulated), *never_logged(real)]


def _still(real: Sample, simulated: Sample) -> Iterator[Finding]:
    for name in real.features:
        if _moves(real.columns[name]) and not _moves(simulated.columns[name]):
            told = f"{name} is one constant in the simulator and varies in the log: give it the log's noise and course"
            yield Finding(f"too kind: {name}", Verdict.FAIL, told)


def never_logged(real: Sample) -> Iterator[Finding]:
    """Features that are in no row of the log."""
    for name in real.features:
        if not np.isfinite(real.columns[name]).any():
            told = f"{name} is in no row of the log: log it, or leave it out of the problem"
            yield Finding(f"too kind: {name}", Verdict.FAIL, told)


def _moves(column: Floats) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 0 and bool(known.max() > known.min())


def _missing(log: Trajectories, extra: Sequence[str], real: Sample, seed: int) -> Iterator[Finding]:
    """Columns of the log that the simulator lacks; FAIL where one explains what its features do not."""
    if not extra:
        return
    fold, _ = real.halves(np.random.default_rng([seed, 3]))
    left = {name: unexplained(real, name, fold) for name in real.columns if name not in real.features}
    for name in extra:
        column = log.feature(name)
        told = {signal: explains(column, rest, real) for signal, rest in left.items()}
        best = max(told, key=lambda signal: abs(told[signal][0]))
        share, sure = told[best]
        if abs(share) > limits.EXPLAINS and sure > SURELY:
            why = (
                f"the log's column {name!r} is not in the simulator and moves {best} (correlation {share:+.2f} with "
                "what the features leave unexplained): simulate it; if it is only known afterwards, take it out"
            )
            yield Finding(f"too kind: {name}", Verdict.FAIL, why)
        else:
            why = f"the log's column {name!r} is not in the simulator; it tells nothing more about the signals"
            yield Finding(f"too kind: {name}", Verdict.PASS, why)


def unexplained(real: Sample, signal: str, fold: Bools) -> Floats:
    """What a tree over features and action, learned on the other half, leaves of a signal; [n], NaN where unknown."""
    y, out = real.columns[signal], np.full(len(real), np.nan)
    for part in (fold, ~fold):
        rows = np.flatnonzero(~part & np.isfinite(y))
        if len(rows) > limits.FEWEST_CLUSTERS:
            tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=20, random_state=0)
            out[part] = y[part] - tree.fit(real.inputs[rows], y[rows]).predict(real.inputs[part])
    return out


def explains(column: Floats, left: Floats, real: Sample) -> tuple[float, float]:
    """Correlation of a column with what is left, and how many standard errors by unit it is from 0."""
    known = np.isfinite(column) & np.isfinite(left)
    if known.sum() < limits.FEWEST_CLUSTERS or not column[known].std() > 0 or not left[known].std() > 0:
        return 0.0, 0.0
    one, other = ((each[known] - each[known].mean()) / each[known].std() for each in (column, left))
    products = np.bincount(real.cluster[known], weights=one * other, minlength=real.clusters)
    spread = products.std(ddof=1) * np.sqrt(real.clusters)
    return float(products.sum() / known.sum()), float(abs(products.sum()) / spread) if spread > 0 else 0.0
