"""Breakers as folds of the log: any order of arrival, several replicas, and the way back only as configured."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.decision import Arm, Outcome, ShadowProposal
from tenure.core.errors import StoreError
from tenure.rollout import Breakers, Settings, check_head, fold
from tenure.rollout import breakers as breakers_module
from tenure.rollout.circuit import Circuit
from tenure.rollout.rules import BreakerRule, HalfOpen
from tenure.store import Event, Recent

from .breaking import NOON, TRADES, WAIT, Replica, breaks

SLIPPAGE = BreakerRule(signal="slippage", above=0.0015, consecutive=6)
BAD, FINE, EDGE = 0.0016, 0.001, 0.0015
TRIES = BreakerRule(
    signal="slippage",
    above=0.0015,
    consecutive=2,
    name="slip",
    half_open=HalfOpen(after="10m", share=0.2, decisions=3),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def trades(path: Path) -> Iterator[Replica]:
    replica = Replica(path, [SLIPPAGE]).at(1.0)
    yield replica
    replica.store.close()


def test_the_sixth_trade_in_a_row_above_the_limit_kills_and_people_are_told_what_it_saw(trades: Replica) -> None:
    for trade in range(6):
        assert not trades.killed
        trades.decide(f"t{trade}")
        trades.report((f"t{trade}", BAD))
    kill = trades.store.events("toy")[-1]
    assert (kill.kind, kill.actor) == ("kill", "breaker:slippage above 0.0015, 6 in a row")
    assert kill.reason == (
        "slippage above 0.0015, 6 in a row: decisions 3 to 8, the last of them "
        "0.0016, 0.0016, 0.0016, 0.0016, 0.0016, 0.0016"
    )
    assert (kill.payload["first"], kill.payload["last"], kill.payload["kill_epoch"]) == (3, 8, 1)
    control = trades.store.control("toy")
    assert (control.killed, control.kill_epoch, control.live_share) == (True, 1, 0.0)
    check_head(control, trades.store.events("toy"))


def test_exactly_the_limit_does_not_break(trades: Replica) -> None:
    for trade in range(20):
        trades.decide(f"t{trade}")
        trades.report((f"t{trade}", EDGE))
    assert not trades.killed


def test_a_missing_outcome_neither_breaks_nor_extends_a_run(trades: Replica) -> None:
    trades.decide(*"abcdefg")
    trades.report(*((name, BAD) for name in "abc"))
    trades.store.append_outcomes(
        "toy", [Outcome.lost("d")], received_at=NOON, wait=WAIT, signals=TRADES.signal_bounds, fold=trades.breakers.fold
    )
    trades.report(*((name, BAD) for name in "ef"))
    assert not trades.killed
    trades.report(("g", BAD))
    assert trades.killed


def test_an_outcome_in_the_middle_joins_two_runs(trades: Replica) -> None:
    trades.decide(*"abcdefg")
    trades.report(*((name, BAD) for name in "abc"))
    trades.report(*((name, BAD) for name in "fg"))
    assert not trades.killed
    trades.report(("d", BAD))
    assert trades.killed


def test_a_good_one_in_the_middle_parts_them(trades: Replica) -> None:
    trades.decide(*"abcdefg")
    trades.report(("d", FINE))
    trades.report(*((name, BAD) for name in "abcefg"))
    assert not trades.killed


@pytest.mark.parametrize("what", ["late", "not a number", "unknown", "repeated"])
def test_what_does_not_count_does_not_break(trades: Replica, what: str) -> None:
    trades.decide(*"abcdef")
    trades.report(*((name, BAD) for name in "abcde"))
    if what == "late":
        trades.report(("f", BAD), at=NOON + WAIT + timedelta(seconds=1))
    elif what == "not a number":
        trades.report(("f", math.nan))
    elif what == "unknown":
        trades.report(("never decided", BAD))
    else:
        trades.report(("e", BAD), name="again")
    assert not trades.killed


def test_an_outcome_that_came_before_its_decision_breaks_when_the_decision_is_written(trades: Replica) -> None:
    trades.decide(*"abcde")
    trades.report(*((name, BAD) for name in "abcdef"))
    assert not trades.killed
    trades.decide("f")
    assert trades.killed


def test_only_learned_decisions_count(trades: Replica) -> None:
    for trade in range(12):
        arm = Arm.CANDIDATE if trade % 2 else Arm.INCUMBENT
        trades.decide(f"t{trade}", arm=arm)
        trades.report((f"t{trade}", FINE if arm is Arm.INCUMBENT else BAD))
    assert trades.killed
    learned = [row for row in trades.store.read_log("toy").arm if row == "candidate"]
    assert len(learned) == 6


def test_a_decision_that_was_corrected_was_not_the_candidates(trades: Replica) -> None:
    trades.decide(*"abcdef")
    trades.store.append_correction("toy", "a", action=0, arm=Arm.FALLBACK, propensity=None, reason="expired", at=NOON)
    trades.report(*((name, BAD) for name in "abcdef"))
    assert not trades.killed


def test_a_run_does_not_go_on_over_a_kill_and_a_new_start(trades: Replica) -> None:
    trades.decide(*"abcde")
    trades.report(*((name, BAD) for name in "abcde"))
    trades.store.kill("toy", actor="ann", reason="drill", at=NOON)
    trades.store.restore("toy", actor="bob", reason="drill", at=NOON)
    trades.at(1.0)
    trades.decide("f")
    trades.report(("f", BAD))
    assert not trades.killed


def test_a_run_does_not_go_on_over_a_rollback_and_a_new_start(trades: Replica) -> None:
    """No epoch moves there: the start parts them."""
    trades.decide(*"abcde")
    trades.report(*((name, BAD) for name in "abcde"))
    trades.store.append_event(
        Event("toy", "rollback", "ann", "", NOON, {}), control={"stage": "rolled_back", "share": 0.0}
    )
    trades.at(1.0)
    trades.decide("f")
    trades.report(("f", BAD))
    assert not trades.killed


def test_nothing_trips_where_the_candidate_has_no_traffic(trades: Replica) -> None:
    """Late news of a candidate that was rolled back stops nobody."""
    trades.decide(*"abcdef")
    trades.store.append_event(
        Event("toy", "rollback", "ann", "", NOON, {}), control={"stage": "rolled_back", "share": 0.0}
    )
    trades.report(*((name, BAD) for name in "abcdef"))
    assert not trades.killed


def test_the_reward_can_be_watched(path: Path) -> None:
    """A slippage of .02 and a fee of $1 are worth 100 * -.02 - 1 = -3."""
    replica = Replica(path, [BreakerRule(measure="reward", below=-3.0, consecutive=2)]).at(1.0)
    replica.decide(*"abcd")
    replica.report(("a", 0.02), ("b", 0.02))
    assert not replica.killed
    replica.report(("c", 0.021), ("d", 0.021))
    assert replica.killed


def test_without_breakers_nothing_is_asked_of_the_log() -> None:
    recent = Recent(None, None, [1], NOON)  # type: ignore[arg-type]
    assert Breakers(TRADES, Settings()).fold(recent) is None


def test_a_window_trips_wherever_it_lies_in_a_large_batch(path: Path) -> None:
    """A bad stretch amid a batch is a bad stretch, whatever came after it in the same transaction."""
    replica = Replica(path, [BreakerRule(signal="slippage", above=0.5, window=10, rate=0.5)]).at(1.0)
    names = [f"t{trade:03d}" for trade in range(100)]
    replica.decide(*names)
    replica.report(*((name, float(40 <= trade < 46)) for trade, name in enumerate(names)))
    assert replica.killed


ARRIVALS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from([0.0, 0.5, 1.0, math.nan]), st.sampled_from(["o", "p"])),
        min_size=1,
        max_size=4,
    ),
    max_size=12,
)
ORACLE_RULES = st.sampled_from(
    [
        BreakerRule(signal="slippage", above=0.5, consecutive=3),
        BreakerRule(signal="slippage", above=0.5, consecutive=1),
        BreakerRule(signal="slippage", below=0.5, window=4, rate=0.5),
        BreakerRule(signal="slippage", above=0.5, window=5, quantile=0.5),
        BreakerRule(signal="slippage", above=0.5, window=3),
    ]
)


@settings(max_examples=120, deadline=None)
@given(ORACLE_RULES, st.lists(st.booleans(), min_size=12, max_size=12), ARRIVALS, st.integers(0, 12))
def test_breakers_equal_an_oracle_on_any_order_over_two_replicas(
    rule: BreakerRule, learned: list[bool], arrivals: list[list[tuple[int, float, str]]], split: int
) -> None:
    """Duplicate, late, early, missing and NaN outcomes; decisions and reports over either replica."""
    with tempfile.TemporaryDirectory() as folder:
        first = Replica(Path(folder) / "log.db", [rule]).at(1.0)
        second = Replica(Path(folder) / "log.db", [rule])
        arms = [Arm.CANDIDATE if one else Arm.INCUMBENT for one in learned]
        early: dict[int, float] = {}
        counted: dict[int, float] = {}
        sent: dict[tuple[int, str], float] = {}

        def tripped() -> bool:
            return breaks(rule, [counted[row] for row in sorted(counted) if learned[row]])

        expected = False
        for turn, batch in enumerate([[], *arrivals]):
            if turn == min(split, len(arrivals)):
                for row in range(12):
                    (first, second)[row % 2].decide(f"d{row}", arm=arms[row])
                    if row in early and not expected:
                        counted[row] = early[row]
                        expected = expected or tripped()
            decided = turn >= min(split, len(arrivals))
            fresh = {(row, name): sent.setdefault((row, name), value) for row, value, name in batch}
            for (row, _), value in fresh.items():
                if not math.isnan(value):
                    (counted if decided else early).setdefault(row, value)
            replica = (first, second)[turn % 2]
            replica.report_each(fresh)
            expected = expected or (decided and tripped())
            assert (first.killed, second.killed) == (expected, expected)
            if expected:
                break
        first.store.close()
        second.store.close()
