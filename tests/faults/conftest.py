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


def makes(warm: Warm, folder: Path, stack: ExitStack) -> Make:
    """Makes running servers over a fresh project."""

    def made(
        kind: str = "good", share: float = 1.0, toml: str = "", environment: dict[str, str] | None = None
    ) -> Server:
        project, home = make_project(folder / "project", toml), folder / "home"
        version = candidate(project, home, kind)
        with SqliteStore(home / "toy" / "log.sqlite") as store:
            at(store, version, share)
        return stack.enter_context(Server(warm, project, home, free_port(), environment))

    return made


@pytest.fixture
def serve(warm: Warm, tmp_path: Path) -> Iterator[Make]:
    """For one test; killed at its end."""
    with ExitStack() as stack:
        yield makes(warm, tmp_path, stack)


@pytest.fixture(scope="module")
def module_serve(warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """For all tests of one module."""
    with ExitStack() as stack:
        yield makes(warm, tmp_path_factory.mktemp("served"), stack)


@pytest.fixture
def log(tmp_path: Path) -> Callable[[], Store]:
    """Opens the log the server of `serve` writes."""
    return lambda: SqliteStore(tmp_path / "home" / "toy" / "log.sqlite")
