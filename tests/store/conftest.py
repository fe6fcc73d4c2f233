"""A fresh store with one open problem, on either database."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tenure.store import SqliteStore, Store
from tenure.store.opening import open_store

LOOKS_INTO_THE_FILE = ("test_sqlite", "test_chain")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the store runs on both databases, unless it looks into the file of one."""
    if "database" in metafunc.fixturenames:
        one = "path" in inspect.signature(metafunc.function).parameters or _module(metafunc) in LOOKS_INTO_THE_FILE
        metafunc.parametrize("database", ["sqlite"] if one else ["sqlite", "postgres"])


def _module(metafunc: pytest.Metafunc) -> str:
    return str(metafunc.module.__name__).rpartition(".")[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def store(database: str, path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    with ExitStack() as stack:
        if database == "sqlite":
            opened: Store = stack.enter_context(SqliteStore(path, synchronous="OFF"))
        else:
            opened = stack.enter_context(open_store(request.getfixturevalue("postgres").fresh()))
        opened.open_problem("bikes", "salt")
        yield opened
