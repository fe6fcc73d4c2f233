"""What a problem must not contradict in itself: names, bounds, actions, and what reads which signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tenure.core.errors import ProblemError
from tenure.core.reward import Signal
from tenure.core.spaces import Discrete, Feature

if TYPE_CHECKING:
    from tenure.core.problem import Problem


def check_problem(problem: Problem) -> None:
    """Every check, the first break raised.

    Raises:
        ProblemError: what contradicts what, and where.
    """
    _check_name(problem.name)
    _check_unique(problem.name, "feature", [feature.name for feature in problem.observation])
    _check_unique(problem.name, "signal", [signal.name for signal in problem.signals])
    _check_unique(problem.name, "KPI", [kpi.name for kpi in problem.kpis])
    if problem.limits:
        _check_unique(problem.name, "limit", [limit.name for limit in problem.limits])
    _check_bounds(problem)
    _check_known(problem)
    _check_action(problem)
    _check_per(problem)
    _check_signals_known(problem)
    _check_finite(problem)


def _check_name(name: str) -> None:
    if not name or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise ProblemError(
            expected="a name of ASCII letters, digits, '-' and '_'",
            found=repr(name),
            where="Problem(name=...)",
            fix="choose such a name; it becomes part of the server's addresses",
        )


def _check_unique(problem: str, kind: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise ProblemError(
            expected=f"at least one {kind}, each name once",
            found=f"{twice} more than once" if twice else "none",
            where=f"problem {problem!r}",
            fix=f"give every {kind} a name of its own",
        )


def _check_bounds(problem: Problem) -> None:
    items: tuple[Feature | Signal, ...] = (*problem.observation, *problem.signals)
    for item in items:
        if not item.low < item.high:
            raise ProblemError(
                expected="low < high",
                found=f"low={item.low}, high={item.high}",
                where=f"problem {problem.name!r}, {type(item).__name__.lower()} {item.name!r}",
                fix="state the bounds in the item's own unit",
            )
    if not 0 < problem.discount <= 1 or problem.horizon < 1:
        raise ProblemError(
            expected="discount in (0, 1] and horizon >= 1",
            found=f"discount={problem.discount}, horizon={problem.horizon}",
            where=f"problem {problem.name!r}",
            fix="0.99 suits horizons of about a hundred steps",
        )

    for feature in problem.observation:
        if feature.default is not None and not feature.low <= feature.default <= feature.high:
            raise ProblemError(
                expected=f"a default from {feature.low:g} to {feature.high:g}",
                found=f"{feature.default:g}",
                where=f"problem {problem.name!r}, feature {feature.name!r}",
                fix="state a legal default, or leave it out",
            )


def _check_known(problem: Problem) -> None:
    for feature in problem.observation:
        if feature.known != "at_decision":
            when = "only after the decision" if feature.known == "after" else "only in the simulator"
            raise ProblemError(
                expected="features that production knows at the decision",
                found=f"feature {feature.name!r}, known {when}",
                where=f"problem {problem.name!r}, observation",
                fix="leave it out, or give its last known value as a feature of its own, with its `lag`",
            )


def _check_action(problem: Problem) -> None:
    action = problem.action
    if isinstance(action, Discrete):
        possible = len(action.labels) >= 2 and len(set(action.labels)) == len(action.labels)
    else:
        sizes = {len(action.names), len(action.units), len(action.low), len(action.high)}
        bounds = zip(action.low, action.high, strict=False)
        possible = len(sizes) == 1 and bool(action.names) and all(low < high for low, high in bounds)
    if not possible:
        raise ProblemError(
            expected="at least two labels, each once; or a Box with a unit and low < high for every name",
            found=repr(action),
            where=f"problem {problem.name!r}, action",
            fix="name everything that can be done, once",
        )


def _check_per(problem: Problem) -> None:
    lows = {feature.name: feature.low for feature in problem.observation}
    for feature in problem.observation:
        if feature.per is not None and not lows.get(feature.per, 0.0) > 0:
            raise ProblemError(
                expected="a feature whose lowest legal value is above 0",
                found=repr(feature.per),
                where=f"problem {problem.name!r}, feature {feature.name!r}, per",
                fix="name such a feature, or leave `per` out",
            )


def _check_signals_known(problem: Problem) -> None:
    empty = [] if problem.reward.terms else ["the reward"]
    empty += [f"KPI {kpi.name!r}" for kpi in problem.kpis if not kpi.of or kpi.per == {}]
    if empty:
        raise ProblemError(
            expected="at least one signal in each",
            found=f"none in {', '.join(empty)}",
            where=f"problem {problem.name!r}",
            fix="say what it is measured by",
        )
    reads = [(f"reward term {term.signal!r}", term.signal) for term in problem.reward.terms]
    reads += [(f"limit {limit.name!r}", limit.signal) for limit in problem.limits]
    for kpi in problem.kpis:
        reads += [(f"KPI {kpi.name!r}", name) for name in (*kpi.of, *(kpi.per or {}))]
    pairs = [("trade-off", name) for pair in problem.reward.tradeoffs for name in (pair.one, pair.other)]
    _check_no_kpi_is_paid(problem)
    for reader, signal in reads + pairs:
        if signal not in problem.signal_names:
            raise ProblemError(
                expected=f"one of the signals {sorted(problem.signal_names)}",
                found=repr(signal),
                where=f"problem {problem.name!r}, {reader}",
                fix="correct the name, or declare the signal with its unit and bounds",
            )


def _check_no_kpi_is_paid(problem: Problem) -> None:
    figures = {kpi.name for kpi in problem.kpis} - problem.signal_names
    for term in problem.reward.terms:
        if term.signal in figures:
            raise ProblemError(
                expected="reward terms over signals",
                found=f"a term that reads the KPI {term.signal!r}",
                where=f"problem {problem.name!r}, reward term {term.signal!r}",
                fix="pay for signals only: a KPI that is paid for can no longer show that the reward is wrong",
            )


def _check_finite(problem: Problem) -> None:
    """What is neither a number nor finite makes every sum it enters meaningless."""
    terms = problem.reward.terms
    told = [(each.weight, f"{each.because!r}", f"reward term {each.signal!r}, weight") for each in terms]
    told += [(each.scale or 0.0, f"{each.because!r}", f"reward term {each.signal!r}, scale") for each in terms]
    told += [(each.most, repr(each.name), "limit, most") for each in problem.limits]
    for kpi in problem.kpis:
        weights = (*kpi.of.values(), *(kpi.per or {}).values(), kpi.worst or 0.0)
        told += [(weight, repr(kpi.name), "KPI, of, per or worst") for weight in weights]
    for value, name, where in told:
        if not math.isfinite(value):
            raise ProblemError(
                expected="a finite number",
                found=f"{value} for {name}",
                where=f"problem {problem.name!r}, {where}",
                fix="state it in the units of the signal; leave out what has no weight",
            )
