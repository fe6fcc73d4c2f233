"""What a monitor is handed: some decisions of one hour, in the order of the log, with what they measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.decision import Arm
from tenure.core.problem import Problem
from tenure.store.measures import NOT_THE_POLICYS
from tenure.store.records import LogFrame
from tenure.store.watching import Watched

LIVE = frozenset({"canary", "full"})
"""Stages in which both arms answer, told apart by the split."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Decisions of one hour, n of them; monitors of outcomes see them once their outcome is there or cannot come.

    Args:
        settled: the outcome is known, or known not to have come in time; False when only the decision is looked at.
        hour: hours since 1970-01-01, UTC, never falling from one batch to the next.
        sequence: numbers in the log; [n].
        unit: sticky keys; [n].
        version: what answered; [n].
        candidate, incumbent, fallback, failed, live: who answered, whether by the policy's fault, and whether in a live
            stage; [n] each.
        action: what was done, an index or a vector; [n] or [n, numbers].
        explored: another action than the policy's best was taken; [n].
        confidence: in [0, 1]; [n].
        latency_ms: from request to answer; [n].
        proposed, differs: another arm proposed something, and something else than was done; [n] each.
        observation: [n, features].
        joined: an outcome counts; [n].
        delay_s: how long it took, NaN without one; [n].
        reward: in the problem's currency, NaN where unmeasured; [n].
        above, below: numerator and denominator of each KPI, NaN where unmeasured; [n, kpis] each.
    """

    settled: bool
    hour: int
    sequence: Ints
    unit: Any
    version: Any
    candidate: Bools
    incumbent: Bools
    fallback: Bools
    failed: Bools
    live: Bools
    action: Any
    explored: Bools
    confidence: Floats
    latency_ms: Floats
    proposed: Bools
    differs: Bools
    observation: Floats
    joined: Bools
    delay_s: Floats
    reward: Floats
    above: Floats
    below: Floats

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def measured(self) -> Bools:
        """Rows whose reward and KPIs are known; [n]."""
        return np.isfinite(self.reward) & np.isfinite(self.above).all(axis=1) & np.isfinite(self.below).all(axis=1)


_WHOLE = ("settled", "hour")
_COLUMNS = tuple(field.name for field in fields(Rows) if field.name not in _WHOLE)


def rows_by_hour(problem: Problem, watched: Watched, settled: bool, since: int) -> Iterator[Rows]:
    """The rows, cut where an hour ends; a row older than the hour before it is counted with that.

    Args:
        problem: states reward and KPIs.
        watched: rows of the log.
        settled: their outcomes are known.
        since: the hour reached by the rows before them.
    """
    if not len(watched.frame):
        return
    columns = _columns(problem, watched)
    hours = np.maximum.accumulate(np.maximum(_hours(watched.frame.decided_at), since))
    cuts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), len(hours)]
    for start, stop in pairwise(cuts):
        part = {name: column[start:stop] for name, column in columns.items()}
        yield Rows(settled=settled, hour=int(hours[start]), **part)


def settled_rows(frame: LogFrame, now: Any, wait: timedelta) -> int:
    """How many rows from the first on have their outcome, or can no longer get it in time.

    Only an unbroken stretch counts, so that rows are seen once, in the order of the log, whenever one looks.

    Args:
        frame: rows of the log.
        now: the present moment, datetime64, UTC.
        wait: reward wait time.
    """
    done = frame.joined | (frame.decided_at + np.timedelta64(wait) < now)
    open_rows = np.flatnonzero(~done)
    return int(open_rows[0]) if len(open_rows) else len(done)


def _columns(problem: Problem, watched: Watched) -> Mapping[str, Any]:
    frame = watched.frame
    unknown = np.full(len(frame), np.nan)
    signals = {name: frame.signals.get(name, unknown) for name in problem.signal_names}
    arm = np.array(frame.arm)
    fallback = arm == Arm.FALLBACK.value
    own = ~np.isin(np.array(watched.reason), NOT_THE_POLICYS)
    columns = {
        "sequence": frame.sequence,
        "unit": np.array(frame.unit_id, dtype=object),
        "version": np.array(frame.version, dtype=object),
        "candidate": arm == Arm.CANDIDATE.value,
        "incumbent": arm == Arm.INCUMBENT.value,
        "fallback": fallback,
        "failed": fallback & own,
        "live": np.isin(np.array(frame.stage), list(LIVE)),
        "action": frame.action,
        "explored": frame.explored,
        "confidence": frame.confidence,
        "latency_ms": watched.latency_ms,
        "proposed": frame.proposed,
        "differs": _differs(frame),
        "observation": frame.observation.astype(np.float64),
        "joined": frame.joined,
        "delay_s": watched.delay_s,
        "reward": problem.reward(signals),
        "above": np.stack([kpi.numerator(signals) for kpi in problem.kpis], axis=1),
        "below": np.stack([kpi.denominator(signals) for kpi in problem.kpis], axis=1),
    }
    assert tuple(columns) == _COLUMNS
    return columns


def _differs(frame: LogFrame) -> Bools:
    other = np.asarray(frame.shadow_action != frame.action)
    return np.asarray(frame.proposed & (other.any(axis=1) if other.ndim == 2 else other))


def _hours(moments: Any) -> Ints:
    return np.asarray(moments.astype("datetime64[h]").astype(np.int64))
