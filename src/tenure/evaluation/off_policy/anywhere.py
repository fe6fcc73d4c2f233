"""Any log and any policy: what `tenure evaluate --log` and `tenure.evaluate` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.core.errors import EvidenceError
from tenure.core.logged import Target
from tenure.evaluation.checks import share
from tenure.evaluation.episodes.report import evaluate_episodes
from tenure.evaluation.episodes.values import checked_discount
from tenure.evaluation.off_policy.decisions import evaluate_log
from tenure.evaluation.off_policy.floor import lower_bound
from tenure.evaluation.off_policy.targets import is_table, target_of
from tenure.evaluation.off_policy.valuation import OffPolicyReport

if TYPE_CHECKING:
    from tenure.store.tables.logfile import LogFile


def evaluate(
    log: Any,
    policy: Any,
    *,
    reward_model: Any = None,
    mapping: Path | str | Mapping[str, Any] | None = None,
    actions: Sequence[str] | None = None,
    discount: float = 1.0,
    alpha: float = 0.05,
    least: float | None = None,
) -> OffPolicyReport:
    """The value of a policy from a log: per episode where the log has episodes, else per decision.

    >>> import pandas as pd
    >>> log = pd.DataFrame({"action": [0, 1] * 200, "propensity": 0.5, "reward": [0.0, 1.0] * 200})
    >>> always_one = pd.DataFrame({"p_0": [0.0] * 400, "p_1": 1.0})
    >>> evaluate(log, always_one).estimate("snips").value
    1.0

    Args:
        log: a path (CSV, JSON lines, Parquet, dsjson, npz...), a pandas DataFrame, an Arrow table, a dict of arrays, or
            (store, problem).
        policy: whatever `target_of` takes; a table too.
        reward_model: a table of predicted rewards, one column per action; `dr` is then the judge.
        mapping: which column is what, where names do not tell.
        actions: labels of all actions, where the log does not show all.
        discount: per step of an episode, in (0, 1].
        alpha: error rate of every interval, in (0, 1).
        least: the smallest reward (return of an episode) there can be; asks for a lower bound that trusts no large
            sample.

    Raises:
        DataError: the log or a table cannot be read, or they do not fit each other.
        ProjectError: no such policy.
        EvidenceError: the policy's answers are no probabilities, or an argument is out of its range.
    """
    opened = open_for(log, (policy, reward_model), mapping, actions)
    return value(opened, target_of(policy, opened), reward_model, discount, alpha, least)


def open_for(
    log: Any,
    tables: Sequence[Any],
    mapping: Path | str | Mapping[str, Any] | None,
    actions: Sequence[str] | None,
    features: Sequence[str] = (),
) -> LogFile:
    """A log with all actions that it or the tables know; a policy may want what the log never shows."""
    from tenure.store.tables.logfile import open_log
    from tenure.store.tables.predictions import labels_in

    opened = open_log(log, mapping, actions=actions, features=features)
    if actions is not None or not opened.labels:
        return opened
    labels = opened.labels
    for table in filter(is_table, tables):
        labels = labels_in(table, labels)
    return opened if labels == opened.labels else open_log(log, mapping, actions=labels, features=features)


def value(
    log: LogFile, target: Target, reward_model: Any, discount: float, alpha: float, least: float | None
) -> OffPolicyReport:
    """The report of a target, by episode where the log has episodes."""
    from tenure.store.tables.predictions import open_predictions

    share(alpha, "alpha", "evaluate")
    checked_discount(discount)
    rewards = None if reward_model is None else open_predictions(reward_model, log.labels, rows=log.lines)
    if {"episode_id", "step"} <= set(log.mapping.roles):
        report = evaluate_episodes(log, target, predictions=rewards, discount=discount, alpha=alpha)
    else:
        report = evaluate_log(log, target, predictions=rewards, alpha=alpha, segments=True)
    report = replace(report, rejected=len(log.rejected))
    if least is None:
        return report
    if report.refusal is not None or report.models or not log.labels:
        return replace(report, lower_bound_reason="logged propensities of discrete actions are needed")
    try:
        bound = lower_bound(log, target, least, discount=discount, alpha=alpha)
    except EvidenceError as error:
        return replace(report, lower_bound_reason=f"{error.expected} needed, found {error.found}")
    return replace(report, lower_bound=bound)
