"""Both databases keep every promise of a store, and the check finds one that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Server

from tenure.core.decision import Decision
from tenure.core.evidence import Verdict
from tenure.store import SqliteStore, Store
from tenure.store.check import check_store
from tenure.store.opening import open_store
from tenure.store.records import Appended, Verification


@pytest.fixture
def places(tmp_path: Path) -> Callable[[], Path]:
    numbers = count()
    return lambda: tmp_path / f"{next(numbers)}.sqlite"


def test_sqlite_keeps_every_promise(places: Callable[[], Path]) -> None:
    findings = check_store(lambda: SqliteStore(places(), synchronous="OFF"))
    assert [(one.gate, one.reason) for one in findings if one.verdict is not Verdict.PASS] == []
    assert len(findings) == 12


def test_postgresql_keeps_every_promise(postgres: Server) -> None:
    findings = check_store(lambda: open_store(postgres.fresh()))
    assert [(one.gate, one.reason) for one in findings if one.verdict is not Verdict.PASS] == []


class _Forgets(SqliteStore):
    """Acknowledges decisions, and writes only the first of each group."""

    def append_decisions(self, rows: Sequence[Decision], *rest: Any, **more: Any) -> Appended:
        done = super().append_decisions(rows[:1], *rest, **more)
        return Appended(done.written, done.fenced, done.existing or done.written)


class _Trusts(SqliteStore):
    """Finds everything in order."""

    def verify(self, problem: str) -> Verification:
        return Verification(True, 0, None, "fine")


class _Fails(SqliteStore):
    """Raises what is not its own."""

    def counts(self, problem: str) -> dict[str, int]:
        raise KeyError(problem)


@pytest.mark.parametrize(
    ("kind", "gates"),
    [
        (_Forgets, ["numbering", "fence", "places", "counts", "writers"]),
        (_Trusts, ["verify"]),
        (_Fails, ["places", "adoption", "counts", "atomic"]),
    ],
)
def test_a_store_that_breaks_a_promise_is_named_with_it(
    kind: type[Store], gates: list[str], places: Callable[[], Path]
) -> None:
    def make() -> Store:
        return kind(places(), synchronous="OFF")  # type: ignore[arg-type,call-arg]

    failed = [one.gate for one in check_store(make) if one.verdict is Verdict.FAIL]
    assert failed == gates
