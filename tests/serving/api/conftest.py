"""The whole application over the small world: hot paths, control API and page, with tokens for every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenure.console.operator import PAGES
from tenure.rollout.operations import Operations
from tenure.serving import create_app
from tenure.serving.access import OpenAccess, Role, TokenAccess
from tenure.serving.api import Desk, Metrics, rest_app
from tenure.store.tokens import Tokens

from ..http import Http
from ..toy import NOON, World

HOST = "test"


class Office:
    """One server with everything on it, and a client of it."""

    def __init__(self, folder: Path, *, tokens: bool = False, **fields: Any) -> None:
        self.world = World(folder, **fields)
        self.store, self.service = self.world.store, self.world.service
        self.tokens = Tokens(self.store)
        self.of: dict[Role, str] = {}
        if tokens:
            roles = [role for role in Role if role is not Role.ANYONE]
            self.of = {role: self.tokens.create(role.word, role.word, "root", NOON) for role in roles}
        names = frozenset({HOST})
        self.access = TokenAccess(self.tokens, self.world.clock, names) if tokens else OpenAccess(names)
        self.verbs = Operations(self.world.problem, self.service.settings, self.store, self.world.clock)
        self.desk = Desk(self.service, self.verbs, self.access, folder / "bundles", Metrics(), secure=False)
        self.app = create_app(self.service, access=self.access, rest=rest_app(self.desk, PAGES))
        self.http = Http(self.app)

    def get(self, path: str, role: Role | None = None, **more: Any) -> Any:
        return self.http.get(path, headers=self._headers(role, more), **more)

    def post(self, path: str, role: Role | None = None, **more: Any) -> Any:
        return self.http.post(path, headers=self._headers(role, more), **more)

    def _headers(self, role: Role | None, more: dict[str, Any]) -> dict[str, str]:
        shown = {} if role is None else {"authorization": f"Bearer {self.of[role]}"}
        return {**shown, **more.pop("headers", {})}


Open = Callable[..., Office]


@pytest.fixture
def open_office(tmp_path: Path) -> Iterator[Open]:
    """Opens offices, and closes them at the end."""
    opened: list[Office] = []

    def office(**fields: Any) -> Office:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Office(folder, **fields))
        opened[-1].http.__enter__()
        return opened[-1]

    yield office
    for each in opened:
        each.http.__exit__()
        each.store.close()


@pytest.fixture
def office(open_office: Open) -> Office:
    """Loopback without login; the candidate decides everything."""
    made = open_office()
    made.world.at("full", 1.0)
    return made


@pytest.fixture
def guarded(open_office: Open) -> Office:
    """Tokens are asked for."""
    made = open_office(tokens=True)
    made.world.at("full", 1.0)
    return made
