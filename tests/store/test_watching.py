"""What monitors read beside the columns: reason, latency, and how long the outcome that counts took."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from tenure.store import Store
from tenure.store.watching import read_watched

from .rows import NOON, SIGNALS, WAIT, decision, outcome


def test_reason_latency_and_delay_stand_beside_each_decision(store: Store) -> None:
    store.append_decisions([decision("a"), decision("b", reason="deadline", latency_us=50_000)])
    came = NOON + timedelta(minutes=5)
    store.append_outcomes("bikes", [outcome("o", "b")], received_at=came, wait=WAIT, signals=SIGNALS)
    found = read_watched(store, "bikes", 0, 10)
    assert found.frame.decision_id == ["a", "b"]
    assert found.reason == ["split", "deadline"]
    assert found.latency_ms.tolist() == [0.18, 50.0]
    assert np.isnan(found.delay_s[0])
    assert found.delay_s[1] == 300.0


def test_an_outcome_too_late_to_count_has_no_delay(store: Store) -> None:
    store.append_decisions([decision("a")])
    late = NOON + WAIT + timedelta(seconds=1)
    store.append_outcomes("bikes", [outcome("o", "a")], received_at=late, wait=WAIT, signals=SIGNALS)
    assert np.isnan(read_watched(store, "bikes", 0, 10).delay_s).all()


def test_rows_come_after_a_number_the_first_so_many_of_them(store: Store) -> None:
    store.append_decisions([decision(name) for name in "abc"])
    assert read_watched(store, "bikes", 1, 1).frame.decision_id == ["b"]
    assert read_watched(store, "bikes", 3, 5).reason == []
