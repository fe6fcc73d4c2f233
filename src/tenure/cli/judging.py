"""Verbs of a server: what rests on replays and the selection data is judged in a process of its own.

Judging takes seconds to minutes of computing; in the server's process every decision would wait for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tenure.cli.workspace import Workspace
from tenure.core.clock import Clock
from tenure.core.errors import MoveError, StoreError
from tenure.core.evidence import Finding, Verdict
from tenure.rollout import Operations
from tenure.store import Store

JUDGED_WITHIN_S = 600.0
"""How long a judgement may take; in seconds."""

_COMMAND = "from tenure.cli.rollout import rollout_app; rollout_app()"


class ServersOperations(Operations):
    """`Operations` that starts and promotes through `tenure rollout`.

    Args:
        project: as `tenure` names it.
        workspace: its rooms.
        store: the log.
        clock: of what is recorded.
    """

    def __init__(self, project: str, workspace: Workspace, store: Store, clock: Clock) -> None:
        super().__init__(workspace.project.problem, workspace.settings, store, clock, stop=workspace.stop)
        self._project, self._home = project, workspace.home.parent

    def start(self, version: str, actor: str, reason: str) -> list[Finding]:
        """Ask for SHADOW; what the selection data say is recorded either way.

        Raises:
            MoveError: a rollout is under way, a kill is in force, or the selection data do not allow it.
        """
        told = self._judged("start", actor, reason, f"--version={version}")
        if told["verdict"] != Verdict.PASS.word:
            raise _held("start", [f"{each['gate']}: {each['reason']}" for each in told["findings"]])
        return [Finding(each["gate"], Verdict.PASS, each["reason"]) for each in told["findings"]]

    def promote(self, actor: str, reason: str) -> Any:
        """The next step, if and only if the gates pass.

        Raises:
            MoveError: a gate holds, and which.
        """
        told = self._judged("promote", actor, reason)
        if told["verdict"] != Verdict.PASS.word:
            raise MoveError(**{name: told[name] for name in ("expected", "found", "where", "fix")})
        return told

    def _judged(self, verb: str, actor: str, reason: str, *more: str) -> dict[str, Any]:
        """What the command says.

        Raises:
            MoveError: it refused.
            StoreError: it did not end well or in time.
        """
        said = [f"--actor={actor}", f"--reason={reason}", f"--home={self._home}", "--json", *more]
        command = [sys.executable, "-c", _COMMAND, verb, self._project, *said]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=JUDGED_WITHIN_S, check=False)  # noqa: S603
            told: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise StoreError(
                expected="a judgement",
                found=f"{type(error).__name__}: {error}"[:500],
                where=f"tenure rollout {verb}",
                fix="run it by hand where the server runs, and read what it says",
            ) from error
        if "error" in told and "verdict" not in told:
            raise MoveError(**{name: told[name] for name in ("expected", "found", "where", "fix")})
        return told


def _held(verb: str, findings: list[str]) -> MoveError:
    return MoveError(
        expected=f"evidence that allows to {verb}",
        found="; ".join(findings) or "no gate that could",
        where=f"tenure rollout {verb}",
        fix="read what the gates found",
    )
