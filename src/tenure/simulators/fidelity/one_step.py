"""The one-step law of a field, learned from the simulator: is the log's next step what it says, and as uncertain?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from tenure.core.arrays import Bools, Floats, Ints
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.sample import Sample

SITUATIONS = 48
"""Most leaves of the tree: kinds of situation."""
FEWEST_IN = 40
"""Fewest rows of the simulator in one."""
ROWS = 8_000
"""Rows the law is learned from at most."""
ALONE = 5
"""Rows of each side that a situation needs to be compared."""


@dataclass(frozen=True, eq=False)
class Law:
    """What a law leaves of one field, row by row.

    Args:
        left: what came less what the law expected, in standard deviations of the log's; [n], NaN where not known.
        situation: leaf of each row; [n].
    """

    left: Floats
    situation: Ints

    def summary(self, rows: Ints) -> Floats:
        """Sum, sum of squares and rows of each situation; [3 * SITUATIONS]."""
        rows = rows[np.isfinite(self.left[rows])]
        left, at = self.left[rows], self.situation[rows]
        parts = (left, left**2, np.ones(len(rows)))
        return np.concatenate([np.bincount(at, weights=part, minlength=SITUATIONS) for part in parts])


def bias(a: Floats, b: Floats) -> float:
    """How far means of the same situation are apart, root mean square over situations, less what chance adds."""
    (mean, variance, n), (other, var, m) = _moments(a), _moments(b)
    both = (n >= ALONE) & (m >= ALONE)
    if not both.any():
        return 0.0
    gap = (mean[both] - other[both]) ** 2 - variance[both] / n[both] - var[both] / m[both]
    return float(np.sqrt(max(0.0, np.average(gap, weights=np.minimum(n, m)[both]))))


def spread(a: Floats, b: Floats) -> float:
    """Absolute logarithm of the ratio of spreads within situations."""
    (_, variance, n), (_, var, m) = _moments(a), _moments(b)
    both = (n >= ALONE) & (m >= ALONE)
    if not both.any():
        return 0.0
    weights = np.minimum(n, m)[both]
    one, other = (np.sqrt(np.average(each[both], weights=weights)) + limits.NOISE_SEEN for each in (variance, var))
    return float(abs(np.log(one / other)))


def _moments(summary: Floats) -> tuple[Floats, Floats, Floats]:
    total, squares, n = summary.reshape(3, -1)
    count = np.maximum(n, 1)
    mean = total / count
    return mean, np.maximum(squares / count - mean**2, 0.0) * count / np.maximum(count - 1, 1), n


def laws(real: Sample, simulated: Sample, seed: int) -> tuple[Mapping[str, Law], Mapping[str, Law]]:
    """The law of every field that moves, learned from one half of the simulator's units and told of the rest.

    A signal is explained by what was seen and done; a feature's change by the same. The law is a line, and a tree over
    what the line leaves. Rows it was learned from are left out of the comparison (NaN).

    Args:
        real, simulated: with the same columns.
        seed: of the half.
    """
    rng = np.random.default_rng(seed)
    learning, _ = simulated.halves(rng)
    told: tuple[dict[str, Law], dict[str, Law]] = {}, {}
    for field in real.columns:
        found = _law(field, real, simulated, learning, rng)
        if found is not None:
            told[0][field], told[1][field] = found
    return told


def outcome(sample: Sample, field: str) -> Floats:
    """What a law explains: the signal of the row, or the change of the feature to the next row; [n]."""
    values = sample.columns[field]
    if field not in sample.features:
        return values
    return np.where(sample.following >= 0, values[sample.following] - values, np.nan)


def _law(
    field: str, real: Sample, simulated: Sample, learning: Bools, rng: np.random.Generator
) -> tuple[Law, Law] | None:
    y_real, y = outcome(real, field), outcome(simulated, field)
    scale = np.nanstd(y_real) if np.isfinite(y_real).any() else 0.0
    rows = np.flatnonzero(learning & np.isfinite(y))
    if not scale > 0 or len(rows) < 2 * FEWEST_IN:
        return None
    rows = rng.permutation(rows)[:ROWS]
    centre, width = simulated.inputs[rows].mean(axis=0), simulated.inputs[rows].std(axis=0) + 1e-9
    x, x_real = (np.clip((each.inputs - centre) / width, -8, 8) for each in (simulated, real))
    line = np.linalg.lstsq(np.column_stack([np.ones(len(rows)), x[rows]]), y[rows], rcond=None)[0]
    tree = DecisionTreeRegressor(max_leaf_nodes=SITUATIONS, min_samples_leaf=FEWEST_IN, random_state=0)
    tree.fit(x[rows], y[rows] - line[0] - x[rows] @ line[1:])
    number = np.cumsum(tree.tree_.children_left < 0) - 1
    kept = np.where(learning, np.nan, y)
    return tuple(  # type: ignore[return-value]
        Law((target - line[0] - each @ line[1:] - tree.predict(each)) / scale, number[tree.apply(each)])
        for target, each in ((y_real, x_real), (kept, x))
    )
