"""A server put together: its bundles are loaded behind its answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serving.test_server import PROJECT

from tenure.cli import wiring
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import BundleError
from tenure.serving import DecisionRequest
from tenure.serving.access import OpenAccess
from tenure.store import Event

WAIT_S = 20.0


def test_a_server_whose_bundle_hangs_at_load_starts_and_answers_with_the_incumbent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "problem.py").write_text(PROJECT)
    workspace, clock, let_go = open_workspace(str(tmp_path), tmp_path / "home"), SystemClock(), threading.Event()

    def hangs(self: Workspace, version: str) -> Any:
        let_go.wait(2 * WAIT_S)
        raise BundleError(expected="a bundle", found="none", where=version, fix="train again")

    monkeypatch.setattr(Workspace, "bundle", hangs)
    monkeypatch.setattr(wiring, "PRELOAD_S", 0.05)
    started = time.monotonic()
    with workspace.store() as store:
        store.open_problem("toy", "salt")
        event = Event("toy", "stage", "ann", "test", clock.now(), {})
        store.append_event(event, control={"stage": "full", "share": 1.0, "version": "v1"})
        access = OpenAccess(frozenset(["localhost"]))
        with wiring.server(str(tmp_path), workspace, store, clock, access, "http://localhost", secure=False) as server:
            (answer,) = server.service.decide([DecisionRequest("u", {"x": 1.0})])
            with pytest.raises(BundleError, match="being loaded"):
                server.service.chooser.policy("v1")  # as /readyz asks
    assert getattr(answer, "reason", answer) == "bundle_error"
    assert time.monotonic() - started < WAIT_S
    let_go.set()
