"""What breakers look at, on every database: in decision order, learned ones alone, under the present epoch."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tenure.core.decision import Arm, ShadowProposal
from tenure.store import Event, Store
from tenure.store.measures import explored_since, last_before, latencies, latest, latest_outcomes, stretches

from .rows import NOON, SIGNALS, WAIT, decision, outcome


def fill(store: Store, count: int = 6) -> list[int]:
    """Learned decisions with a cost each, and an incumbent's between two; gives the learned ones' numbers."""
    store.append_event(Event("bikes", "start", "ann", "", NOON, {"version": "v1"}), control={"version": "v1"})
    for row in range(count):
        at = NOON + timedelta(minutes=row)
        fields = {"decided_at": at, "action": row % 3, "explored": row % 2 == 1, "latency_us": 1000 * row + 500}
        store.append_decisions([decision(f"d{row}", **fields), decision(f"i{row}", arm=Arm.INCUMBENT, decided_at=at)])
        reports = [outcome("o", f"d{row}", cost=float(row)), outcome("o", f"i{row}", cost=99.0)]
        store.append_outcomes("bikes", reports, received_at=at, wait=WAIT, signals=SIGNALS)
    return [2 + 2 * row for row in range(count)]


def test_stretches_hold_all_neighbours_of_what_is_new(store: Store) -> None:
    numbers = fill(store)
    control = store.control("bikes")
    with store.database.reading() as connection:
        (rows,) = stretches(connection, control, [numbers[3]], 2)
        assert [(number, signals["cost"]) for number, signals in rows] == list(
            zip(numbers[2:], [2, 3, 4, 5], strict=True)
        )
        assert list(stretches(connection, control, [], 2)) == []
        two = list(stretches(connection, control, [numbers[5], numbers[0]], 1))
        assert {number for rows in two for number, _ in rows} >= {numbers[0], numbers[5]}
        assert [number for number, _ in latest_outcomes(connection, control, 3)] == numbers[3:]


def test_nothing_of_an_epoch_that_has_passed_is_seen(store: Store) -> None:
    numbers = fill(store)
    store.kill("bikes", actor="ann", reason="", at=NOON)
    with store.database.reading() as connection:
        control = store.control("bikes")
        assert [rows for rows in stretches(connection, control, numbers, 2) if rows] == []
        assert latest_outcomes(connection, control, 9) == []
        assert len(latest(connection, control, "latency_ms", 9).values) == 0


@pytest.mark.parametrize(
    ("figure", "values"),
    [
        ("latency_ms", [3.5, 4.5, 5.5]),
        ("action_share", [0, 1, 2]),
        ("explored", [1, 0, 1]),
        ("failure_rate", [0, 0, 0]),
        ("missing_outcomes", [0, 0, 0]),
        ("disagreement", [1, 0]),
    ],
)
def test_the_latest_figures_in_decision_order(store: Store, figure: str, values: list[float]) -> None:
    numbers = fill(store)
    rows = [ShadowProposal(name, Arm.INCUMBENT, "rule", 0, 1.0, 1.0, NOON) for name in ("d1", "d3")]
    store.append_proposals("bikes", rows)
    with store.database.reading() as connection:
        found = latest(connection, store.control("bikes"), figure, 3)
    assert found.values.tolist() == values
    assert list(found.numbers) == ([numbers[1], numbers[3]] if figure == "disagreement" else numbers[3:])


def test_what_waits_for_its_activation_is_not_seen(store: Store) -> None:
    numbers = fill(store)

    def says(reason: str) -> None:
        store.append_correction("bikes", "d4", action=1, arm=Arm.CANDIDATE, propensity=1.0, reason=reason, at=NOON)

    def seen() -> list[int]:
        with store.database.reading() as connection:
            control = store.control("bikes")
            (rows,) = stretches(connection, control, [numbers[5]], 2)
            shown = [number for number, _ in rows]
            assert list(latest(connection, control, "latency_ms", 2).numbers) == shown
            return shown

    says("deferred")
    assert seen() == [numbers[3], numbers[5]]
    says("activated")
    assert seen() == [numbers[4], numbers[5]]


def test_the_last_decision_before_a_moment_is_found_among_events(store: Store) -> None:
    numbers = fill(store)
    with store.database.reading() as connection:
        control = store.control("bikes")
        for minutes, expected in ((-1, 0), (0, numbers[0] + 1), (2.5, numbers[2] + 1), (60, numbers[5] + 1)):
            assert last_before(connection, control, NOON + timedelta(minutes=minutes)) == expected


def test_explored_decisions_of_a_day_are_read_once(store: Store) -> None:
    fill(store)
    with store.database.reading() as connection:
        found, upto = explored_since(connection, "bikes", NOON + timedelta(minutes=2), 0)
        assert (len(found), upto) == (2, store.control("bikes").sequence)
        assert explored_since(connection, "bikes", NOON, upto) == ([], upto)


def test_latencies_of_some_decisions(store: Store) -> None:
    numbers = fill(store)
    with store.database.reading() as connection:
        assert latencies(connection, "bikes", np.array(numbers[::2])).tolist() == [0.5, 2.5, 4.5]
        assert latencies(connection, "bikes", np.zeros(0, dtype=np.int64)).tolist() == []
