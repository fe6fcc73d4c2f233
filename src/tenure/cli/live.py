"""The live replay: real months through the real server on a simulated clock, every step taken by the gates."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tenure.cli.services import services
from tenure.cli.workspace import Workspace
from tenure.client import DecisionClient, drive
from tenure.core.clock import ManualClock
from tenure.core.errors import StoreError
from tenure.core.evidence import Verdict
from tenure.core.simulator import State
from tenure.rollout import Controller, Move, Tick
from tenure.store import Store

APPROVER = "demo-approver"
"""Says yes whenever asked; stands for the person whom `approval` in tenure.toml demands."""
KILL_SENT, KILL_AWAITED = 48, 24
"""Steps before the end at which the kill command is started, and at which it must have finished."""

SHADOW_LAG_S, LATEST = 5.0, 100
"""How long the shadow is waited for at each midnight, in seconds; and in how many rows the latest decision lies."""

Watch = Callable[[datetime, Tick], None]


@dataclass
class LiveRun:
    """What the replay left behind, beside the log.

    Args:
        ticks: what the gates said, at each midnight.
        killed: what `tenure kill` printed; None when the kill was never reached.
        retry: how the server answered the last learned decision again, after the kill.
    """

    ticks: list[tuple[datetime, Tick]] = field(default_factory=list)
    killed: dict[str, Any] | None = None
    retry: dict[str, Any] | None = None


@contextmanager
def server(workspace: Workspace) -> Iterator[str]:
    """A decision server in a process of its own, on a simulated clock; gives its address.

    Raises:
        StoreError: it did not start.
    """
    command = _tenure("serve", workspace, "--simulated-clock", "--port", "0")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise StoreError(
                expected="the server's address", found="nothing", where=" ".join(command), fix="run it by hand"
            )
        yield str(json.loads(line)["url"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def live(workspace: Workspace, store: Store, version: str, url: str, watch: Watch) -> LiveRun:
    """Drive the held-out months through the server; ticks at midnight, the kill two days before the end."""
    project, found = workspace.project, LiveRun()
    panel = project.simulator.panel("held_out")
    clock = ManualClock(panel.started_at)
    controller = Controller(project.problem, workspace.settings, store, services(workspace), clock)
    controller.start(version, "demo")
    steps_left, kill = panel.steps, None

    def after_step(_: State) -> None:
        nonlocal steps_left, kill
        steps_left -= 1
        if steps_left == KILL_SENT:  # the replay goes on while the kill command runs
            command = _tenure("kill", workspace, "--reason", "end of the demo: the seat is taken back")
            kill = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
        if steps_left == KILL_AWAITED and kill is not None:
            found.killed = killed_by(kill)

    with DecisionClient(url, project.problem.name) as client:
        for midnight in drive(client, project.problem, project.simulator, panel, after_step=after_step):
            clock.advance_to(midnight)
            if kill is None:
                _await_shadow(store, project.problem.name)
                found.ticks += [(midnight, tick) for tick in tick_all(controller)]
                watch(midnight, found.ticks[-1][1])
        found.retry = _retry(store, project.problem.name, client)
    return found


def killed_by(command: subprocess.Popen[str]) -> dict[str, Any]:
    """What the kill command printed, once it has ended.

    Raises:
        StoreError: it failed; with what it said.
    """
    printed, said = command.communicate()
    if command.returncode in (0, Verdict.INCONCLUSIVE.exit_code):  # the second: a server has not confirmed
        found: dict[str, Any] = json.loads(printed)
        return found
    raise StoreError(
        expected="a kill command that stops what is learned",
        found=f"exit code {command.returncode}: {said.strip() or 'it said nothing'}",
        where=shlex.join(map(str, command.args)) if isinstance(command.args, list) else str(command.args),
        fix="run it by hand",
    )


def _await_shadow(store: Store, problem: str) -> None:
    """Wait until the latest decision has its proposal: a replayed day lasts less than the shadow may lag behind."""
    until = time.monotonic() + SHADOW_LAG_S
    while time.monotonic() < until:
        sequence = store.control(problem).sequence
        latest = store.read_log(problem, after_sequence=max(sequence - LATEST, 0))
        if not len(latest) or latest.proposed[-1]:
            return
        time.sleep(0.005)


def tick_all(controller: Controller) -> Iterator[Tick]:
    """Ticks until nothing more is to be done; a request for approval is approved by the demo approver."""
    while True:
        tick = controller.tick()
        yield tick
        if tick.step is None:
            return
        if tick.step.move is Move.REQUEST and tick.step.to is not None:
            controller.approve(APPROVER, tick.step.to, "approved without looking: this approver is part of the demo")


def _retry(store: Store, problem: str, client: DecisionClient) -> dict[str, Any] | None:
    """Ask again for the last learned decision: after the kill its answer must be the incumbent's."""
    frame = store.read_log(problem)
    learned = [row for row, arm in enumerate(frame.arm) if arm == "candidate"]
    if not learned:
        return None
    row = learned[-1]
    stored = store.decision(problem, frame.decision_id[row])
    assert stored is not None
    request = {
        "decision_id": stored.decision_id,
        "unit_id": stored.unit_id,
        "episode_id": stored.episode_id,
        "step": stored.step,
        "at": stored.decided_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "context": dict(stored.context),
    }
    return client.decide([request])[0]


def told(retry: dict[str, Any] | None) -> str:
    """What became of the last learned decision when it was asked for again, after the kill."""
    if retry is None:
        return "there was none to ask for again"
    if "error" in retry:
        return f"asked for again after the kill, it was refused: found {retry['found']}"
    return f"asked for again after the kill, it was answered by {retry['arm']} ({retry['reason']})"


def _tenure(verb: str, workspace: Workspace, *options: str) -> list[str]:
    """The command line of another tenure process over the same runtime files."""
    program = [sys.executable, "-m", "tenure.cli", verb, str(workspace.project.folder)]
    return [*program, "--home", str(workspace.home.parent), "--json", *options]
