"""What breakers would have made of the past: the same windows over the log, whoever decided; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.clock import to_text
from tenure.core.decision import Arm
from tenure.core.problem import Problem
from tenure.core.spaces import APART, Box
from tenure.rollout.rules import BreakerRule
from tenure.rollout.settings import Settings
from tenure.rollout.windows import first_broken
from tenure.store import LogFrame, Store
from tenure.store.measures import latencies

CHUNK = 10_000
"""Stretches judged at once, so that a long past needs little memory."""


@dataclass(frozen=True)
class Tripped:
    """What one breaker would have made of the past.

    Args:
        breaker: what the log calls it.
        rule: in words.
        times: how often it would have tripped, beginning anew after each time.
        first_at: when it would have tripped first; None when never.
        first_decision: on which decision.
        decisions: how many it would have seen.
    """

    breaker: str
    rule: str
    times: int
    first_at: str | None
    first_decision: str | None
    decisions: int


def tripped(problem: Problem, settings: Settings, store: Store, frame: LogFrame, now: datetime) -> list[Tripped]:
    """What each breaker would have made of a frame, over the decisions of whoever answered.

    Args:
        problem: what is decided.
        settings: the breakers.
        store: the log, for what a frame does not hold.
        frame: decisions in order, with their outcomes.
        now: the present moment, UTC; outcomes may still come for decisions younger than the reward wait time.
    """
    settled = np.datetime64((now - settings.reward_window.span).replace(tzinfo=None))
    return [_tripped(rule, frame, *_figures(problem, rule, store, frame, settled)) for rule in settings.breaker]


def _tripped(rule: BreakerRule, frame: LogFrame, rows: Ints, values: Floats) -> Tripped:
    ends = _ends(rule, values)
    first = int(rows[ends[0]]) if ends else None
    at = None if first is None else to_text(frame.decided_at[first].item())
    name = None if first is None else frame.decision_id[first]
    return Tripped(rule.label, rule.words, len(ends), at, name, len(values))


def _ends(rule: BreakerRule, values: Floats) -> list[int]:
    """Positions on which the rule would have tripped, each counted from after the one before."""
    ends: list[int] = []
    begin = 0
    while begin + rule.size <= len(values):
        found = first_broken(rule, values[begin : begin + CHUNK + rule.size])
        if found is None:
            begin += CHUNK + 1
        else:
            ends.append(begin + found + rule.size - 1)
            begin = ends[-1] + 1
    return ends


def _different(problem: Problem, frame: LogFrame) -> Bools:
    """Where the arm that did not answer would have done something else; [n]."""
    space = problem.action
    if isinstance(space, Box):
        done, offered = (each.reshape(-1, space.size) for each in (frame.action, frame.shadow_action))
        return np.asarray(space.apart(done, offered) > APART)
    return np.asarray(frame.action != frame.shadow_action)


def _figures(
    problem: Problem, rule: BreakerRule, store: Store, frame: LogFrame, settled: np.datetime64
) -> tuple[Ints, Floats]:
    """Rows of the frame that a rule reads, and its figure of each."""
    unknown, everything = np.full(len(frame), np.nan), np.ones(len(frame), dtype=bool)
    arm = np.array(frame.arm, dtype=object)
    if rule.signal is not None or rule.measure == "reward":
        signals = {name: frame.signals.get(name, unknown) for name in problem.signal_names}
        values = signals[rule.signal] if rule.signal is not None else problem.reward(signals)
        kept = frame.joined & np.isfinite(values)
    elif rule.measure == "disagreement":
        values, kept = _different(problem, frame), frame.proposed
    elif rule.measure == "missing_outcomes":
        values, kept = ~frame.joined, frame.decided_at <= settled
    elif rule.measure == "failure_rate":
        values, kept = arm == Arm.FALLBACK.value, everything
    elif rule.measure == "action_share":
        values, kept = frame.action, everything
    else:
        with store.database.reading() as connection:
            values, kept = latencies(connection, problem.name, frame.sequence), everything
    rows = np.flatnonzero(kept)
    return rows, np.asarray(values, dtype=np.float64)[rows]
