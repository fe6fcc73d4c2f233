"""The audit of the ledgers can fail: a lost row, another answer and an edited log are each seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.store import SqliteStore, Store

from .audit import check
from .test_join import NOON, decision

KEPT: dict[str, Any] = {"decision": "a", "action": 0, "arm": "incumbent"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A log with one decision."""
    with SqliteStore(tmp_path / "log.db", synchronous="OFF") as opened:
        opened.open_problem("toy", "salt")
        opened.append_decisions([decision("toy", "a", NOON)])
        yield opened


def test_a_log_that_holds_what_was_acknowledged_passes(store: Store) -> None:
    check(store, [KEPT, {**KEPT, "decision": "b", "reason": "log_unavailable"}])


@pytest.mark.parametrize(
    "line", [{**KEPT, "decision": "b"}, {**KEPT, "action": 1}, {"outcome": "o", "of": "a", "place": "joined"}]
)
def test_what_was_acknowledged_and_is_not_there_is_seen(store: Store, line: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check(store, [line])


def test_an_edited_log_is_seen(store: Store) -> None:
    with store.database.writing() as link:
        link.execute("UPDATE decision SET action = 1")
    with pytest.raises(AssertionError, match="not what was committed"):
        check(store, [])
