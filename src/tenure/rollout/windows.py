"""When a row of figures breaks a rule: pure functions over runs and windows of decisions, in their order."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tenure.core.arrays import Bools, Floats
from tenure.rollout.rules import BreakerRule


def first_broken(rule: BreakerRule, values: Floats) -> int | None:
    """Where the first stretch of `rule.size` decisions that breaks the rule begins; None when none does.

    Args:
        rule: what breaks; inequalities are strict as written.
        values: a figure of each decision (the action's index for `action_share`), in decision order; [n].
    """
    if len(values) < rule.size:
        return None
    found = np.flatnonzero(_broken(rule, sliding_window_view(values, rule.size)))
    return int(found[0]) if len(found) else None


def figure_of(rule: BreakerRule, values: Floats) -> float | None:
    """What the rule compares, at the latest decision: a run's length, or a window's figure; None with too few."""
    if rule.consecutive is not None:
        fine = np.flatnonzero(~_breaking(rule, values))
        return float(len(values) - 1 - fine[-1] if len(fine) else len(values))
    if len(values) < rule.size:
        return None
    last = values[-rule.size :]
    if rule.rate is not None:
        return float(_breaking(rule, last).mean())
    return float(_figures(rule, last[None])[0])


def _broken(rule: BreakerRule, windows: Floats) -> Bools:
    """Which windows break the rule; [k] of [k, size]."""
    if rule.consecutive is not None:
        return np.asarray(_breaking(rule, windows).all(axis=1))
    if rule.rate is not None:
        return np.asarray(_breaking(rule, windows).mean(axis=1) > rule.rate)
    if rule.quantile is None and rule.measure != "action_share":
        # Summed as differences, so that equal values never seem to lie above themselves.
        return np.asarray(_beyond(rule, (windows - rule.limit).sum(axis=1), 0.0))
    return _beyond(rule, _figures(rule, windows), rule.limit)


def _figures(rule: BreakerRule, windows: Floats) -> Floats:
    """The mean, quantile or share of the commonest action in each window; [k] of [k, size]."""
    if rule.measure == "action_share":
        actions = np.unique(windows)
        return np.asarray(np.max([(windows == action).mean(axis=1) for action in actions], axis=0))
    if rule.quantile is None:
        return np.asarray(windows.mean(axis=1))
    return np.asarray(np.quantile(windows, rule.quantile, axis=1))


def _breaking(rule: BreakerRule, values: Floats) -> Bools:
    return _beyond(rule, values, rule.limit)


def _beyond(rule: BreakerRule, values: Floats, limit: float) -> Bools:
    return np.asarray(values > limit if rule.above is not None else values < limit)
