"""Who clicks on what: a model of the real clicks, which stands for the world wherever its truth must be known."""

from __future__ import annotations

from functools import cache

import numpy as np

from tenure.core.arrays import Floats

from .data import CATEGORIES, ITEMS, POSITIONS, Name, observations, week

TRAIN_DAYS = 4
"""24 to 27 November: the part of both logs whose clicks the model is fitted to."""
BOTH: tuple[Name, ...] = ("uniform", "thompson")


def indicators(observation: Floats) -> Floats:
    """Position and user features as indicators, the affinities left out (4 % of the visits have any); [n, 29]."""
    columns = [observation[:, [0]] == np.arange(1, POSITIONS + 1)]
    columns += [observation[:, [1 + index]] == np.arange(known) for index, known in enumerate(CATEGORIES.values())]
    return np.concatenate(columns, axis=1).astype(float)


def click_probability(observation: Floats, days: int = TRAIN_DAYS) -> Floats:
    """P(click) of every item in each situation; [n, 34].

    Args:
        observation: [n, 39], in the order of the problem.
        days: how many of the week's days the model is fitted to.
    """
    situation, shown = np.split(_coefficients(days)[1:], [-ITEMS])
    score = (indicators(observation) @ situation)[:, None] + shown + _coefficients(days)[0]
    return np.asarray(1 / (1 + np.exp(-score)))


@cache
def _coefficients(days: int) -> Floats:
    """Intercept, position and user features, items: main effects only; [1 + 29 + 34].

    Logistic regression over the first days of both logs with scikit-learn's default penalty (C = 1), which the few
    clicks (69 in four days) need, to convergence.
    """
    from sklearn.linear_model import LogisticRegression

    parts = [(observations(name), week(name)) for name in BOTH]
    kept = [found.day < days for _, found in parts]
    rows = np.concatenate([seen[keep] for (seen, _), keep in zip(parts, kept, strict=True)])
    item = np.concatenate([found.item[keep] for (_, found), keep in zip(parts, kept, strict=True)])
    click = np.concatenate([found.click[keep] for (_, found), keep in zip(parts, kept, strict=True)])
    columns = np.concatenate([indicators(rows), item[:, None] == np.arange(ITEMS)], axis=1)
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(columns, click)
    return np.concatenate([model.intercept_, model.coef_[0]])
