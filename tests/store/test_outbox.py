"""An alert is in the outbox once per channel, one process at a time has it, and what became of it can be read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenure.store import Store
from tenure.store.outbox import Outbox

from .rows import NOON

LEASE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Alert:
    problem: str = "bikes"
    sequence: int = 7
    kind: str = "kill"
    at: datetime = NOON
    title: str = "stopped"
    body: str = "What: stopped"


def test_filling_again_changes_nothing(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert(), Alert(sequence=8)], ["ops", "risk"])
    outbox.fill([Alert(title="another")], ["ops", "risk", "new"])
    rows = outbox.all("bikes")
    assert [(row.sequence, row.channel, row.title) for row in rows] == [
        (7, "ops", "stopped"),
        (7, "risk", "stopped"),
        (7, "new", "another"),
        (8, "ops", "stopped"),
        (8, "risk", "stopped"),
    ]
    assert {(row.status, row.attempts, row.next_at) for row in rows} == {("waiting", 0, NOON)}


def test_nothing_to_fill_and_another_problem_change_nothing(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([], ["ops"])
    outbox.fill([Alert(problem="other")], [])
    assert outbox.all("bikes") == outbox.all("other") == []


def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert()], ["ops"])
    assert outbox.claim("bikes", NOON - SECOND, NOON) == []
    assert [row.channel for row in outbox.claim("bikes", NOON, NOON + LEASE)] == ["ops"]
    assert Outbox(store).claim("bikes", NOON + LEASE - SECOND, NOON + 2 * LEASE) == []
    (again,) = Outbox(store).claim("bikes", NOON + LEASE, NOON + 2 * LEASE)
    assert again.attempts == 1


def test_claimers_at_the_same_moment_share_the_rows_without_overlap(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert(sequence=number) for number in range(40)], ["ops"])
    claimed: list[int] = []
    begin = threading.Barrier(4)

    def claim() -> None:
        begin.wait()
        for _ in range(3):
            claimed.extend(row.sequence for row in outbox.claim("bikes", NOON, NOON + LEASE))

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) >= 35


def test_delivered_is_for_good_and_failed_waits_for_its_moment(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert()], ["ops", "risk"])
    good, bad = outbox.claim("bikes", NOON, NOON + LEASE)
    outbox.delivered(good, NOON + SECOND)
    outbox.failed(bad, "no route", NOON + 5 * SECOND)
    outbox.failed(good, "too late to fail", NOON)
    assert [(row.status, row.delivered_at, row.error) for row in outbox.all("bikes")] == [
        ("delivered", NOON + SECOND, None),
        ("waiting", None, "no route"),
    ]
    assert outbox.claim("bikes", NOON + 4 * SECOND, NOON + LEASE) == []
    assert [row.channel for row in outbox.claim("bikes", NOON + 5 * SECOND, NOON + LEASE)] == ["risk"]


def test_only_what_waits_and_is_old_expires(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert(), Alert(sequence=8, at=NOON + LEASE)], ["ops"])
    assert outbox.oldest_waiting("bikes") == NOON
    assert outbox.expire("bikes", NOON, NOON + LEASE) == 0
    assert outbox.expire("bikes", NOON + SECOND, NOON + LEASE) == 1
    assert outbox.oldest_waiting("bikes") == NOON + LEASE
    assert [row.status for row in outbox.all("bikes")] == ["expired", "waiting"]
    assert outbox.oldest_waiting("other") is None


def test_health_counts_what_failed_since_the_last_success(store: Store) -> None:
    outbox = Outbox(store)
    outbox.fill([Alert(), Alert(sequence=8)], ["ops"])
    first, second = outbox.claim("bikes", NOON, NOON + LEASE)
    outbox.delivered(first, NOON + SECOND)
    outbox.failed(second, "no route", NOON + 5 * SECOND)
    health = outbox.health("bikes", "ops")
    assert (health.last_success, health.failures, health.error) == (NOON + SECOND, 1, "no route")
    unused = outbox.health("bikes", "risk")
    assert (unused.last_success, unused.failures, unused.error) == (None, 0, None)
