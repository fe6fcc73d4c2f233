"""What comes next, learned from rows: scikit-learn fits it, NumPy runs it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.spaces import Box, Discrete

Kind = Literal["linear", "quadratic", "network"]
KINDS: tuple[Kind, ...] = ("linear", "quadratic", "network")
PENALTY = 1.0
"""Ridge penalty on standardised inputs, scikit-learn's default: a thousand rows feel 0.1 % of it."""
HIDDEN, ROUNDS = (64, 64), 300
"""Units of the network's hidden layers, and most passes over the rows; it stops when a tenth set aside gets worse."""


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A fitted map from (observation, action) to (change of each feature, each signal), as matrices.

    Args:
        kind: what was fitted.
        mean, scale: of the inputs, which are standardised; [inputs].
        plain: how many of the first inputs are also squared and multiplied with each other, for `quadratic`.
        weights, biases: of each layer; between layers stands max(0, x).
        out_mean, out_scale: of the outputs; [outputs].
    """

    kind: Kind
    mean: Floats
    scale: Floats
    plain: int
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    out_mean: Floats
    out_scale: Floats

    def predict(self, inputs: Floats) -> Floats:
        """Outputs of each row; [n, outputs] from [n, inputs]."""
        x = _expanded((inputs - self.mean) / self.scale, self.kind, self.plain)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = x @ weight + bias
            if index + 1 < len(self.weights):
                x = np.maximum(x, 0.0)
        return np.asarray(x * self.out_scale + self.out_mean)


def fit_dynamics(kind: Kind, inputs: Floats, outputs: Floats, plain: int, seed: int) -> Dynamics:
    """Fit one kind of map.

    Args:
        kind: `linear` and `quadratic` by ridge regression, `network` by a multi-layer perceptron.
        inputs: [n, inputs].
        outputs: [n, outputs].
        plain: see `Dynamics`.
        seed: of the network's start and of the rows set aside.

    Source: ridge regression, Hoerl and Kennard (1970).
    """
    mean, scale = inputs.mean(axis=0), _positive(inputs.std(axis=0))
    out_mean, out_scale = outputs.mean(axis=0), _positive(outputs.std(axis=0))
    x, y = _expanded((inputs - mean) / scale, kind, plain), (outputs - out_mean) / out_scale
    weights, biases = _network(x, y, seed) if kind == "network" else _ridge(x, y)
    return Dynamics(kind, mean, scale, plain, weights, biases, out_mean, out_scale)


def encoded(observation: Floats, action: Any, space: Discrete | Box) -> Floats:
    """Inputs of the map: features, the action's numbers, then one indicator per labelled action.

    Labels that are numbers, such as "+3", count as numbers too. [n, inputs].
    """
    if isinstance(space, Box):
        return np.concatenate([observation, np.asarray(action, dtype=np.float64)], axis=1)
    index = np.asarray(action, dtype=np.int64)
    numbers = _numbers(space)[index]
    return np.concatenate([observation, numbers, np.eye(space.size)[index]], axis=1)


def plain_inputs(features: int, space: Discrete | Box) -> int:
    """How many inputs are numbers rather than indicators."""
    return features + (len(space.low) if isinstance(space, Box) else _numbers(space).shape[1])


def _numbers(space: Discrete) -> Floats:
    try:
        return np.array([[float(label)] for label in space.labels])
    except ValueError:
        return np.zeros((space.size, 0))


def _expanded(x: Floats, kind: Kind, plain: int) -> Floats:
    if kind != "quadratic":
        return x
    one, other = np.triu_indices(plain)
    return np.concatenate([x, x[:, one] * x[:, other]], axis=1)


def _ridge(x: Floats, y: Floats) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=PENALTY).fit(x, y)
    return (np.atleast_2d(model.coef_).T,), (np.atleast_1d(model.intercept_),)


def _network(x: Floats, y: Floats, seed: int) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(hidden_layer_sizes=HIDDEN, early_stopping=True, max_iter=ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        # Stopping at the last round is one more way to stop: what counts is the error on rows held out.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y if y.shape[1] > 1 else y[:, 0])
    return tuple(model.coefs_), tuple(model.intercepts_)


def _positive(scale: Floats) -> Floats:
    return np.asarray(np.where(scale > 0, scale, 1.0))
