"""Worlds in which every disturbance can be worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core import KPI, Box, Discrete, Feature, Panel, Problem, Reward, Signal, Split, Step, Term
from tenure.core.arrays import Bools, Floats, Ints


def clock_problem(horizon: int = 12, box: bool = False) -> Problem:
    """Shows the time and ten times the time, pays the action taken and measures the demand met."""
    return Problem(
        name="clock",
        about="A clock, for tests.",
        observation=(
            Feature("time", "steps", 0, 1000),
            Feature("tens", "steps", 0, 10_000, default=0.0),
            Feature("free", "steps", default=5.0),
        ),
        action=Box(("push",), ("N",), (0.0,), (9.0,)) if box else Discrete(tuple("0123456789")),
        signals=(Signal("taken", "actions", 0, 9), Signal("demand", "orders", 0, 100), Signal("open", "share", 0, 1)),
        reward=Reward((Term("taken", 1.0, "EUR", "what it is paid for"),)),
        kpis=(KPI("taken", "EUR per step", "higher", {"taken": 1.0}),),
        horizon=horizon,
    )


@dataclass(frozen=True)
class Time:
    """Steps so far, what demand is multiplied by, what share is open; [n] each."""

    time: Ints
    factor: Floats
    open: Floats


class Clock:
    """Deterministic: the time goes on, the action is paid, demand is 10 times the factor."""

    version = "clock-1"
    levels: Mapping[str, object] = {"normal": 0, "hard": 500}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Time:
        return Time(np.full(n, self.levels[level]), np.ones(n), np.ones(n))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        state = self.reset(2, np.random.default_rng(0))
        return Panel(state, 12, ("a", "b"), datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1))

    def observe(self, state: Time) -> Floats:
        return np.stack([state.time, 10 * state.time, -state.time], axis=1).astype(np.float32)

    def step(self, state: Time, action: Any, rng: np.random.Generator) -> Step:
        taken = np.asarray(action, dtype=float).reshape(len(state.time))
        signals = {"taken": taken, "demand": 10.0 * state.factor, "open": state.open + 0.0}
        return Step(replace(state, time=state.time + 1), signals, np.zeros(len(taken), dtype=bool))

    def shocked(self, state: Time, factor: float) -> Time:
        return replace(state, factor=np.full(len(state.time), factor))

    def obstructed(self, state: Time, share: float) -> Time:
        return replace(state, open=np.full(len(state.time), 1 - share))


class Masked(Clock):
    """Action 9 is not allowed at odd times."""

    def mask(self, state: Time) -> Bools:
        allowed = np.ones((len(state.time), 10), dtype=bool)
        allowed[state.time % 2 == 1, 9] = False
        return allowed


class Plain:
    """The clock without hooks."""

    version = "plain-1"
    levels = Clock.levels
    reset, panel, observe, step = Clock.reset, Clock.panel, Clock.observe, Clock.step
