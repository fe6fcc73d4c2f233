"""What learns a value from rows: any scikit-learn regressor, and a table of means where states are few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.evaluation.checks import refusal


class Regressor(Protocol):
    """What scikit-learn's regressors do."""

    def fit(self, x: Floats, y: Floats) -> Any:
        """Learn y, [n], from x, [n, width]."""
        ...

    def predict(self, x: Floats) -> Any:
        """y for x; [n]."""
        ...


RegressorFactory = Callable[[int], Regressor]
"""A new regressor from a seed."""


TREES, LEAF, MOST_DRAWN = 20, 5, 4000


class RandomForest:
    """A random forest of 20 trees with leaves of 5 rows; its averages cannot diverge from round to round.

    Each tree sees at most 4,000 rows, drawn anew, because fitted Q evaluation fits hundreds of forests. Extremely
    randomised trees (Ernst et al. 2005), the usual choice for fitted Q, split at random even on the action, and so draw
    the value further towards the logged one.

    Args:
        seed: chance of rows and splits.

    Source: Breiman (2001), with his leaves of 5 for regression.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._forest: Any = None

    def fit(self, x: Floats, y: Floats) -> RandomForest:
        """Learn; [n, width], [n]."""
        from sklearn.ensemble import RandomForestRegressor

        drawn = min(len(y), MOST_DRAWN)
        settings = {"n_estimators": TREES, "min_samples_leaf": LEAF, "max_samples": drawn}
        self._forest = RandomForestRegressor(**settings, random_state=self._seed).fit(x, y)
        return self

    def predict(self, x: Floats) -> Floats:
        """Means; [n]."""
        return np.asarray(self._forest.predict(x))


random_forest: RegressorFactory = RandomForest


class TabularMean:
    """Mean per distinct row of integers >= 0, and 0 for rows never seen: exact where states are few."""

    def __init__(self) -> None:
        self._sizes: Ints = np.zeros(0, dtype=np.int64)
        self._known: Ints = np.zeros(0, dtype=np.int64)
        self._mean: Floats = np.zeros(0)

    def fit(self, x: Floats, y: Floats) -> TabularMean:
        """Learn the means of y, [n], for x, [n, width].

        Raises:
            EvidenceError: features that are no integers >= 0.
        """
        if (x != np.floor(x)).any() or (x < 0).any():
            raise refusal("integers >= 0", "other features", "TabularMean.fit", "use a regressor for real numbers")
        self._sizes = x.max(axis=0).astype(np.int64) + 1
        self._known, place = np.unique(self._key(x), return_inverse=True)
        self._mean = np.bincount(place, weights=y) / np.bincount(place)
        return self

    def predict(self, x: Floats) -> Floats:
        """The mean of each row; [n]."""
        key = self._key(x)
        place = np.minimum(np.searchsorted(self._known, key), len(self._known) - 1)
        alike = ((x < self._sizes) & (x >= 0) & (x == np.floor(x))).all(axis=1)
        known = (self._known[place] == key) & alike
        return np.where(known, self._mean[place], 0.0)

    def _key(self, x: Floats) -> Ints:
        return np.asarray(x.astype(np.int64) @ np.cumprod(np.concatenate([[1], self._sizes[:-1]])))
