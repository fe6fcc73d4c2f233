"""How much each feature tells of the outcomes: by it a replay world judges which decisions are alike."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from tenure.core.arrays import Bools, Floats, Ints

SLIGHT = 0.01
"""Share of the outcomes' variance that a feature must tell to count visibly; chance reaches less in a small log."""
MOST_ROWS = 3000
"""Rows that are looked at, evenly over the log."""
TREES, LEAF = 30, 10
"""Trees of a model of the outcomes, and the least rows in a leaf."""


def relevance(observation: Floats, action: Ints, outcomes: Floats, learned: Bools) -> Floats:
    """Weight of each feature in a distance: 1 for the most telling one, all near 1 where none tells anything.

    A model of the outcomes by features and action is fitted to every other row and asked about the rest, with one
    feature shuffled at a time: what is lost is what the feature tells, also where it matters for one action only.

    Args:
        observation: features; [n, features].
        action: taken; [n].
        outcomes: what was measured; [n, outcomes].
        learned: rows that may be learned from; [n].

    Source: permutation importance, Breiman (2001), Random forests; as weights of neighbours, Wettschereck, Aha and
    Mohri (1997), A review of feature weighting methods for lazy learning algorithms.
    """
    rows = np.flatnonzero(learned)[:: 1 + int(learned.sum()) // MOST_ROWS]
    varies = np.ptp(outcomes[rows], axis=0) > 0 if len(rows) >= 2 * LEAF else np.zeros(outcomes.shape[1], dtype=bool)
    if not varies.any():
        return np.ones(observation.shape[1])
    target = outcomes[rows][:, varies] / outcomes[rows][:, varies].std(axis=0)
    taken = (action[rows, None] == np.unique(action[rows])).astype(float)
    told = _told(observation[rows], taken, target)
    return np.asarray(np.sqrt((told + SLIGHT) / (told.max() + SLIGHT)))


def _told(x: Floats, taken: Floats, target: Floats) -> Floats:
    """Share of the targets' variance that is lost without each feature; [features]."""
    half, rng = np.arange(len(x)) % 2, np.random.default_rng(0)
    lost = np.zeros((2, x.shape[1]))
    for fold in range(2):
        fit, ask = half != fold, half == fold
        model = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, random_state=fold)
        model.fit(np.hstack([x[fit], taken[fit]]), target[fit].squeeze())

        def error(seen: Floats, model: ExtraTreesRegressor = model, ask: Bools = ask) -> float:
            guess = model.predict(np.hstack([seen, taken[ask]])).reshape(len(seen), -1)
            return float(((guess - target[ask]) ** 2).mean())

        whole = error(x[ask])
        for feature in range(x.shape[1]):
            shuffled = x[ask].copy()
            shuffled[:, feature] = rng.permutation(shuffled[:, feature])
            lost[fold, feature] = error(shuffled) - whole
    return np.asarray(np.maximum(lost.mean(axis=0), 0.0))
