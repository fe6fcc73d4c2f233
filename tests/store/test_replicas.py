"""The register of servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tenure.store import Store
from tenure.store.replicas import LIVE_WITHIN, Replica, Replicas

from .rows import NOON

ONE = Replica("bikes", "a", NOON, NOON, 0, "v1", "0.2.0", "http://127.0.0.1:8080")


def test_a_server_is_listed_as_it_last_described_itself(store: Store) -> None:
    register = Replicas(store)
    register.seen(ONE)
    later = replace(ONE, seen_at=NOON + timedelta(seconds=1), epoch=4, version=None, url=None)
    register.seen(later)
    assert register.live("bikes", NOON + timedelta(seconds=1)) == [later]


def test_servers_come_by_id_and_by_problem(store: Store) -> None:
    register = Replicas(store)
    for server in (replace(ONE, replica="b"), ONE, replace(ONE, problem="other")):
        register.seen(server)
    assert [server.replica for server in register.live("bikes", NOON)] == ["a", "b"]


def test_a_server_not_heard_of_for_three_seconds_is_not_live(store: Store) -> None:
    register = Replicas(store)
    register.seen(ONE)
    assert register.live("bikes", NOON + LIVE_WITHIN) == [ONE]
    assert register.live("bikes", NOON + LIVE_WITHIN + timedelta(microseconds=1)) == []
    assert register.live("bikes", NOON + timedelta(minutes=1), within=timedelta(minutes=1)) == [ONE]


def test_a_server_that_signed_off_is_not_live(store: Store) -> None:
    register = Replicas(store)
    register.seen(replace(ONE, stopped=True))
    assert register.live("bikes", NOON) == []
