"""What was live when: from the events alone, for as long as anybody may ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tenure.store
from tenure.core.clock import to_text
from tenure.rollout.as_of import as_of
from tenure.store import Event, SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def history() -> list[Event]:
    told: list[tuple[str, float, dict[str, Any]]] = [
        ("start", 0, {"version": "v1"}),
        ("note", 1, {}),
        ("promote", 2, {"to": 0.1}),
        ("kill", 4, {}),
        ("restore", 6, {}),
        ("start", 8, {"version": "v2"}),
        ("promote", 10, {"to": 1.0}),
    ]
    return [
        Event("toy", kind, f"ann {number}", "because", NOON + hours * HOUR, payload, sequence=10 * number)
        for number, (kind, hours, payload) in enumerate(told, 1)
    ]


@pytest.mark.parametrize(
    ("hours", "live", "stage", "share", "killed"),
    [
        (-1, None, "none", 0.0, False),
        (1, None, "shadow", 0.0, False),
        (2, "v1", "canary", 0.1, False),
        (3.9, "v1", "canary", 0.1, False),
        (4, None, "canary", 0.1, True),
        (7, None, "rolled_back", 0.0, False),
        (9, None, "shadow", 0.0, False),
        (1000, "v2", "full", 1.0, False),
    ],
)
def test_every_moment_has_its_answer(hours: float, live: str | None, stage: str, share: float, killed: bool) -> None:
    found = as_of(history(), NOON + hours * HOUR)
    assert (found.live, found.state.stage, found.state.share, found.state.killed) == (live, stage, share, killed)


def test_it_says_since_when_and_by_whom_and_passes_over_what_moves_nothing() -> None:
    told = as_of(history(), NOON + 1.5 * HOUR).as_dict()
    assert (told["since"], told["by"], told["candidate"]) == (to_text(NOON), "ann 1", "v1")
    assert as_of(history(), NOON - HOUR).as_dict()["since"] is None


def test_an_event_dated_ahead_by_a_wrong_clock_happened_before_what_follows_it() -> None:
    events = history()
    ahead = Event("toy", "promote", "ann", "because", NOON + 9999 * HOUR, {"to": 0.1}, sequence=30)
    events[2] = ahead
    killed = as_of(events, NOON + 4 * HOUR).state
    assert (killed.killed, killed.share) == (True, 0.1)
    assert as_of(events, NOON + 3 * HOUR).live is None


def test_an_open_breaker_leaves_nothing_live() -> None:
    events = [*history(), Event("toy", "trip", "breaker:x", "why", NOON + 11 * HOUR, {"breaker": "x"}, sequence=99)]
    assert as_of(events, NOON + 12 * HOUR).live is None


def test_versions_and_events_are_still_there_after_91_days(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "log.db", synchronous="OFF") as store:
        store.open_problem("toy", "salt")
        store.register_version("v1", "toy", NOON, {"lineage": {}})
        for event in history():
            store.append_event(event)
    with SqliteStore(tmp_path / "log.db") as store:
        later = NOON + timedelta(days=91)
        assert [row.version for row in store.versions("toy", later)] == ["v1"]
        assert as_of(store.events("toy"), NOON + 3 * HOUR).live == "v1"


def test_no_statement_of_the_store_deletes_or_changes_an_event_or_a_version() -> None:
    room = Path(tenure.store.__file__).parent
    text = "\n".join(path.read_text() for path in sorted(room.glob("*.py")))
    assert "INSERT INTO event" in text  # the search below would find something
    assert re.findall(r"(?i)(?:DELETE\s+FROM|UPDATE|DROP\s+TABLE)\s+(?:event|version)\b", text) == []
