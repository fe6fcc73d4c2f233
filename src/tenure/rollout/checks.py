"""What rules of tenure.toml must say to mean one thing: checked when the file is read, each with its place."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tenure.core.errors import SettingsError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.rollout.rules import AlertRule, BreakerRule, ExplorationRule, HumanRule, span_of


def check_breakers(rules: Sequence[BreakerRule], problem: Problem, path: str) -> None:
    """Each watches one thing, by one inequality, over one stretch; no two have one name.

    Raises:
        SettingsError: one does not.
    """
    for rule in rules:
        where = f"{path}, breaker {rule.label!r}"
        _one_of(where, signal=rule.signal, measure=rule.measure)
        _one_of(where, above=rule.above, below=rule.below)
        _one_of(where, consecutive=rule.consecutive, window=rule.window)
        _known(rule.signal, sorted(problem.signal_names), "signals", where)
        if not math.isfinite(rule.limit):
            raise wrong("a finite limit", str(rule.limit), where)
        _check_figure(rule, where)
        if rule.measure == "action_share" and not isinstance(problem.action, Discrete):
            raise wrong("a measure of vectors, such as disagreement", "action_share, which counts labels", where)
        _check_half_open(rule, where)
    _once([rule.label for rule in rules], f"{path}, breaker")


def check_humans(rules: Sequence[HumanRule], problem: Problem, path: str) -> None:
    """Each states at least one condition, on what the problem has; no two have one name.

    Raises:
        SettingsError: one does not.
    """
    if rules and not isinstance(problem.action, Discrete):
        raise wrong("labelled actions, where a person is asked", "a Box", f"{path}, human")
    labels = problem.action.labels if isinstance(problem.action, Discrete) else ()
    for rule in rules:
        where = f"{path}, human {rule.name!r}"
        _known(rule.feature, problem.feature_names, "features", where)
        for label in rule.actions:
            _known(label, labels, "actions", where)
        limits = [limit for limit in (rule.above, rule.below) if limit is not None]
        if bool(limits) != (rule.feature is not None) or not all(map(math.isfinite, limits)):
            raise wrong("a feature with a finite limit above or below it, or neither", str(limits), where)
        if not limits and not rule.actions and rule.confidence_below is None:
            raise wrong("a feature with a limit, some actions, or confidence_below", "none of them", where)
        _ = rule.span
    _once([rule.name for rule in rules], f"{path}, human")


def check_exploration(rule: ExplorationRule, problem: Problem, path: str) -> None:
    """A segment is a feature, and its budget needs it.

    Raises:
        SettingsError: it is not.
    """
    _known(rule.segment, problem.feature_names, "features", f"{path}, exploration.segment")
    if rule.per_segment is not None and rule.segment is None:
        raise wrong("the segment that per_segment is for", "none", f"{path}, exploration")


def check_alerts(rule: AlertRule, path: str) -> None:
    """The span can be read.

    Raises:
        SettingsError: it cannot.
    """
    span_of(rule.expire, f"{path}, alerts.expire")


def check_personalizer(signal: str | None, problem: Problem, path: str) -> None:
    """The reward of Personalizer's clients is a signal of the problem.

    Raises:
        SettingsError: it is not.
    """
    _known(signal, sorted(problem.signal_names), "signals", f"{path}, serving.personalizer_signal")


def wrong(expected: str, found: str, where: str) -> SettingsError:
    """The error for something in tenure.toml."""
    return SettingsError(expected=expected, found=found, where=where, fix="correct tenure.toml")


def _check_figure(rule: BreakerRule, where: str) -> None:
    """A rate or a quantile is of a window; a share of actions is a figure of a window already."""
    stated = [name for name in ("rate", "quantile") if getattr(rule, name) is not None]
    if stated and (rule.window is None or len(stated) > 1):
        raise wrong("rate or quantile with a window, and not both", " and ".join(stated), where)
    if rule.measure == "action_share" and (rule.window is None or stated):
        raise wrong("action_share with a window, and neither rate nor quantile", rule.words, where)


def _check_half_open(rule: BreakerRule, where: str) -> None:
    """As many decisions must go well as the rule judges together, or it would close before it could trip."""
    if rule.half_open is None:
        return
    span_of(rule.half_open.after, f"{where}, half_open.after")
    if rule.half_open.decisions < rule.size:
        raise wrong(f"half_open.decisions of at least {rule.size}", str(rule.half_open.decisions), where)


def _one_of(where: str, **fields: object) -> None:
    stated = [name for name, value in fields.items() if value is not None]
    if len(stated) != 1:
        raise wrong(f"exactly one of {' and '.join(fields)}", " and ".join(stated) or "neither", where)


def _known(name: str | None, names: Sequence[str], kind: str, where: str) -> None:
    if name is not None and name not in names:
        raise wrong(f"one of the {kind} {list(names)}", repr(name), where)


def _once(names: Sequence[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise wrong("a name of its own for each", f"{twice} more than once", where)
