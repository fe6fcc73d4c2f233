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

from tenure.core.decision import Arm, Kind, Outcome, Place, ShadowProposal
from tenure.core.errors import StoreError
from tenure.rollout import Breakers, Settings, check_head, fold
from tenure.rollout import breakers as breakers_module
from tenure.rollout.circuit import Circuit
from tenure.rollout.rules import BreakerRule, HalfOpen
from tenure.store import Event, Recent
from tenure.store.measures import latest as real

from .breaking import NOON, TRADES, WAIT, Oracle, Replica

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


def test_a_correction_that_joins_two_runs_breaks(trades: Replica) -> None:
    trades.decide(*"abcdefg")
    trades.report(("d", FINE))
    trades.report(*((name, BAD) for name in "abcefg"))
    assert not trades.killed
    trades.store.append_correction(
        *("toy", "d"),
        action=0,
        arm=Arm.FALLBACK,
        propensity=None,
        reason="fallback",
        at=NOON,
        fold=trades.breakers.fold,
    )
    assert trades.killed


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


def test_an_outcome_without_the_signal_counts_for_nothing(path: Path) -> None:
    """A correction may bring one signal alone; the reward needs both, the slippage only itself."""
    replica = Replica(path, [BreakerRule(measure="reward", below=-1.0, consecutive=2)]).at(1.0)
    replica.decide(*"abc")
    partial = Outcome("o", "b", NOON, {"slippage": 0.5}, Kind.CORRECTION)
    replica.store.append_outcomes(
        "toy", [partial], received_at=NOON, wait=WAIT, signals=TRADES.signal_bounds, fold=replica.breakers.fold
    )
    replica.report(("a", 0.1))
    assert not replica.killed
    replica.report(("c", 0.1))
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


def test_two_new_outcomes_far_apart_are_both_seen_with_all_their_neighbours(path: Path) -> None:
    """The second lies where the rows read around the first end; its run begins with it."""
    replica = Replica(path, [BreakerRule(signal="slippage", above=0.5, consecutive=3)]).at(1.0)
    names = [f"t{trade:02d}" for trade in range(12)]
    replica.decide(*names)
    replica.report(*((name, float(trade in (8, 9))) for trade, name in enumerate(names) if trade not in (0, 7)))
    assert not replica.killed
    replica.report((names[0], 0.0), (names[7], 1.0))
    assert replica.killed


def test_outcomes_worse_than_the_declared_bounds_trip_though_they_are_no_evidence(trades: Replica) -> None:
    """The slippage is declared up to 1."""
    trades.decide(*"abcdef")
    trades.report(*((name, BAD) for name in "abc"))
    trades.report(("d", 1.1), ("e", 1e300))
    assert not trades.killed
    assert trades.report(("f", 1.1))[0].place is Place.QUARANTINE
    assert trades.killed


def test_outcomes_out_of_bounds_of_one_decision_count_once(trades: Replica) -> None:
    trades.decide(*"ab")
    for number in range(9):
        trades.report(("a", 1.1), ("b", 1.1), name=f"o{number}")
    assert not trades.killed


def test_an_outcome_out_of_bounds_on_the_fine_side_parts_a_run(trades: Replica) -> None:
    trades.decide(*"abcdefg")
    trades.report(("d", -1.1))
    trades.report(*((name, BAD) for name in "abcefg"))
    assert not trades.killed


def test_an_early_outcome_out_of_bounds_breaks_when_its_decision_is_written(trades: Replica) -> None:
    trades.decide(*"abcde")
    trades.report(*((name, 1.1) for name in "abcdef"))
    assert not trades.killed
    trades.decide("f")
    assert trades.killed


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_near_the_largest_disarm_no_window(path: Path, sign: int) -> None:
    """Three of 1.7e308 add up to more than a float holds, and infinity less infinity is nothing at all."""
    replica = Replica(path, [BreakerRule(measure="reward", below=-50.0, window=4)]).at(1.0)
    replica.decide(*"abcd")
    replica.report(*((name, 1.7e308) for name in "abc"), ("d", sign * 1.7e308))
    assert replica.killed


ARRIVALS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 11), st.sampled_from([0.0, 0.5, 1.0, 9.0, -9.0, math.nan]), st.sampled_from("opq")),
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
    """Duplicate, late, early, missing, NaN and out-of-bounds outcomes; decisions and reports over either replica."""
    with tempfile.TemporaryDirectory() as folder:
        replicas = [Replica(Path(folder) / "log.db", [rule]).at(1.0), Replica(Path(folder) / "log.db", [rule])]
        oracle, written = Oracle(rule, learned), min(split, len(arrivals))
        for turn, batch in enumerate([[], *arrivals]):
            for row in range(12) if turn == written else ():
                replicas[row % 2].decide(f"d{row}", arm=Arm.CANDIDATE if learned[row] else Arm.INCUMBENT)
                oracle.decide(row)
            replicas[turn % 2].report_each(oracle.report(batch))
            assert [replica.killed for replica in replicas] == [oracle.tripped] * 2
            if oracle.tripped:
                break
        for replica in replicas:
            replica.store.close()


@pytest.fixture
def tries(path: Path) -> Iterator[Replica]:
    """A breaker that closes by itself, just tripped."""
    replica = Replica(path, [TRIES]).at(1.0)
    replica.decide("a", "b")
    replica.report(("a", BAD), ("b", BAD))
    yield replica
    replica.store.close()


def circuit(replica: Replica) -> tuple[Circuit, float]:
    """The circuit its events make, once the head is known to agree with them."""
    control, events = replica.store.control("toy"), replica.store.events("toy")
    state = fold(events).circuit
    assert control.cap == state.cap
    return state.circuit, control.live_share


def test_a_breaker_with_half_open_opens_tries_and_closes(tries: Replica) -> None:
    assert (tries.kinds(), circuit(tries)) == (["trip"], (Circuit.OPEN, 0.0))
    assert (tries.killed, tries.store.kill_epoch("toy")) == (False, 1)
    tries.breakers.look(tries.store, NOON + timedelta(minutes=9))
    assert circuit(tries) == (Circuit.OPEN, 0.0)
    tries.breakers.look(tries.store, NOON + timedelta(minutes=10))
    assert circuit(tries) == (Circuit.HALF_OPEN, 0.2)
    tries.decide(*"cde")
    tries.report(("c", BAD), ("d", FINE))
    tries.breakers.look(tries.store, NOON + timedelta(minutes=11))
    assert circuit(tries) == (Circuit.HALF_OPEN, 0.2)
    tries.report(("e", BAD))
    tries.breakers.look(tries.store, NOON + timedelta(minutes=12))
    assert circuit(tries) == (Circuit.CLOSED, 1.0)
    assert tries.kinds() == ["trip", "half_open", "close"]
    check_head(tries.store.control("toy"), tries.store.events("toy"))


def test_a_half_open_breaker_opens_again_and_waits_as_long_again(tries: Replica) -> None:
    tries.breakers.look(tries.store, NOON + timedelta(minutes=10))
    tries.decide("c", "d")
    tries.report(("c", BAD), ("d", BAD), at=NOON + timedelta(minutes=20))
    assert circuit(tries) == (Circuit.OPEN, 0.0)
    tries.breakers.look(tries.store, NOON + timedelta(minutes=29))
    assert circuit(tries) == (Circuit.OPEN, 0.0)
    tries.breakers.look(tries.store, NOON + timedelta(minutes=30))
    assert circuit(tries) == (Circuit.HALF_OPEN, 0.2)


def test_two_replicas_turn_a_circuit_once(tries: Replica, path: Path) -> None:
    other = Replica(path, [TRIES])
    for replica in (tries, other, tries):
        replica.breakers.look(replica.store, NOON + timedelta(minutes=10))
    assert tries.kinds() == ["trip", "half_open"]
    other.store.close()


def test_a_breaker_that_waits_leaves_a_killed_or_rolled_back_candidate_alone(tries: Replica) -> None:
    tries.store.kill("toy", actor="ann", reason="enough", at=NOON)
    tries.breakers.look(tries.store, NOON + timedelta(minutes=10))
    assert tries.kinds() == ["trip", "kill"]


def test_an_open_breaker_whose_rule_was_taken_out_of_the_settings_stays_open(tries: Replica) -> None:
    Breakers(TRADES, Settings(breaker=[SLIPPAGE])).look(tries.store, NOON + timedelta(days=1))
    assert circuit(tries) == (Circuit.OPEN, 0.0)


def looked(path: Path, rule: BreakerRule, fill: object, now: object = NOON) -> Replica:
    """A replica that has looked at what a test wrote."""
    replica = Replica(path, [rule]).at(1.0)
    fill(replica)  # type: ignore[operator]
    replica.breakers.look(replica.store, now)  # type: ignore[arg-type]
    return replica


@pytest.mark.parametrize(("latency_us", "killed"), [(50_000, False), (50_001, True)])
def test_latency_is_watched_in_milliseconds(path: Path, latency_us: int, killed: bool) -> None:
    rule = BreakerRule(measure="latency_ms", above=50.0, consecutive=3)
    replica = looked(path, rule, lambda r: r.decide(*"abc", latency_us=latency_us))
    assert replica.killed is killed


@pytest.mark.parametrize(("reason", "killed"), [("deadline", True), ("policy_error", True), ("log_unavailable", False)])
def test_failures_of_the_policy_are_watched_and_no_others(path: Path, reason: str, killed: bool) -> None:
    """Two of four are above a third; a log that is away says nothing about the policy."""
    rule = BreakerRule(measure="failure_rate", above=1 / 3, window=4)

    def fill(replica: Replica) -> None:
        replica.decide("a", "b", "e", "f")
        replica.decide("c", "d", arm=Arm.FALLBACK, version="rule", reason=reason)

    assert looked(path, rule, fill).killed is killed


@pytest.mark.parametrize("others", [1, 2])
def test_disagreement_is_counted_where_the_incumbents_proposal_is_known(path: Path, others: int) -> None:
    """The candidate took 0; the incumbent would have taken 1 in one or two of four: above .4 only with two."""
    rule = BreakerRule(measure="disagreement", above=0.4, window=4)

    def fill(replica: Replica) -> None:
        replica.decide(*"abcdef", action=0)
        rows = [
            ShadowProposal(name, Arm.INCUMBENT, "rule", int(at < others), 1.0, 1.0, NOON)
            for at, name in enumerate("abcd")
        ]
        replica.store.append_proposals("toy", rows)

    assert looked(path, rule, fill).killed is (others == 2)


def test_an_outcome_is_missing_once_its_time_is_up_and_not_before(path: Path) -> None:
    rule = BreakerRule(measure="missing_outcomes", above=0.5, window=4)
    limits = Settings(breaker=[rule])
    limits = msgspec.structs.replace(limits, reward_window=msgspec.structs.replace(limits.reward_window, wait="1h"))
    replica = Replica(path, []).at(1.0)
    replica.breakers = Breakers(TRADES, limits)
    replica.decide(*"abcd")
    replica.decide(*"efgh", decided_at=NOON + timedelta(minutes=30))
    replica.report(("a", FINE))
    stopped = []
    for minutes in (59, 60):
        replica.breakers.look(replica.store, NOON + timedelta(minutes=minutes))
        stopped.append(replica.killed)
    assert stopped == [False, True]
    assert replica.store.events("toy")[-1].payload["last"] == replica.store.read_log("toy").sequence[3]


@pytest.mark.parametrize(("same", "killed"), [(3, False), (4, True)])
def test_the_share_of_the_commonest_action_is_watched(path: Path, same: int, killed: bool) -> None:
    rule = BreakerRule(measure="action_share", above=0.75, window=4)

    def fill(replica: Replica) -> None:
        replica.decide(*"abcd"[:same], action=2)
        replica.decide(*"abcd"[same:], action=1)

    assert looked(path, rule, fill).killed is killed


def test_a_bad_run_among_the_rows_of_one_look_is_found(path: Path) -> None:
    def fill(replica: Replica) -> None:
        replica.decide(*(f"a{row}" for row in range(100)), latency_us=1)
        replica.decide(*"xyz", latency_us=90_000)
        replica.decide(*(f"b{row}" for row in range(150)), latency_us=1)

    assert looked(path, BreakerRule(measure="latency_ms", above=50.0, consecutive=3), fill).killed


def test_a_look_that_has_nothing_new_is_not_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks lie 64 rows or a second, whichever comes first."""
    seen: list[object] = []

    def latest(*given: object) -> object:
        seen.append(given)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(breakers_module, "latest", latest)
    replica = looked(path, BreakerRule(measure="latency_ms", above=50.0, consecutive=3), lambda r: r.decide("a"))
    replica.breakers.look(replica.store, NOON + timedelta(milliseconds=999))
    assert len(seen) == 1
    replica.breakers.look(replica.store, NOON + timedelta(milliseconds=1000))
    assert len(seen) == 2
    replica.decide(*(f"b{row}" for row in range(64)))
    replica.breakers.look(replica.store, NOON + timedelta(milliseconds=1001))
    assert len(seen) == 3
    replica.breakers.look(replica.store, NOON)  # a clock that was set back must not stop the looking
    assert len(seen) == 4


@pytest.mark.parametrize("between", ["kill", "rollback"])
def test_what_was_seen_under_an_old_epoch_or_of_a_rolled_back_candidate_is_not_recorded(
    path: Path, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latest(*given: object) -> object:
        figures = real(*given)  # type: ignore[arg-type]
        if between == "kill":
            replica.store.kill("toy", actor="ann", reason="first", at=NOON)
        else:
            event = Event("toy", "rollback", "ann", "", NOON, {})
            replica.store.append_event(event, control={"stage": "rolled_back", "share": 0.0})
        return figures

    monkeypatch.setattr(breakers_module, "latest", latest)
    replica = Replica(path, [BreakerRule(measure="latency_ms", above=50.0, consecutive=1)]).at(1.0)
    replica.decide("a", latency_us=90_000)
    replica.breakers.look(replica.store, NOON)
    assert replica.kinds() == [between]


def test_a_log_that_is_away_is_the_callers_to_handle(trades: Replica) -> None:
    trades.store.close()
    with pytest.raises(StoreError):
        trades.breakers.look(trades.store, NOON)


def test_the_status_says_where_each_breaker_stands(path: Path) -> None:
    mean = BreakerRule(signal="fee", above=5.0, window=3)
    replica = Replica(path, [TRIES, mean]).at(1.0)
    replica.decide(*"abc")
    replica.report(("a", FINE), ("b", BAD))
    slip, fee = replica.breakers.status(replica.store)
    assert (slip.name, slip.rule, slip.state) == ("slip", "slippage above 0.0015, 2 in a row", "closed")
    assert (slip.value, slip.limit, slip.seen, slip.needed) == (1.0, 2.0, 2, 2)
    assert (fee.value, fee.seen, fee.needed, fee.limit) == (None, 2, 3, 5.0)
    replica.report(("c", BAD))
    slip, fee = replica.breakers.status(replica.store)
    assert (slip.state, fee.state) == ("open", "closed")
    assert slip.as_dict()["state"] == "open"


def test_the_status_of_a_breaker_that_killed_is_tripped(trades: Replica) -> None:
    assert [one.state for one in trades.breakers.status(trades.store)] == ["closed"]
    trades.decide(*"abcdef")
    trades.report(*((name, BAD) for name in "abcdef"))
    assert [one.state for one in trades.breakers.status(trades.store)] == ["tripped"]
    assert Breakers(TRADES, Settings()).status(trades.store) == []


def test_the_status_of_a_kill_by_a_person_names_no_breaker(trades: Replica) -> None:
    trades.store.kill("toy", actor="ann", reason="enough", at=NOON)
    assert [one.state for one in trades.breakers.status(trades.store)] == ["closed"]
