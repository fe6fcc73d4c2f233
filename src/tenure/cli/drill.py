"""`tenure drill`: the kill, rehearsed on a copy with a real server, measured, and recorded in the real log."""

from __future__ import annotations

import getpass
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli.output import Output
from tenure.cli.workspace import DATABASE, HOME, Workspace, log_of, open_workspace
from tenure.client import DecisionClient
from tenure.core.clock import SystemClock
from tenure.core.errors import StoreError, TenureError
from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.core.spaces import Feature
from tenure.rollout.drill import DRILL, ENOUGH, REHEARSAL, Heard, Rehearsed, go_live
from tenure.rollout.kill import kill, restore
from tenure.rollout.stop import VARIABLE, StopFile
from tenure.store import Event, Store, save_bundle
from tenure.store.copying import copy_log
from tenure.store.standin import stand_in

START_S, WARM_S, REST_S = 20.0, 10.0, 5.0
"""Longest waits, in seconds: for the server, for learned answers, and for answers after the kill."""
ASKERS = 2
"""Threads that ask for decisions."""


@dataclass(frozen=True)
class Drilled:
    """A drill that is in the log: what was seen, its event, and how long it took."""

    seen: Rehearsed
    event: Event
    seconds: float


def run_drill(output: Output, project: str, actor: str, home: Path | None) -> int:
    """Rehearse the kill; returns the exit code."""
    workspace = open_workspace(project, home)
    with workspace.store() as store:
        drilled = drill(workspace, store, actor or getpass.getuser())
    seen, payload = drilled.seen, drilled.event.payload
    for finding in seen.findings():
        output.say(f"{finding.verdict.word:<13} {finding.gate:<18} {finding.reason}")
    if payload["stand_in"]:
        output.say("Nothing trained can be served yet: a stand-in, which always takes one action, was killed instead.")
    output.say(f"Last learned answer {seen.last_learned_ms:.0f} ms after the kill began; version {payload['version']}.")
    output.say(
        f"{drilled.event.reason.capitalize()} in {drilled.seconds:.1f} s; row {drilled.event.sequence} of the log."
    )
    output.result({**payload, "sequence": drilled.event.sequence, "seconds": drilled.seconds})
    return (Verdict.PASS if seen.passed else Verdict.FAIL).exit_code


def drill(workspace: Workspace, store: Store, actor: str) -> Drilled:
    """Rehearse the kill on a copy of the log, and record in the log how it went."""
    began, name = time.monotonic(), workspace.project.problem.name
    with tempfile.TemporaryDirectory(prefix="tenure-drill-") as folder:
        scene = Path(folder) / name
        version, whole = _set_up(workspace, store, scene)
        seen = _rehearse(workspace, scene, version)
    server_on = f"a process on a {'copy of the' if whole else 'fresh'} log"
    made = not workspace.bundles.joinpath(version).is_dir()
    payload = seen.payload(version, {"server": server_on, "whole": whole, "stand_in": made})
    told = f"the kill drill {'passed' if seen.passed else 'FAILED'}"
    event = store.append_event(Event(name, DRILL, actor, told, SystemClock().now(), payload))
    return Drilled(seen, event, time.monotonic() - began)


def _set_up(workspace: Workspace, store: Store, scene: Path) -> tuple[str, bool]:
    """A copy of the log with a candidate at full share, and its bundle; which one, and whether all rows are there."""
    name, home = workspace.project.problem.name, workspace.home
    (scene / "bundles").mkdir(parents=True)
    version = _candidate(workspace, store)
    if version is None:
        version = save_bundle(stand_in(workspace.project.problem), scene / "bundles").name
    else:
        (scene / "bundles" / version).symlink_to((home / "bundles" / version).resolve(), target_is_directory=True)
    copy, whole = copy_log(store, name, log_of(home), scene / "log.sqlite")
    with copy:
        go_live(copy, name, version, SystemClock().now())
    return version, whole


def _candidate(workspace: Workspace, store: Store) -> str | None:
    """The candidate in place, else the newest registered version, that can be served; None when there is none."""
    name = workspace.project.problem.name
    rows = [row.version for row in reversed(store.versions(name))]
    for version in [store.control(name).version, *rows]:
        try:
            if version is not None and workspace.bundle(version):
                return version
        except TenureError:
            continue
    return None


def _rehearse(workspace: Workspace, scene: Path, version: str) -> Rehearsed:
    problem, stop = workspace.project.problem, StopFile(scene / "STOP")
    with (
        copy_of(scene) as store,
        server(workspace, scene) as url,
        Asking(url, problem, contexts(store, problem)) as asking,
    ):
        asking.wait_for(lambda heard: sum(one.arm == "candidate" for one in heard) >= ENOUGH, WARM_S)
        began_at = time.monotonic()
        killed = kill(store, problem.name, actor=DRILL, reason=f"drill of {version}", clock=SystemClock(), stop=stop)
        ended_at = time.monotonic()
        asking.wait_for(lambda heard: sum(one.asked_at > ended_at for one in heard) >= ENOUGH, REST_S)
        learned_after = store.learned_after(problem.name, killed.sequence or 0)
        restore(store, problem.name, actor=DRILL, reason="the drill is over", clock=SystemClock(), stop=stop)
        restored_at = time.monotonic()
        asking.wait_for(lambda heard: sum(one.asked_at > restored_at for one in heard) >= ENOUGH, REST_S)
        heard = list(asking.heard)
        after = [one.arm for one in heard if one.asked_at > restored_at]
    return Rehearsed(heard, began_at, ended_at, killed, learned_after, after)


@contextmanager
def copy_of(scene: Path) -> Iterator[Store]:
    """The copy's log."""
    from tenure.store import SqliteStore

    with SqliteStore(scene / "log.sqlite") as store:
        yield store


@contextmanager
def server(workspace: Workspace, scene: Path) -> Iterator[str]:
    """A real server over the copy; gives its address.

    Raises:
        StoreError: it did not start in time.
    """
    program = [sys.executable, "-m", "tenure.cli", "serve", str(workspace.project.folder)]
    command = [*program, "--home", str(scene.parent), "--port", "0", "--json"]
    real = {DATABASE, HOME, VARIABLE}
    environment = {name: value for name, value in os.environ.items() if name not in real} | {REHEARSAL: "1"}
    told = scene / "server.log"
    with told.open("wb") as words:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True, env=environment)  # noqa: S603
    alarm = threading.Timer(START_S, process.kill)
    alarm.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        alarm.cancel()
        if not line:
            raise _no_server(told.read_text(errors="replace"), command)
        first = json.loads(line)
        if "url" not in first:
            raise _no_server(str(first), command)
        yield str(first["url"])
    finally:
        alarm.cancel()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _no_server(found: str, command: Sequence[str]) -> StoreError:
    return StoreError(
        expected=f"a server within {START_S:.0f} s",
        found=" ".join(found.split())[-500:] or "none",
        where=" ".join(command),
        fix="mend what it says, and drill again",
    )


class Asking:
    """Threads that ask for decisions all the time, and remember who answered when."""

    def __init__(self, url: str, problem: Problem, given: Sequence[Mapping[str, float]]) -> None:
        self.heard: list[Heard] = []
        self._news, self._over = threading.Condition(), threading.Event()
        self._client, self._given = DecisionClient(url, problem.name), given
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(ASKERS)]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def wait_for(self, enough: Callable[[Sequence[Heard]], bool], within_s: float) -> None:
        """Wait until enough was heard, or for so many seconds; the findings say what was missing."""
        with self._news:
            self._news.wait_for(lambda: enough(self.heard), within_s)

    def _ask(self, number: int) -> None:
        turn = 0
        while not self._over.is_set():
            turn += 1
            asked_at = time.monotonic()
            try:
                arm = self._client.decide_one(f"drill-{number}-{turn}", self._given[turn % len(self._given)]).arm
            except TenureError as error:
                arm = type(error).__name__
                self._over.wait(0.01)
            with self._news:
                self.heard.append(Heard(asked_at, time.monotonic(), arm))
                self._news.notify_all()


def contexts(store: Store, problem: Problem) -> list[Mapping[str, float]]:
    """What to ask about: the log's latest situations, or one made from the features' defaults and bounds."""
    last = store.control(problem.name).sequence
    rows = store.read_rows(problem.name, after_sequence=max(0, last - 200), limit=200)
    names = set(problem.feature_names)
    known = [row.decision.context for row in rows if row.decision.context and set(row.decision.context) <= names]
    made: dict[str, Any] = {feature.name: typical(feature) for feature in problem.observation}
    return [{**made, **context} for context in known] or [made]


def typical(feature: Feature) -> float:
    """A legal value of a feature: its default, else the middle of its bounds, else the bound there is, else 0."""
    if feature.default is not None:
        return feature.default
    bounds = [bound for bound in (feature.low, feature.high) if math.isfinite(bound)]
    return sum(bounds) / len(bounds) if bounds else 0.0
