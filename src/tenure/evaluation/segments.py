"""Where a candidate differs: a shallow regression tree over paired differences, honest about what it found.

The structure comes from one half of the units (`learns`), the effects from the other half (`segment_effects`), so that
a segment's interval is not flattered by having been looked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes
from tenure.evaluation.checks import LARGEST, finite, refusal, same_length
from tenure.evaluation.grouped import mixed

DEPTH = 3
MOST = 8
"""Segments at most."""
LEAST_SHARE = 0.05
"""Smallest share of the rows that may be a segment of its own."""
FEWEST_ROWS = 200
"""Rows under which nothing is searched; the whole log is then the only segment."""
FEWEST_UNITS = 8
"""Units under which nothing is searched."""

_HALF_SALT, _FOLD_SALT = 41, 43
_NO_MEASURE = ("ratio", "scaled")
"""Units that say nothing behind a number."""
_EXPLAINED = 0.98
"""Part of what the best tree explains out of sample that a smaller one must explain to be preferred."""
_BLURRED = 0.002
"""Share of the rows that a rounder threshold may move to the other side."""


@dataclass(frozen=True)
class Condition:
    """One side of a split: the feature is below the threshold, or it is not (unknown counts as not below)."""

    feature: int
    threshold: float
    below: bool


@dataclass(frozen=True, eq=False)
class Segments:
    """A partition of situations by a few thresholds; plain arrays, so that it travels to wherever the rows are.

    Args:
        names: feature names, in the order of the columns.
        units: their units.
        feature: the feature each node of the tree splits on, -1 at a leaf; [nodes].
        threshold: rows strictly below it go to `left`; [nodes].
        left, right: nodes that follow; [nodes].
        leaf: number of the segment at a leaf, -1 elsewhere; [nodes].
        binary: features that are 0 or 1 and nothing else.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    leaf: Ints
    binary: frozenset[int] = field(default_factory=frozenset)

    def __len__(self) -> int:
        return int(self.leaf.max()) + 1

    def assign(self, features: Floats) -> Ints:
        """Segment of each row; [n, features] gives int64 [n].

        Raises:
            EvidenceError: another number of features.
        """
        if features.ndim != 2 or features.shape[1] != len(self.names):
            found = f"shape {features.shape}"
            raise refusal(f"[n, {len(self.names)}] features", found, "Segments.assign", "pass the same features")
        rows, node = np.arange(len(features)), np.zeros(len(features), dtype=np.int64)
        if len(self) == 1:
            return node
        features = usable(features)
        for _ in range(DEPTH):
            column = self.feature[node]
            below = features[rows, np.maximum(column, 0)] < self.threshold[node]
            node = np.where(column < 0, node, np.where(below, self.left[node], self.right[node]))
        return np.asarray(self.leaf[node])

    def conditions(self) -> tuple[tuple[Condition, ...], ...]:
        """The way to each segment, from the root; one tuple per segment, in their order."""
        ways = sorted(self._ways(0, ()), key=lambda way: way[0])
        return tuple(way for _, way in ways)

    def rules(self) -> tuple[str, ...]:
        """Each segment in words, such as `hour >= 7 and distance < 4.2 km`; `all` where nothing was split."""
        return tuple(self._rule(way) for way in self.conditions())

    def _ways(self, node: int, before: tuple[Condition, ...]) -> Iterator[tuple[int, tuple[Condition, ...]]]:
        if self.feature[node] < 0:
            yield int(self.leaf[node]), before
            return
        at = int(self.feature[node]), float(self.threshold[node])
        yield from self._ways(int(self.left[node]), (*before, Condition(*at, below=True)))
        yield from self._ways(int(self.right[node]), (*before, Condition(*at, below=False)))

    def _rule(self, way: Sequence[Condition]) -> str:
        features = list(dict.fromkeys(condition.feature for condition in way))
        return " and ".join(self._told(feature, way) for feature in features) or "all"

    def _told(self, feature: int, way: Sequence[Condition]) -> str:
        """All conditions on one feature as one."""
        name, mine = self.names[feature], [condition for condition in way if condition.feature == feature]
        low = max((c.threshold for c in mine if not c.below), default=-math.inf)
        high = min((c.threshold for c in mine if c.below), default=math.inf)
        if feature in self.binary:
            return f"{name} = {0 if math.isfinite(high) else 1}"
        unit = self.units[feature]
        tail = f" {unit}" if unit and " " not in unit and unit not in (name, *_NO_MEASURE) else ""
        if math.isfinite(low) and math.isfinite(high):
            return f"{low:g} <= {name} < {high:g}{tail}"
        return f"{name} < {high:g}{tail}" if math.isfinite(high) else f"{name} >= {low:g}{tail}"


def learns(unit: Hashes) -> Bools:
    """Whether a unit's rows shape the segments; the other half measures them; [n]."""
    return np.asarray(mixed(unit, _HALF_SALT) % np.uint64(2) == 0)


def find(
    features: Floats, difference: Floats, unit: Hashes, names: Sequence[str], units: Sequence[str] = ()
) -> Segments:
    """Segments in which the difference between candidate and incumbent is most alike.

    A regression tree of depth 3 with at most 8 leaves of at least 5 % of the rows each, on the half of the units that
    `learns`; how many leaves is chosen by cross-validation over units, so that noise alone gives the one segment `all`.

    Args:
        features: situations; [n, features]. NaN counts as not below any threshold.
        difference: candidate minus incumbent of each row, in any unit; [n].
        unit: hash of the independent unit of each row; [n].
        names: one name per feature.
        units: one unit of measurement per feature; empty where unknown.

    Raises:
        EvidenceError: columns of different lengths, or a difference that is not finite.

    Source: honest trees, Athey and Imbens (2016), PNAS 113(27); trees, Breiman et al. (1984).
    """
    difference = finite(difference, "find(difference)", at_least=1)
    same_length("find", features=len(features), difference=len(difference), unit=len(unit))
    same_length("find(names)", columns=features.shape[1], names=len(names))
    labels = tuple(names), tuple(units) or ("",) * len(names)
    half = learns(unit)
    x, y, unit = usable(features[half]), difference[half], unit[half]
    if not x.shape[1] or len(y) < FEWEST_ROWS or len(np.unique(unit)) < FEWEST_UNITS or not np.ptp(y) > 0:
        return _whole(*labels)
    known = _filled(x)
    leaves = _leaves(known, y, unit)
    if leaves == 1:
        return _whole(*labels)
    return _segments(_grown(known, y, leaves).tree_, x, *labels)


def usable(features: Floats) -> Floats:
    """The same with NaN for what a tree cannot split: infinities, and numbers beyond single precision."""
    return np.where(np.abs(features) < LARGEST, features, np.nan)


def _whole(names: tuple[str, ...], units: tuple[str, ...]) -> Segments:
    """Everything in one segment."""
    none = np.array([-1])
    return Segments(names, units, none, np.zeros(1), none, none, np.zeros(1, dtype=np.int64))


def _filled(x: Floats) -> Floats:
    """Unknown values above all known ones, where every split sends them to the same side as `assign`."""
    missing = np.isnan(x)
    if not missing.any():
        return x
    top = np.where(missing, -np.inf, x).max(axis=0)
    return np.where(missing, np.where(np.isfinite(top), top + 1, 0.0), x)


def _leaves(x: Floats, y: Floats, unit: Hashes) -> int:
    """The fewest leaves that explain, on the other half of these units, nearly as much as the best number does."""
    fold = mixed(unit, _FOLD_SALT) % np.uint64(2) == 0
    if fold.all() or not fold.any():
        return 1
    losses = [_loss(x, y, fold, count) + _loss(x, y, ~fold, count) for count in range(1, MOST + 1)]
    good_enough = losses[0] - _EXPLAINED * (losses[0] - min(losses))
    return 1 + int(np.argmax(np.array(losses) <= good_enough))


def _loss(x: Floats, y: Floats, fit: Bools, leaves: int) -> float:
    predicted = y[fit].mean() if leaves == 1 else _grown(x[fit], y[fit], leaves).predict(x[~fit])
    return float(((y[~fit] - predicted) ** 2).sum())


def _grown(x: Floats, y: Floats, leaves: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    least = max(1, math.ceil(LEAST_SHARE * len(y)))
    tree = DecisionTreeRegressor(max_depth=DEPTH, max_leaf_nodes=leaves, min_samples_leaf=least, random_state=0)
    return tree.fit(x, y)


def _segments(tree: Any, x: Floats, names: tuple[str, ...], units: tuple[str, ...]) -> Segments:
    feature = np.where(tree.children_left < 0, -1, tree.feature).astype(np.int64)
    leaf = np.where(feature < 0, np.cumsum(feature < 0) - 1, -1).astype(np.int64)
    threshold = np.array(
        [0.0 if f < 0 else _readable(x[:, f], float(t)) for f, t in zip(feature, tree.threshold, strict=True)]
    )
    binary = frozenset(int(f) for f in np.unique(feature[feature >= 0]) if np.isin(x[:, f], (0.0, 1.0)).all())
    children = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
    return Segments(names, units, feature, threshold, *children, leaf, binary)


def _readable(column: Floats, threshold: float) -> float:
    """The roundest threshold that sends (nearly) every row where the tree sent it; whole where the feature is."""
    known = column[~np.isnan(column)]
    if (known == np.rint(known)).all():
        return float(math.floor(threshold) + 1)
    for digits in range(2, 8):
        rounder = float(f"{threshold:.{digits}g}")
        if np.mean((known < rounder) != (known <= threshold)) <= _BLURRED:
            return rounder
    return threshold
