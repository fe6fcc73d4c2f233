"""Labels of actions in logs without a project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import FencedError
from tenure.store import Event, SqliteStore
from tenure.store.labels import add_labels, known_labels

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "log.sqlite") as opened:
        opened.open_problem("routing", "salt")
        yield opened


def test_labels_keep_their_number_and_new_ones_go_behind(store: SqliteStore) -> None:
    assert known_labels(store, "routing") == ()
    assert add_labels(store, "routing", ["van", "bike", "van"], "ann", AT) == ("van", "bike")
    assert add_labels(store, "routing", ["foot", "bike"], "ann", AT) == ("van", "bike", "foot")
    assert known_labels(store, "routing") == ("van", "bike", "foot")


def test_known_labels_leave_no_event(store: SqliteStore) -> None:
    add_labels(store, "routing", ["van"], "ann", AT)
    before = store.events("routing")
    assert add_labels(store, "routing", ["van"], "ann", AT) == ("van",)
    assert store.events("routing") == before


def test_who_adds_at_the_same_time_is_seen_and_gets_his_own_number(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, asked = store.append_event, []

    def late(event: Event, **options: Any) -> Event:
        asked.append(event)
        if len(asked) == 1:
            append(Event("routing", "labels", "bob", "first", AT, {"labels": ["foot"]}))
        return append(event, **options)

    monkeypatch.setattr(store, "append_event", late)
    assert add_labels(store, "routing", ["van"], "ann", AT) == ("foot", "van")
    assert len(asked) == 2
    with pytest.raises(FencedError):
        append(asked[0], expect_last_event=0)
