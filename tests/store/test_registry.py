"""Versions are immutable; readings of a split are counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tenure.core.errors import ConflictError
from tenure.store import Store, VersionRow

from .rows import NOON


def test_versions_are_listed_as_of_a_moment_oldest_first(store: Store) -> None:
    later = NOON + timedelta(days=1)
    store.register_version("v2", "bikes", later, {"seeds": [1, 2]})
    store.register_version("v1", "bikes", NOON, {"seeds": [1]})
    store.register_version("v1", "trades", NOON, {})
    first, second = VersionRow("v1", "bikes", NOON, {"seeds": [1]}), VersionRow("v2", "bikes", later, {"seeds": [1, 2]})
    assert store.versions("bikes") == [first, second]
    assert store.versions("bikes", as_of=NOON) == [first]
    assert store.versions("bikes", as_of=NOON - timedelta(microseconds=1)) == []


def test_a_version_registered_again_keeps_its_first_moment(store: Store) -> None:
    store.register_version("v1", "bikes", NOON, {"a": 1, "b": 2})
    store.register_version("v1", "bikes", NOON + timedelta(days=1), {"b": 2, "a": 1})
    assert store.versions("bikes") == [VersionRow("v1", "bikes", NOON, {"a": 1, "b": 2})]


def test_a_version_with_another_record_is_a_conflict(store: Store) -> None:
    store.register_version("v1", "bikes", NOON, {"a": 1})
    with pytest.raises(ConflictError, match=r'registered before: {"a":1}; found another record: {"a":2}'):
        store.register_version("v1", "bikes", NOON, {"a": 2})
    assert store.versions("bikes")[0].record == {"a": 1}


def test_readings_are_counted_per_split(store: Store) -> None:
    assert store.reads("bikes", "held_out") == 0
    assert [store.count_read("bikes", "held_out", NOON, "ann") for _ in range(2)] == [1, 2]
    store.count_read("bikes", "selection", NOON, "ann")
    store.count_read("trades", "held_out", NOON, "ann")
    assert store.reads("bikes", "held_out") == 2
