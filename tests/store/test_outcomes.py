"""Every acknowledged outcome is in exactly one place, and at most one counts per decision."""

from __future__ import annotations

import math
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.decision import Arm, Kind, Outcome, Place
from tenure.core.errors import ConflictError
from tenure.store import Receipt, Recent, SqliteStore, Store
from tenure.store.measures import latest_outcomes
from tenure.store.outcomes import beyond

from .rows import NOON, SIGNALS, WAIT, decision, outcome


def send(store: Store, *outcomes: Outcome, at: datetime = NOON) -> list[Receipt]:
    return store.append_outcomes("bikes", outcomes, received_at=at, wait=WAIT, signals=SIGNALS)


def places(store: Store, *outcomes: Outcome, at: datetime = NOON) -> list[str]:
    return [receipt.place.value for receipt in send(store, *outcomes, at=at)]


def test_an_outcome_in_time_is_joined_without_a_note(store: Store) -> None:
    store.append_decisions([decision("a")])
    assert send(store, outcome("o", "a"), at=NOON + WAIT) == [Receipt("o", "a", "created", Place.JOINED, "")]
    log = store.read_log("bikes")
    assert log.joined.tolist() == [True]
    assert {name: column.tolist() for name, column in log.signals.items()} == {"cost": [1.5], "trips": [2.0]}


def test_an_outcome_after_the_wait_is_late_kept_and_not_counted(store: Store) -> None:
    store.append_decisions([decision("a")])
    (receipt,) = send(store, outcome("o", "a"), at=NOON + WAIT + timedelta(microseconds=1))
    assert (receipt.place, receipt.status) == (Place.LATE, "created")
    assert "1:00:00" in receipt.note
    assert store.read_log("bikes").joined.tolist() == [False]
    assert store.counts("bikes")["late"] == 1


def test_a_second_outcome_is_repeated_and_the_first_still_counts(store: Store) -> None:
    store.append_decisions([decision("a")])
    assert places(store, outcome("o1", "a", cost=1.0), outcome("o2", "a", cost=9.0)) == ["joined", "repeated"]
    assert store.read_log("bikes").signals["cost"].tolist() == [1.0]


def test_a_late_outcome_does_not_stand_in_the_way_of_one_in_time(store: Store) -> None:
    store.append_decisions([decision("a")])
    assert places(store, outcome("o1", "a"), at=NOON + timedelta(days=1)) == ["late"]
    assert places(store, outcome("o2", "a")) == ["joined"]


def test_an_outcome_of_an_unknown_decision_is_an_orphan(store: Store) -> None:
    assert places(store, outcome("o", "a")) == ["orphan"]
    store.append_decisions([decision("b")])
    assert store.counts("bikes")["orphan"] == 1


def test_an_early_outcome_makes_the_next_one_repeated(store: Store) -> None:
    send(store, outcome("o1", "a"))
    store.append_decisions([decision("a")])
    assert places(store, outcome("o1", "a"), outcome("o2", "a")) == ["early", "repeated"]


@pytest.mark.parametrize(
    ("signals", "note"),
    [
        ({"cost": math.nan, "trips": 1.0}, "signal 'cost' is not a finite number"),
        ({"cost": 1.0, "trips": -math.inf}, "signal 'trips' is not a finite number"),
        ({"cost": 1.0, "trips": 1.0, "speed": 1.0}, "the problem has no signal 'speed'"),
        ({"cost": 1.0}, "signal 'trips' is missing"),
    ],
)
def test_what_cannot_be_measured_with_is_quarantined_with_its_reason(
    store: Store, signals: dict[str, float], note: str
) -> None:
    store.append_decisions([decision("a")])
    sent = Outcome.observed("o", "a", signals, NOON)
    assert send(store, sent) == [Receipt("o", "a", "created", Place.QUARANTINE, note)]
    assert send(store, sent) == [Receipt("o", "a", "exists", Place.QUARANTINE, note)]
    assert store.read_log("bikes").joined.tolist() == [False]
    assert places(store, outcome("o2", "a")) == ["joined"]


def test_a_quarantined_outcome_is_never_adopted(store: Store) -> None:
    send(store, outcome("o", "a", cost=math.nan))
    store.append_decisions([decision("a")])
    assert store.counts("bikes")["quarantine"] == 1


@pytest.mark.parametrize("silent", [Outcome.window_closed("a"), Outcome.lost("a")])
def test_the_word_that_nothing_was_measured_is_joined_but_never_counts(store: Store, silent: Outcome) -> None:
    store.append_decisions([decision("a")])
    assert places(store, silent) == ["joined"]
    assert store.read_log("bikes").joined.tolist() == [False]
    assert places(store, outcome("o", "a")) == ["joined"]
    assert store.read_log("bikes").joined.tolist() == [True]


def test_an_early_word_that_nothing_was_measured_leaves_the_count_to_the_next(store: Store) -> None:
    send(store, Outcome.lost("a"), outcome("o", "a"), Outcome.lost("b"))
    store.append_decisions([decision("a"), decision("b")])
    assert store.counts("bikes")["early"] == 3
    assert store.read_log("bikes").joined.tolist() == [True, False]


def test_only_an_observed_outcome_must_name_every_signal(store: Store) -> None:
    store.append_decisions([decision("a")])
    assert places(store, Outcome("o", "a", NOON, {"cost": 1.0}, Kind.CORRECTION)) == ["joined"]
    assert places(store, Outcome.observed("o2", "a", {"cost": 1.0}, NOON)) == ["quarantine"]
    signals = store.read_log("bikes").signals
    assert {name: column.tolist() for name, column in signals.items()} == {"cost": [1.0]}


def test_a_repeat_of_an_outcome_exists_in_its_stored_place(store: Store) -> None:
    store.append_decisions([decision("a")])
    send(store, outcome("o", "a"))
    late = NOON + timedelta(days=9)
    assert send(store, outcome("o", "a"), at=late) == [Receipt("o", "a", "exists", Place.JOINED, "")]
    assert store.counts("bikes")["joined"] == 1


def test_an_outcome_id_belongs_to_its_decision(store: Store) -> None:
    store.append_decisions([decision("a"), decision("b")])
    assert places(store, outcome("o", "a"), outcome("o", "b", cost=3.0)) == ["joined", "joined"]


@pytest.mark.parametrize(
    "other",
    [
        outcome("o", "a", cost=9.0),
        Outcome("o", "a", NOON, {"cost": 1.5, "trips": 2.0}, Kind.LATE),
        Outcome("o", "a", None, {"cost": 1.5, "trips": 2.0}),
    ],
)
def test_another_body_under_the_same_id_is_a_conflict_and_nothing_of_its_batch_is_written(
    store: Store, other: Outcome
) -> None:
    store.append_decisions([decision("a"), decision("b")])
    send(store, outcome("o", "a"))
    with pytest.raises(ConflictError, match=r"expected the body stored before: .*1\.5.*outcome 'o' of decision 'a'"):
        send(store, outcome("new", "b"), other)
    assert store.counts("bikes")["joined"] == 1
    assert store.read_log("bikes").joined.tolist() == [True, False]


def test_two_bodies_under_one_id_in_a_batch_are_a_conflict(store: Store) -> None:
    with pytest.raises(ConflictError):
        send(store, outcome("o", "a"), outcome("o", "a", cost=9.0))
    assert store.counts("bikes")["orphan"] == 0


Step = tuple[str, str, str, int]
"""What happens: ("decide", id, "", 0) or (kind of outcome, decision id, outcome id, hours after noon)."""

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), st.sampled_from("abc"), st.just(""), st.just(0)),
        st.tuples(
            st.sampled_from(["observed", "nan", "lost"]),
            st.sampled_from("abc"),
            st.sampled_from("123"),
            st.integers(0, 2),
        ),
    ),
    max_size=25,
)


class Oracle:
    """The join by brute force: a place for each (decision, outcome), and which outcome counts for each decision."""

    def __init__(self) -> None:
        self.decided: set[str] = set()
        self.places: dict[tuple[str, str], str] = {}
        self.counted: dict[str, str] = {}

    def decide(self, name: str) -> None:
        self.decided.add(name)
        for key in [key for key, place in self.places.items() if key[0] == name and place == "orphan"]:
            self.places[key] = "early"
            if key[1].startswith("observed"):
                self.counted.setdefault(name, key[1])

    def receive(self, kind: str, name: str, number: str, hours: int) -> None:
        key = (name, kind + number)
        if key not in self.places:
            self.places[key] = self.place(kind, name, hours)
            if self.places[key] == "joined" and kind == "observed":
                self.counted[name] = key[1]

    def place(self, kind: str, name: str, hours: int) -> str:
        checks = {
            "quarantine": kind == "nan",
            "orphan": name not in self.decided,
            "late": hours > 1,
            "repeated": name in self.counted,
            "joined": True,
        }
        return next(place for place, holds in checks.items() if holds)


def outcome_of(kind: str, name: str, number: str) -> Outcome:
    if kind == "lost":
        return Outcome(kind + number, name, None, {}, Kind.LOST)
    cost = math.nan if kind == "nan" else float(number)
    return outcome(kind + number, name, cost=cost)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_order_of_decisions_outcomes_and_repeats_joins_as_the_oracle_does(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "log.db", synchronous="OFF") as store:
        store.open_problem("bikes", "salt")
        oracle = Oracle()
        for kind, name, number, hours in steps:
            if kind == "decide":
                oracle.decide(name)
                store.append_decisions([decision(name)])
            else:
                oracle.receive(kind, name, number, hours)
                send(store, outcome_of(kind, name, number), at=NOON + timedelta(hours=hours))
        sent = {(name, kind + number): (kind, name, number) for kind, name, number, _ in steps if number}
        receipts = {key: send(store, outcome_of(*sent[key]))[0] for key in oracle.places}
        log = store.read_log("bikes")
        found_counted = {
            name: f"observed{int(log.signals['cost'][row])}"
            for row, name in enumerate(log.decision_id)
            if log.joined[row]
        }
    assert {key: receipt.place.value for key, receipt in receipts.items()} == oracle.places
    assert {receipt.status for receipt in receipts.values()} <= {"exists"}
    assert found_counted == oracle.counted


BOUNDS = {"cost": (0.0, 10.0), "trips": (0.0, 10.0)}


@pytest.mark.parametrize(("cost", "fault"), [(-0.1, "outside its declared"), (0.0, ""), (10.0, ""), (10.1, "outside")])
def test_what_lies_outside_its_declared_bounds_is_said(cost: float, fault: str) -> None:
    said = beyond(outcome("o", "d", cost=cost), BOUNDS)
    assert fault in said if fault else said == ""


class Seen:
    """What breakers are shown of a store's decision "a": their look at each commit, and what stands in the end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.numbers: list[list[int]] = []

    def fold(self, recent: Recent) -> None:
        self.numbers.append(list(recent.numbers))

    def send(self, *outcomes: Outcome, after: timedelta = timedelta(0)) -> list[str]:
        receipts = self.store.append_outcomes(
            "bikes", outcomes, received_at=NOON + after, wait=WAIT, signals=BOUNDS, fold=self.fold
        )
        return [receipt.place.value for receipt in receipts]

    @property
    def costs(self) -> list[float]:
        with self.store.database.reading() as connection:
            return [signals["cost"] for _, signals in latest_outcomes(connection, self.store.control("bikes"), 9)]


def test_an_outcome_out_of_bounds_is_no_evidence_but_breakers_see_the_first(store: Store) -> None:
    store.append_decisions([decision("a")])
    seen = Seen(store)
    assert seen.send(outcome("o", "a", cost=11.0), outcome("p", "a", cost=12.0)) == ["quarantine"] * 2
    assert (seen.numbers, seen.costs) == ([[1]], [11.0])
    assert store.read_log("bikes").joined.tolist() == [False]


def test_a_later_outcome_that_counts_replaces_the_one_out_of_bounds(store: Store) -> None:
    store.append_decisions([decision("a")])
    seen = Seen(store)
    places = [seen.send(outcome(name, "a", cost=cost)) for name, cost in (("o", 11.0), ("p", 5.0), ("q", 12.0))]
    assert places == [["quarantine"], ["joined"], ["quarantine"]]
    assert (seen.numbers, seen.costs) == ([[1], [1]], [5.0])


def test_the_word_that_nothing_was_measured_leaves_what_breakers_see(store: Store) -> None:
    store.append_decisions([decision("a")])
    seen = Seen(store)
    seen.send(outcome("o", "a", cost=11.0), Outcome.lost("a"))
    assert seen.costs == [11.0]


@pytest.mark.parametrize(
    ("sent", "after"),
    [
        (outcome("o", "a", cost=math.nan), timedelta(0)),
        (Outcome.observed("o", "a", {"cost": 11.0}, NOON), timedelta(0)),
        (Outcome.observed("o", "a", {"cost": 11.0, "trips": 1.0, "speed": 1.0}, NOON), timedelta(0)),
        (Outcome("o", "a", None, {"cost": 11.0}, Kind.LOST), timedelta(0)),
        (outcome("o", "a", cost=11.0), WAIT + timedelta(seconds=1)),
        (outcome("o", "i", cost=11.0), timedelta(0)),
    ],
    ids=["nan", "missing", "unknown", "unmeasured", "late", "incumbent's"],
)
def test_breakers_see_nothing_else_of_quarantine(store: Store, sent: Outcome, after: timedelta) -> None:
    store.append_decisions([decision("a"), decision("i", arm=Arm.INCUMBENT)])
    seen = Seen(store)
    assert seen.send(sent, after=after) == ["quarantine"]
    assert (seen.numbers, seen.costs) == ([], [])


@pytest.mark.parametrize(("costs", "shown", "places"), [([11.0, 12.0], 11.0, 0), ([11.0, 5.0, 6.0], 5.0, 2)])
def test_an_early_outcome_out_of_bounds_goes_to_quarantine_with_its_decision(
    store: Store, costs: list[float], shown: float, places: int
) -> None:
    seen = Seen(store)
    early = [outcome(str(at), "a", cost=cost) for at, cost in enumerate(costs)]
    assert seen.send(*early) == ["orphan"] * len(costs)
    store.append_decisions([decision("a")], seen.fold)
    counts = store.counts("bikes")
    assert (counts["quarantine"], counts["early"], counts["orphan"]) == (len(costs) - places, places, 0)
    assert (seen.numbers, seen.costs) == ([[1]], [shown])
    assert store.read_log("bikes").joined.tolist() == [places > 0]
    assert "outside its declared bounds" in send(store, early[0])[0].note
