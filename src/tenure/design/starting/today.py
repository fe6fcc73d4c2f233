"""What decides today, as far as a log shows it: shares of the actions, by the one feature that says most about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.design.starting.decisions import Decisions

BINS = 4
"""Groups into which a feature is cut."""
TELLS = 0.02
"""Nats by which a feature must improve the guess of the action on rows it was not fitted to."""


@dataclass(frozen=True)
class Today:
    """The shares of the actions in the log.

    Args:
        feature: place of the feature they depend on; 0 where they depend on none, as there are no edges then.
        edges: between its groups, rising.
        shares: P(action | group); each row sums to 1.
        gained: nats by which the feature improves the guess; 0 without.
    """

    feature: int
    edges: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...]
    gained: float


def today(decisions: Decisions, actions: int) -> Today:
    """Shares of the actions; fitted to one half of the rows each, judged on the other, to choose the feature."""
    halves = np.arange(len(decisions)) % 2 == 0
    alone = _likelihood(np.zeros(len(decisions), dtype=np.int64), decisions.action, actions, halves)
    best, gained = 0, TELLS
    edges: tuple[float, ...] = ()
    for place in range(decisions.observation.shape[1]):
        cut = _edges(decisions.observation[:, place])
        group = np.searchsorted(np.asarray(cut), decisions.observation[:, place], side="right")
        gain = _likelihood(group, decisions.action, actions, halves) - alone if cut else 0.0
        if gain > gained:
            best, edges, gained = place, cut, gain
    group = np.searchsorted(np.asarray(edges), decisions.observation[:, best], side="right")
    shares = _shares(group, decisions.action, actions, len(edges) + 1)
    return Today(best, edges, tuple(tuple(row) for row in shares.round(6).tolist()), gained if edges else 0.0)


def _edges(values: Floats) -> tuple[float, ...]:
    """Cuts between groups of about equal size; none where the feature never changes."""
    levels = np.unique(values)
    if len(levels) <= BINS:
        cuts = (levels[1:] + levels[:-1]) / 2
    else:
        cuts = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
        cuts = cuts[(cuts > levels[0]) & (cuts <= levels[-1])]
    return tuple(float(f"{cut:.6g}") for cut in cuts)


def _shares(group: Ints, action: Ints, actions: int, groups: int) -> Floats:
    """P(action | group), with one decision added for every action; [groups, actions]."""
    count = np.ones((groups, actions))
    np.add.at(count, (group, action), 1)
    return np.asarray(count / count.sum(axis=1, keepdims=True))


def _likelihood(group: Ints, action: Ints, actions: int, half: Bools) -> float:
    """Mean log-likelihood of the actions in each half, under the shares in the other; nats per decision."""
    groups, total = int(group.max()) + 1, 0.0
    for fitted in (half, ~half):
        shares = _shares(group[fitted], action[fitted], actions, groups)
        total += float(np.log(shares[group[~fitted], action[~fitted]]).sum())
    return total / len(action)
