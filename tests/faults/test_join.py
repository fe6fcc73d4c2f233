"""Duplicate, late, early and orphaned outcomes in any order end where a join by brute force puts them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import postgres
from tests.simulation.oracles import Join

from tenure.core.decision import Arm, Decision, Kind, Outcome
from tenure.core.errors import ConflictError
from tenure.store import SqliteStore, Store
from tenure.store.opening import open_store

from . import LONG

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
WAIT = timedelta(minutes=10)
BOUNDS = {"cost": (0.0, 100.0)}

NAMES = st.sampled_from(["a", "b", "c"])
SIGNALS = st.sampled_from([{"cost": 1.0}, {"cost": 1.0}, {"cost": 2.0}, {"cost": float("nan")}, {"cost": 101.0}, {}])
REPORT = st.tuples(NAMES, st.sampled_from(["o1", "o2", "o3"]), SIGNALS, st.sampled_from(list(Kind)))
STEP = st.one_of(
    st.tuples(st.just("decide"), st.lists(NAMES, min_size=1, max_size=3)),
    st.tuples(st.just("report"), st.lists(REPORT, min_size=1, max_size=4)),
    st.tuples(st.just("wait"), st.integers(1, 12)),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One log for all examples, each of which has a problem of its own."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("join") / "log.db"
        with SqliteStore(path, synchronous="OFF") as opened:
            yield opened
        return
    with postgres.server() as running, open_store(running.fresh()) as opened:
        yield opened


def decision(problem: str, name: str, at: datetime) -> Decision:
    """A decision of the incumbent's."""
    certain: dict[str, Any] = {"propensity": 1.0, "explored": False, "confidence": 1.0, "kill_epoch": 0}
    named: dict[str, Any] = {"stage": "none", "arm": Arm.INCUMBENT, "version": "rule", "action": 0, "reason": "none"}
    asked: dict[str, Any] = {"context": {}, "observation": b"", "mask": None, "latency_us": 1, "request_hash": name}
    return Decision(name, problem, "v", "u", None, None, at, **asked, **named, **certain)


@settings(
    max_examples=500 if LONG else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, max_size=15))
def test_every_outcome_is_where_a_join_by_brute_force_puts_it(store: Store, steps: list[tuple[str, Any]]) -> None:
    problem, now = f"p{len(store.problems())}", NOON
    store.open_problem(problem, "salt")
    join = Join(WAIT, BOUNDS)
    for verb, what in steps:
        if verb == "wait":
            now += timedelta(minutes=what)
        elif verb == "decide":
            store.append_decisions([decision(problem, name, now) for name in what])
            for name in dict.fromkeys(what):
                if name not in join.decided:
                    join.decision(name, now)
        else:
            report(store, problem, join, what, now)
        assert placed(store, problem) == {key: (kept.place, kept.counted) for key, kept in join.kept.items()}, (
            f"after {verb} {what}"
        )


def report(store: Store, problem: str, join: Join, what: list[Any], now: datetime) -> None:
    """A batch of outcomes, and by hand; where one of them conflicts nothing of the batch may be there."""
    outcomes = [Outcome(outcome_id, name, None, signals, kind) for name, outcome_id, signals, kind in what]
    bodies = {key: kept.body for key, kept in join.kept.items()}
    conflict = False
    for name, outcome_id, signals, kind in what:
        body = str((None, dict(signals), kind.value))
        conflict |= bodies.setdefault((name, outcome_id), body) != body
    arrival: dict[str, Any] = {"received_at": now, "wait": WAIT, "signals": BOUNDS}
    if conflict:
        with pytest.raises(ConflictError):
            store.append_outcomes(problem, outcomes, **arrival)
        return
    store.append_outcomes(problem, outcomes, **arrival)
    for name, outcome_id, signals, kind in what:
        if (name, outcome_id) not in join.kept:
            join.outcome(name, outcome_id, kind.value, signals, None, now)


def placed(store: Store, problem: str) -> dict[tuple[str, str], tuple[str, bool]]:
    """Place of every stored outcome, and whether it counts."""
    with store.database.reading() as link:
        rows = link.execute("SELECT decision_id, outcome_id, place, counted FROM outcome WHERE problem = ?", (problem,))
        return {(row[0], row[1]): (row[2], bool(row[3])) for row in rows}
