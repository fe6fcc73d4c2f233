"""Propensities for logs that have none: behaviour models, cross-fitted and calibrated, and how well they fit.

An estimate that rests on one is marked *assumed*: no model can tell what the incumbent knew and the log does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.logged import Logged
from tenure.evaluation.checks import refusal
from tenure.evaluation.off_policy.reward_model import FOLDS, fold_of
from tenure.evaluation.off_policy.terms import situation

FLOOR = 1e-3
"""Smallest modelled propensity."""

MOST_ROWS = 20_000
"""Rows of the sample a behaviour model is fitted on."""

MOST_BOOSTED = 10
"""Most actions for which the slow, boosted model is tried."""

_BINS = 10
_PARTS = 3


@dataclass(frozen=True, eq=False)
class BehaviourModel:
    """A model of the policy that wrote the log.

    Args:
        name: frequencies, logistic or boosted.
        propensity: modelled probability of each logged action, at least `FLOOR`; Logged to [n].
        log_loss: mean -log probability of the logged action, out of fold.
        calibration_error: mean distance between predicted and observed shares over bins, out of fold, in [0, 1].
    """

    name: str
    propensity: Callable[[Logged], Floats]
    log_loss: float
    calibration_error: float


def behaviour_models(sample: Logged) -> tuple[BehaviourModel, ...]:
    """Models of who acted how, best log loss first; each row is predicted by a fit on the other half of the units.

    Args:
        sample: rows of one log with discrete actions.

    Raises:
        EvidenceError: fewer than 100 rows, a single action, or actions that are vectors.

    Source: temperature scaling, Guo et al. (2017), ICML; calibration error, Naeini, Cooper and Hauskrecht (2015).
    """
    actions = len(sample.labels)
    if not actions:
        raise refusal("labelled actions", "vectors", "behaviour_models", "log the density of every vector")
    sample = sample.take(slice(0, MOST_ROWS))
    if len(sample) < 100 or len(np.unique(sample.action)) < 2:
        found = f"{len(sample)} rows, {len(np.unique(sample.action))} action(s)"
        raise refusal("100 rows or more with two actions", found, "behaviour_models", "log propensities")
    kinds = ["frequencies", "logistic"] + (["boosted"] if actions <= MOST_BOOSTED else [])
    models = [_fitted(kind, sample, actions) for kind in kinds]
    return tuple(sorted(models, key=lambda model: model.log_loss))


def expected_calibration_error(probability: Floats, happened: Floats) -> float:
    """Mean distance between predicted probability and observed share over ten bins of equal count.

    Args:
        probability: predictions, in [0, 1]; [n].
        happened: 1 where it came true, else 0; [n].

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI.

    >>> round(expected_calibration_error(np.full(10, 0.3), np.array([1.0] * 3 + [0.0] * 7)), 12)
    0.0
    """
    order = np.argsort(probability, kind="stable")
    if np.ptp(probability) == 0:
        return abs(float(probability.mean() - happened.mean()))
    bins = np.array_split(order, _BINS)
    gaps = [abs(float(probability[rows].mean() - happened[rows].mean())) * len(rows) for rows in bins if len(rows)]
    return sum(gaps) / len(order)


def _fitted(kind: str, sample: Logged, actions: int) -> BehaviourModel:
    folds = fold_of(sample.unit)
    fits = [_fit(kind, sample.take(folds != fold), actions) for fold in range(FOLDS)]

    def probabilities(logged: Logged) -> Floats:
        fold, out = fold_of(logged.unit), np.empty((len(logged), actions))
        for number, fit in enumerate(fits):
            rows = fold == number
            if rows.any():
                out[rows] = fit(situation(logged.take(rows)))
        return out

    def propensity(logged: Logged) -> Floats:
        found = np.take_along_axis(probabilities(logged), logged.action[:, None], axis=1)[:, 0]
        return np.asarray(np.clip(found, FLOOR, 1.0))

    predicted = probabilities(sample)
    happened = np.eye(actions)[sample.action]
    loss = float(-np.log(propensity(sample)).mean())
    return BehaviourModel(kind, propensity, loss, expected_calibration_error(predicted.ravel(), happened.ravel()))


def _fit(kind: str, rows: Logged, actions: int) -> Callable[[Floats], Floats]:
    """Features, [n, width], to probabilities, [n, actions]."""
    counts = np.bincount(rows.action, minlength=actions)
    classes = np.flatnonzero(counts)
    if kind == "frequencies" or len(classes) < 2 or counts[classes].min() < _PARTS:
        share = counts / max(1, counts.sum())
        return lambda x: np.broadcast_to(share, (len(x), actions))
    from threadpoolctl import threadpool_limits

    model = _calibrated(kind)
    with threadpool_limits(1):
        model.fit(situation(rows), rows.action)

    def predict(x: Floats) -> Floats:
        out = np.zeros((len(x), actions))
        # Batches already run side by side; threads under threads only wait for each other.
        with threadpool_limits(1):
            out[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(x)
        return out

    return predict


def _calibrated(kind: str) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    base = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        if kind == "logistic"
        else HistGradientBoostingClassifier(max_iter=50, random_state=0)
    )
    return CalibratedClassifierCV(base, method="temperature", cv=_PARTS, ensemble=False)
