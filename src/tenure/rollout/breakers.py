"""Breakers: rules over single decisions that stop the candidate, in the transaction that wrote what broke them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.errors import FencedError
from tenure.core.problem import Problem
from tenure.rollout.circuit import Circuit
from tenure.rollout.rules import BreakerRule, HalfOpen
from tenure.rollout.settings import Settings
from tenure.rollout.stages import Move, RolloutState, Stage, fold
from tenure.rollout.windows import figure_of, first_broken
from tenure.store import Control, Event, Recent, Store, Trip
from tenure.store.database import Connection
from tenure.store.events import move_epoch
from tenure.store.journal import read_control
from tenure.store.measures import Figures, Measured, latest, latest_outcomes, stretches
from tenure.store.records import MOVE_NOTHING

ACTOR = "breaker:"
"""What the log calls a breaker, before its name."""
LOOK_AFTER_ROWS, LOOK_AFTER = 64, timedelta(seconds=1)
"""Figures of the decisions are looked at once so many rows are new, or so much time has passed."""
LOOK_BACK = 320
"""Windows that end on one of so many latest decisions are judged at each look: as many as lie between two looks."""
TOLD = 6
"""Values a reason names."""
LARGEST = 1e300
"""Beyond it a figure is taken for this one, so that sums of many stay numbers: outcomes may be as wild as they like."""


@dataclass(frozen=True)
class BreakerStatus:
    """Where one breaker stands.

    Args:
        name: what the log calls it.
        rule: the rule in words.
        state: closed, open, half_open, or tripped (a person must restore).
        value: the present figure: length of the last run, share, mean or quantile; None with too few decisions.
        limit: what it must exceed, or fall below, to trip.
        seen: decisions in view, at most as many as it judges together.
        needed: how many it judges together.
    """

    name: str
    rule: str
    state: str
    value: float | None
    limit: float
    seen: int
    needed: int

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


class Breakers:
    """All breakers of one problem; functions of the log alone, so that every replica and every restart agree.

    Args:
        problem: what is decided.
        settings: `[[breaker]]` and the reward wait time.
    """

    def __init__(self, problem: Problem, settings: Settings) -> None:
        self.problem, self.rules, self.wait = problem, settings.breaker, settings.reward_window.span
        self._on_outcomes = [rule for rule in self.rules if reads_outcomes(rule)]
        self._on_decisions = [rule for rule in self.rules if not reads_outcomes(rule)]
        self._size = max((rule.size for rule in self._on_outcomes), default=1)
        self._weights = _weights(problem)
        self._lock = threading.Lock()
        self._looked: tuple[int, datetime] | None = None

    def fold(self, recent: Recent) -> Trip | None:
        """What new outcomes call for; runs inside the transaction that writes them."""
        if not self._on_outcomes or not recent.numbers or recent.control.live_share <= 0:
            return None
        return self._fold(recent, self._size)

    def look(self, store: Store, now: datetime) -> None:
        """Judge the decisions themselves, and turn a circuit whose time has come; nothing waits for it.

        A trip is recorded only under the kill epoch it was seen under.
        """
        if not self.rules:
            return
        control = store.control(self.problem.name)
        if control.cap < 1:
            self._turn(store, now)
        if not self._on_decisions or control.live_share <= 0 or not self._due(control.sequence, now):
            return
        with store.database.reading() as connection:
            trip = self._look(connection, control, now)
        if trip is not None:
            self._record(store, control.kill_epoch, trip)

    def status(self, store: Store) -> list[BreakerStatus]:
        """Where each breaker stands, for pages."""
        if not self.rules:
            return []
        events = store.events(self.problem.name)
        state, control = fold(events), store.control(self.problem.name)
        killer = _killer(events) if state.killed else None
        with store.database.reading() as connection:
            return [self._status(connection, control, state, killer, rule) for rule in self.rules]

    def _fold(self, recent: Recent, size: int) -> Trip | None:
        """As `fold`, with stretches of a size; longer ones where rows lack what a rule reads."""
        lacking = 0
        for rows in stretches(recent.connection, recent.control, recent.numbers, size):
            for rule in self._on_outcomes:
                figures = self._figures(rule, rows)
                trip = self._judged(rule, figures, recent.at)
                if trip is not None:
                    return trip
                lacking = max(lacking, len(rows) - len(figures.values))
        return self._fold(recent, self._size + lacking) if self._size + lacking > size else None

    def _look(self, connection: Connection, control: Control, now: datetime) -> Trip | None:
        for rule in self._on_decisions:
            trip = self._judged(rule, self._latest(connection, control, rule, rule.size + LOOK_BACK, now), now)
            if trip is not None:
                return trip
        return None

    def _latest(
        self, connection: Connection, control: Control, rule: BreakerRule, limit: int, now: datetime | None = None
    ) -> Figures:
        """The latest figures a rule reads; whether an outcome is missing is known after the wait only."""
        if reads_outcomes(rule):
            return self._figures(rule, latest_outcomes(connection, control, limit))
        upto = now - self.wait if now is not None and rule.measure == "missing_outcomes" else None
        return latest(connection, control, rule.watched, limit, upto)

    def _figures(self, rule: BreakerRule, rows: Sequence[Measured]) -> Figures:
        """The signal or the reward of each row; rows that lack what it needs count for nothing."""
        needed = {rule.signal} if rule.signal is not None else self._weights.keys()
        try:
            values = self._read(rule.signal, [signals for _, signals in rows])
        except KeyError:
            return self._figures(rule, [row for row in rows if needed <= row[1].keys()])
        return Figures([number for number, _ in rows], np.clip(np.array(values, dtype=np.float64), -LARGEST, LARGEST))

    def _read(self, signal: str | None, rows: Sequence[Mapping[str, float]]) -> list[float]:
        if signal is not None:
            return [signals[signal] for signals in rows]
        return [sum([weight * signals[name] for name, weight in self._weights.items()]) for signals in rows]

    def _judged(self, rule: BreakerRule, figures: Figures, at: datetime) -> Trip | None:
        first = first_broken(rule, figures.values)
        if first is None:
            return None
        stretch = slice(first, first + rule.size)
        return trip_of(self.problem.name, rule, Figures(figures.numbers[stretch], figures.values[stretch]), at)

    def _due(self, sequence: int, now: datetime) -> bool:
        with self._lock:
            before = self._looked
            due = (
                before is None
                or sequence - before[0] >= LOOK_AFTER_ROWS
                or not timedelta(0) <= now - before[1] < LOOK_AFTER
            )
            self._looked = (sequence, now) if due else before
        return due

    def _record(self, store: Store, seen: int, trip: Trip) -> None:
        with store.database.writing() as connection:
            control = read_control(connection, self.problem.name)
            if control.kill_epoch == seen and control.live_share > 0:
                move_epoch(connection, trip.event, trip.control)

    def _turn(self, store: Store, now: datetime) -> None:
        """Half-open a circuit that has been open long enough, close one that has been good long enough."""
        control = store.control(self.problem.name)
        events = store.events(self.problem.name)
        event = self._next_turn(store, control, fold(events), now)
        if event is None:
            return
        moves = [one.sequence for one in events if one.kind not in MOVE_NOTHING]
        columns = {"cap": event.payload["cap"]}
        try:
            store.append_event(
                event, control=columns, expect_sequence_epoch=control.kill_epoch, expect_last_event=moves[-1]
            )
        except FencedError:
            return  # somebody moved the rollout meanwhile; the next look sees where it stands

    def _next_turn(self, store: Store, control: Control, state: RolloutState, now: datetime) -> Event | None:
        circuit = state.circuit
        rule = next((rule for rule in self.rules if rule.label == circuit.breaker), None)
        if rule is None or rule.half_open is None or circuit.since is None or not _is_live(state):
            return None
        half_open = rule.half_open
        if circuit.circuit is Circuit.OPEN and now - circuit.since >= half_open.span:
            told = f"open for {half_open.after}: {100 * half_open.share:g} % of the units are tried again"
            return self._event(Move.HALF_OPEN, rule, told, half_open.share, now)
        if circuit.circuit is Circuit.HALF_OPEN and self._went_well(store, control, rule, half_open, now):
            told = f"{half_open.decisions} learned decisions went well"
            return self._event(Move.CLOSE, rule, told, 1.0, now)
        return None

    def _went_well(self, store: Store, control: Control, rule: BreakerRule, half_open: HalfOpen, now: datetime) -> bool:
        """Whether enough decisions have been judged under the half-open circuit; a bad one would have tripped it."""
        with store.database.reading() as connection:
            return len(self._latest(connection, control, rule, half_open.decisions, now).values) >= half_open.decisions

    def _event(self, move: Move, rule: BreakerRule, reason: str, cap: float, at: datetime) -> Event:
        payload = {"breaker": rule.label, "cap": cap}
        return Event(self.problem.name, move.value, f"{ACTOR}{rule.label}", reason, at, payload)

    def _status(
        self, connection: Connection, control: Control, state: RolloutState, killer: str | None, rule: BreakerRule
    ) -> BreakerStatus:
        figures = self._latest(connection, control, rule, rule.size)
        circuit = state.circuit.circuit.value if state.circuit.breaker == rule.label else Circuit.CLOSED.value
        stands = "tripped" if killer == rule.label else circuit
        limit = float(rule.consecutive or (rule.rate if rule.rate is not None else rule.limit))
        value = figure_of(rule, figures.values)
        return BreakerStatus(rule.label, rule.words, stands, value, limit, len(figures.values), rule.size)


def reads_outcomes(rule: BreakerRule) -> bool:
    """Whether a rule reads what was measured after a decision, and not the decision itself."""
    return rule.signal is not None or rule.measure == "reward"


def trip_of(problem: str, rule: BreakerRule, figures: Figures, at: datetime) -> Trip:
    """The event and the head's columns for a stretch of decisions that broke a rule."""
    values, first, last = figures.values[-TOLD:].tolist(), figures.numbers[0], figures.numbers[-1]
    told = ", ".join(f"{value:g}" for value in values)
    reason = f"{rule.words}: decisions {first} to {last}, the last of them {told}"
    payload = {"breaker": rule.label, "first": first, "last": last, "values": values}
    event = Event(problem, Move.KILL.value, f"{ACTOR}{rule.label}", reason, at, payload)
    if rule.half_open is None:
        return Trip(event, {"killed": True})
    return Trip(replace(event, kind=Move.TRIP.value), {"cap": 0.0})


def _weights(problem: Problem) -> dict[str, float]:
    """What one unit of each signal is worth."""
    weights: dict[str, float] = {}
    for term in problem.reward.terms:
        weights[term.signal] = weights.get(term.signal, 0.0) + term.weight
    return weights


def _killer(events: Sequence[Event]) -> str | None:
    """The breaker behind the kill in force; None when a person killed."""
    last = [event for event in events if event.kind == Move.KILL][-1]
    return last.actor.removeprefix(ACTOR) if last.actor.startswith(ACTOR) else None


def _is_live(state: RolloutState) -> bool:
    return state.stage in (Stage.CANARY, Stage.FULL) and not state.killed
