"""A path is a SQLite file, an address is a PostgreSQL database."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tenure.core.errors import StoreError
from tenure.store import SqliteStore
from tenure.store.opening import open_store, shown
from tenure.store.postgres import PostgresStore


def test_a_path_is_a_sqlite_file(path: Path) -> None:
    for place in (path, str(path)):
        with open_store(place) as store:
            assert isinstance(store, SqliteStore)
    assert path.exists()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_an_address_is_opened_without_its_database_being_there(scheme: str, tmp_path: Path) -> None:
    with open_store(f"{scheme}:///none?host={tmp_path}") as store:
        assert isinstance(store, PostgresStore)
        with pytest.raises(StoreError, match="start the database"):
            store.problems()


def test_without_the_driver_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tenure.store.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"psycopg.*pip install 'tenure\[postgres\]'") as caught:
        open_store("postgresql://ann:secret@db/tenure")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("postgresql://ann@db:5432/tenure", "postgresql://ann@db:5432/tenure"),
        ("postgresql://ann:a%40b@db:5432/tenure", "postgresql://ann:***@db:5432/tenure"),
        ("postgresql:///tenure?user=ann&password=x", "postgresql:///tenure?user=ann&password=***"),
    ],
)
def test_a_place_is_shown_without_its_password(place: str, read: str) -> None:
    assert shown(place) == read
