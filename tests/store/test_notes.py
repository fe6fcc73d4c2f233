"""What people say of single decisions is kept in the chain."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from tenure.core.errors import UnknownError
from tenure.store import Store

from .rows import NOON, decision


@pytest.fixture
def noted(store: Store) -> Store:
    store.append_decisions([decision("d1"), decision("d2")])
    store.append_note("bikes", "d2", "the truck broke down", actor="ana", at=NOON)
    store.append_note("bikes", "d1", "a street market", actor="bo", at=NOON + timedelta(hours=1))
    return store


def test_notes_come_back_in_order_with_decision_text_actor_and_time(noted: Store) -> None:
    found = [(note.payload["decision_id"], note.reason, note.actor, note.at) for note in noted.notes("bikes")]
    assert found == [
        ("d2", "the truck broke down", "ana", NOON),
        ("d1", "a street market", "bo", NOON + timedelta(hours=1)),
    ]


def test_a_note_takes_the_next_number_of_the_chain(noted: Store) -> None:
    assert [note.sequence for note in noted.notes("bikes")] == [3, 4]
    assert noted.verify("bikes").rows == 4


def test_an_edited_note_breaks_the_chain(noted: Store, path: Path) -> None:
    assert noted.verify("bikes").intact
    apsw.Connection(str(path)).execute("UPDATE event SET reason = 'nothing happened' WHERE sequence = 3")
    assert noted.verify("bikes").first_bad == 3


def test_an_unknown_decision_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(UnknownError, match="'d9'"):
        store.append_note("bikes", "d9", "who was that", actor="ana", at=NOON)
    assert store.notes("bikes") == []


def test_other_events_are_no_notes(noted: Store) -> None:
    noted.kill("bikes", actor="ana", reason="drill", at=NOON)
    assert len(noted.notes("bikes")) == 2


def test_another_problem_has_its_own_notes(noted: Store) -> None:
    noted.open_problem("routes", "salt")
    assert noted.notes("routes") == []
