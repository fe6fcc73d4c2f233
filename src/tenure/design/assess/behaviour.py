"""Who acted how: the probability of every action under the policy that wrote the log."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface

FLOOR = 1e-3
"""Smallest modelled probability."""


@dataclass(frozen=True, eq=False)
class Behaviour:
    """The logging policy.

    Args:
        chance: probability of every action in each row; [n, actions], rows sum to 1.
        taken: of the action taken, as logged, else as modelled; [n].
        assumed: some row of the log has no propensity.
    """

    chance: Floats
    taken: Floats
    assumed: bool


def behaviour_of(records: Records) -> Behaviour:
    """As logged where the log says enough, else fitted: each half of the units by a model of the other half."""
    n, actions = len(records), len(records.labels)
    known = np.isfinite(records.propensity)
    allowed = np.ones((n, actions), dtype=bool) if records.allowed is None else records.allowed
    even = allowed / allowed.sum(axis=1, keepdims=True)
    at = (np.arange(n), records.action)
    if known.all() and np.allclose(records.propensity, even[at], atol=1e-6):
        return Behaviour(even, records.propensity, assumed=False)
    chance = np.where(allowed, fitted(records), 0.0)
    chance /= chance.sum(axis=1, keepdims=True)
    taken = np.where(known, records.propensity, np.maximum(chance[at], FLOOR))
    return Behaviour(chance, taken, assumed=not known.all())


def fitted(records: Records) -> Floats:
    """Who acted how, each half of the units by a model of the other half; [n, actions], rows sum to about 1."""
    actions, fold = len(records.labels), records.fold
    out = np.empty((len(records), actions))
    nobody = np.zeros(len(records), dtype=np.int64)
    taken = np.eye(actions)[records.action]
    for half in (0, 1):
        model = fit_surface(records.x[fold != half], nobody[fold != half], taken[fold != half], 1)
        out[fold == half] = model.everywhere(records.x[fold == half])[:, 0]
    return np.asarray(np.clip(out, FLOOR, 1.0))
