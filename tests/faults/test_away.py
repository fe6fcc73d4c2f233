"""While policy, database or controller is killed in turn, every request is answered; the log catches up by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres

from tenure.store import Store
from tenure.store.opening import open_store

from . import LONG
from .audit import check
from .load import Load
from .project import at, candidate, make_project
from .server import Server, Warm, free_port, until

REQUESTS = 100_000 if LONG else 2_000
PATIENCE_S = 60 + REQUESTS / 50
"""Three callers with ledgers on disk make at least 50 requests a second, on the busiest machine."""


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Server]:
    """A throw-away PostgreSQL."""
    with postgres.server() as running:
        yield running


@pytest.fixture
def replica(warm: Warm, tmp_path: Path, database: postgres.Server) -> Iterator[Server]:
    """A server on PostgreSQL, the candidate at full share."""
    project, home = make_project(tmp_path / "project"), tmp_path / "home"
    version, url = candidate(project, home), database.fresh()
    with open_store(url) as store:
        at(store, version, 1.0)
    with Server(warm, project, home, free_port(), {"TENURE_DATABASE": url}) as server:
        yield server


def opened(server: Server) -> Store:
    """The log the server writes."""
    return open_store(server.environment["TENURE_DATABASE"])


def test_every_request_is_answered_while_policy_and_database_are_killed_in_turn(
    replica: Server, database: postgres.Server
) -> None:
    bundles, aside = replica.home / "toy" / "bundles", replica.home / "toy" / "aside"
    with Load(replica.port, replica.home.parent, 3) as load:
        quarter = REQUESTS // 4
        until(lambda: load.answered > quarter, "a quarter is answered", PATIENCE_S)
        database.stop()
        until(lambda: load.reasons["log_unavailable"] >= 3, "answers go on without the database")
        database.start()
        until(lambda: load.answered > 2 * quarter, "the database is back", PATIENCE_S)
        shutil.move(bundles, aside)
        replica.kill()
        replica.start()
        until(lambda: load.reasons["bundle_error"] > 20, "answers go on without the policy")
        shutil.move(aside, bundles)
        learned = load.reasons["candidate"]
        until(lambda: load.reasons["candidate"] > learned, "the policy is back")
        until(lambda: load.answered > REQUESTS, "all is answered", PATIENCE_S)
    assert load.refused == []
    assert replica.alive
    lines = load.acknowledged()
    assert {"log_unavailable", "candidate"} <= {line["reason"] for line in lines if "decision" in line}
    with opened(replica) as store:
        until(lambda: all_there(store, lines), "what was spooled is in the log", PATIENCE_S)
        check(store, lines)


def all_there(store: Store, lines: list[dict[str, object]]) -> bool:
    """Whether every answered decision is in the log."""
    with store.database.reading() as link:
        found = {row[0] for row in link.execute("SELECT decision_id FROM decision WHERE problem = 'toy'")}
    return {line["decision"] for line in lines if "decision" in line} <= found


def test_kill_9_on_postgresql_loses_and_doubles_nothing_acknowledged(replica: Server) -> None:
    with Load(replica.port, replica.home.parent) as load:
        for _ in range(500 if LONG else 10):
            before = load.answered
            until(lambda: load.answered > before + 5, "somebody is answered")  # noqa: B023
            replica.kill()
            replica.start()
    assert load.refused == []
    with opened(replica) as store:
        check(store, load.acknowledged())
