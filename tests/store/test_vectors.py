"""Actions that are vectors in the log, on either database; and logs from before there were any."""

from __future__ import annotations

import hashlib
from pathlib import Path

import apsw
import numpy as np
import psycopg
import pytest

from tenure.core.decision import Arm, Decision
from tenure.core.errors import EvidenceError
from tenure.store import SqliteStore, Store
from tenure.store.looking import story
from tenure.store.measures import latest
from tenure.store.postgres import PostgresStore
from tenure.store.rows import decision_bytes, decision_values
from tenure.store.schema import ADD_VECTORS, VIEWS

from .rows import NOON, decision, proposal

VECTOR = (0.1, -2.0, 1e-300)
"""The first has no exact decimal form, the last none that is short."""
OLD_VIEWS = ("CREATE VIEW answered AS SELECT 1", "CREATE VIEW kept AS SELECT 2")
TAKEN_OUT = ("decision", "vector"), ("correction", "vector"), ("proposal", "vector"), ("proposal", "apart")


def vector(name: str, action: tuple[float, ...] = VECTOR) -> Decision:
    return decision(name, action=action, propensity=None, density=0.5)


def test_a_vector_comes_back_to_the_bit_and_its_row_verifies(store: Store) -> None:
    store.append_decisions([vector("a")])
    found = store.decision("bikes", "a")
    assert found is not None
    assert (found.action, found.propensity, found.density) == (VECTOR, None, 0.5)
    assert [row.decision.action for row in store.read_rows("bikes", limit=9)] == [VECTOR]
    assert store.verify("bikes").intact


def test_columns_hold_vectors_and_nan_where_nobody_proposed(store: Store) -> None:
    store.append_decisions([vector("a"), vector("b")])
    store.append_proposals("bikes", [proposal("b", action=(1.0, 2.0, 3.0), apart=0.25)])
    log = store.read_log("bikes")
    assert log.action.tolist() == [list(VECTOR)] * 2
    assert log.proposed.tolist() == [False, True]
    assert np.isnan(log.shadow_action[0]).all()
    assert log.shadow_action[1].tolist() == [1.0, 2.0, 3.0]
    assert store.candidate_proposals("bikes", "v2").action.tolist() == [[1.0, 2.0, 3.0]]
    found = story(store, "bikes", "b")
    assert found is not None
    assert (found.written.action, found.proposals[0].action, found.proposals[0].apart) == (
        VECTOR,
        (1.0, 2.0, 3.0),
        0.25,
    )


def test_a_correction_puts_another_vector_in_place_and_takes_the_density_away(store: Store) -> None:
    store.append_decisions([vector("a")])
    rest = {"arm": Arm.FALLBACK, "propensity": None, "reason": "killed", "at": NOON}
    store.append_correction("bikes", "a", action=(0.0, 0.5, 1.0), **rest)  # type: ignore[arg-type]
    found = store.decision("bikes", "a")
    assert found is not None
    assert (found.action, found.density, found.arm) == ((0.0, 0.5, 1.0), None, Arm.FALLBACK)
    told = story(store, "bikes", "a")
    assert told is not None
    assert (told.written.action, told.written.density) == (VECTOR, 0.5)
    assert list(told.corrections[0].payload["action"]) == [0.0, 0.5, 1.0]
    assert store.verify("bikes").intact


@pytest.mark.parametrize(
    ("edit", "first_bad"),
    [
        ("UPDATE decision SET vector = '[0.1,-2.0,1e-301]' WHERE sequence = 1", 1),
        ("UPDATE decision SET vector = NULL WHERE sequence = 1", 1),
        ("UPDATE correction SET vector = '[9.0,9.0,9.0]'", 2),
        ("UPDATE correction SET vector = NULL", 2),
    ],
)
def test_an_edited_vector_breaks_the_chain(path: Path, store: SqliteStore, edit: str, first_bad: int) -> None:
    store.append_decisions([vector("a")])
    rest = {"arm": Arm.FALLBACK, "propensity": None, "reason": "killed", "at": NOON}
    store.append_correction("bikes", "a", action=(0.0, 0.5, 1.0), **rest)  # type: ignore[arg-type]
    raw = apsw.Connection(str(path))
    raw.execute(edit)
    raw.close()
    found = store.verify("bikes")
    assert (found.intact, found.first_bad) == (False, first_bad)


def test_vectors_of_two_widths_are_not_read_as_one_table(store: Store) -> None:
    store.append_decisions([vector("a"), vector("b", (1.0,))])
    with pytest.raises(EvidenceError, match=r"vectors of \[1, 3\] numbers"):
        store.read_log("bikes")


@pytest.mark.parametrize(("apart", "differs"), [(0.0, 0.0), (0.05, 0.0), (0.051, 1.0)])
def test_vectors_differ_beyond_a_twentieth_of_a_range(store: Store, apart: float, differs: float) -> None:
    store.append_decisions([vector("a")])
    store.append_proposals("bikes", [proposal("a", arm=Arm.INCUMBENT, action=(0.0, 0.0, 0.0), apart=apart)])
    with store.database.reading() as connection:
        assert latest(connection, store.control("bikes"), "disagreement", 9).values.tolist() == [differs]


def test_a_row_without_a_vector_hashes_as_before_there_were_any() -> None:
    # made with schema version 2, at commit f773faf
    known = "bce5d4edff8fe8123fd0169e7fdbac46a432b288f5cae33e306667768d8637a5"
    assert hashlib.sha256(decision_bytes(decision_values(decision("a"), 1, b"n" * 16))).hexdigest() == known


def filled(store: Store) -> None:
    """Two decisions, a correction and a proposal, none of them a vector."""
    store.append_decisions([decision("a"), decision("b", arm=Arm.INCUMBENT)])
    store.append_proposals("bikes", [proposal("a")])
    rest = {"arm": Arm.FALLBACK, "propensity": None, "reason": "expired", "at": NOON}
    store.append_correction("bikes", "a", action=0, **rest)  # type: ignore[arg-type]


def assert_goes_on(store: Store) -> None:
    """What was there verifies, and a vector can be written behind it."""
    assert store.verify("bikes").rows == 3
    store.append_decisions([vector("c")])
    assert [row.decision.action for row in store.read_rows("bikes", limit=9)] == [0, 2, VECTOR]
    assert store.verify("bikes").intact


def test_a_file_from_before_vectors_goes_on_where_it_stands(path: Path) -> None:
    with SqliteStore(path) as store:
        store.open_problem("bikes", "salt")
        filled(store)
    raw = apsw.Connection(str(path))
    raw.execute("DROP VIEW kept; DROP VIEW answered")
    for table, column in TAKEN_OUT:
        raw.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    raw.execute(";".join(OLD_VIEWS))
    raw.pragma("user_version", 2)
    raw.close()
    with SqliteStore(path) as store:
        assert_goes_on(store)


def test_a_schema_from_before_vectors_goes_on_where_it_stands(request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("postgres").fresh()
    with PostgresStore(url) as store:
        store.open_problem("bikes", "salt")
        filled(store)
    with psycopg.connect(url) as link:
        link.execute("DROP VIEW kept; DROP VIEW answered")
        for table, column in TAKEN_OUT:
            link.execute(f"ALTER TABLE {table} DROP COLUMN {column}".encode())
        link.execute(b";".join(view.encode() for view in OLD_VIEWS))
        link.execute("UPDATE tenure_schema SET version = 2")
    with PostgresStore(url) as store:
        assert_goes_on(store)


def test_an_upgrade_makes_the_views_a_new_log_has() -> None:
    assert [view.strip() for view in VIEWS.split(";") if view.strip()] == list(ADD_VECTORS[-2:])
