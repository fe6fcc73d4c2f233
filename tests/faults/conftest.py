"""One warm process for all tests, and a server on a fresh log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tenure.store import SqliteStore, Store

from .project import at, candidate, make_project
from .server import Server, Warm, free_port

Make = Callable[..., Server]


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Forks servers."""
    process = Warm()
    yield process
    process.close()


@pytest.fixture
def serve(warm: Warm, tmp_path: Path) -> Iterator[Make]:
    """Makes a running server over a fresh project; kills it at the end."""
    with ExitStack() as stack:

        def made(
            kind: str = "good", share: float = 1.0, toml: str = "", environment: dict[str, str] | None = None
        ) -> Server:
            project, home = make_project(tmp_path / "project", toml), tmp_path / "home"
            version = candidate(project, home, kind)
            with SqliteStore(home / "toy" / "log.sqlite") as store:
                at(store, version, share)
            return stack.enter_context(Server(warm, project, home, free_port(), environment))

        yield made


@pytest.fixture
def log(tmp_path: Path) -> Callable[[], Store]:
    """Opens the log the server of `serve` writes."""
    return lambda: SqliteStore(tmp_path / "home" / "toy" / "log.sqlite")
