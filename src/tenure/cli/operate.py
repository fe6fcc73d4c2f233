"""`tenure kill`, `restore` and `doctor`: what an operator needs."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tenure.cli.audit import sign_now
from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, existing_log, log_of, open_workspace, stop_file
from tenure.core.clock import SystemClock
from tenure.core.errors import BundleError, ProjectError, StoreError, TenureError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.rollout import check_head
from tenure.rollout.kill import Confirmation, Killed, kill, restore
from tenure.store import Control
from tenure.store.opening import open_store, shown


def run_kill(output: Output, project: str, reason: str, actor: str, home: Path | None) -> int:
    """Stop what is learned, say by what and who confirmed; returns the exit code, 3 when one did not."""
    clock, who = SystemClock(), actor or getpass.getuser()
    name, place = existing_log(project, home)
    _check_reason(reason)
    stop = stop_file(name, home)

    def heard(one: Confirmation) -> None:
        output.say(f"Stopped by the {one.id} after {one.confirmed_ms or 0:.0f} ms.")

    try:
        store = open_store(place)
    except StoreError as error:
        stop.engage(reason, who, clock.now())
        done = Killed(None, (Confirmation("log", None), Confirmation("stop file", 0.0)), stop.path, str(error))
        learned = None
    else:
        with store:
            done = kill(store, name, actor=who, reason=reason, clock=clock, stop=stop, told=heard)
            learned = None
            if done.sequence is not None:
                learned = store.learned_after(name, done.sequence)
                sign_now(store, name, clock.now(), home)
    for line in _said(done, shown(place)):
        output.say(line)
    output.result({**done.as_dict(), "learned_after": learned, "log": shown(place)})
    return 0 if done.confirmed else 3


def _said(done: Killed, place: str) -> list[str]:
    """What a kill did, for people."""
    lines = [f"Killed: {_stopped(done.control)}. Log: {place}"]
    if done.control is not None:
        lines.append(f"Row {done.sequence}, epoch {done.epoch}. From this row on no learned decision can be recorded.")
    if done.stop_file is not None:
        lines.append(f"Stop file {done.stop_file}: every server that sees this folder answers with the incumbent.")
        lines.append(f"It was needed, because the row was late or impossible: {done.fault}")
    if done.control is None:
        lines.append("THE ROW IS NOT WRITTEN: a server elsewhere stops only when its lease lapses. Kill again later.")
    for one in done.replicas:
        took = "DID NOT CONFIRM" if one.confirmed_ms is None else f"confirmed after {one.confirmed_ms:.0f} ms"
        lines.append(f"  {one.id}: {took}")
    return [*lines, "The incumbent answers. Undo: tenure restore"]


def _stopped(head: Control | None) -> str:
    if head is None:
        return "by the stop file"
    if not head.version:
        return "no candidate was in place"
    return f"version {head.version} in stage {head.stage} at {100 * head.share:g} %"


def run_restore(output: Output, project: str, reason: str, actor: str, home: Path | None) -> None:
    """Lift the kill; the rollout is rolled back, and a candidate begins again."""
    name, place = existing_log(project, home)
    _check_reason(reason)
    clock, who, stop = SystemClock(), actor or getpass.getuser(), stop_file(name, home)
    with open_store(place) as store:
        control = restore(store, name, actor=who, reason=reason, clock=clock, stop=stop)
        sign_now(store, name, clock.now(), home)
    output.say(f"Restored: row {control.sequence}, epoch {control.kill_epoch}; the incumbent goes on answering.")
    output.result({"epoch": control.kill_epoch, "sequence": control.sequence, "stage": control.stage})


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise ProjectError(
            expected="a reason, for whoever reads the log",
            found="nothing",
            where="--reason",
            fix="say why in a few words",
        )


def run_doctor(output: Output, project: str, home: Path | None) -> int:
    """Check one thing after the other; returns the exit code."""
    findings = [_python(), _module("decide", "onnxruntime"), _module("train", "stable_baselines3")]
    try:
        workspace = open_workspace(project, home)
        findings += [_finding(name, check) for name, check in _checks(workspace).items()]
    except TenureError as error:
        findings.append(Finding("project", Verdict.FAIL, str(error)))
    for finding in findings:
        output.say(f"{finding.verdict.word:<13} {finding.gate:<12} {finding.reason}")
    output.result({"checks": [finding.as_dict() for finding in findings]})
    decisive = [f.verdict for f in findings if f.verdict is not Verdict.INCONCLUSIVE]
    return worst(decisive).exit_code


def _checks(workspace: Workspace) -> dict[str, Callable[[], str]]:
    return {
        "problem": lambda: f"{workspace.project.problem.name}, version {workspace.project.problem.version}",
        "settings": lambda: f"stages {workspace.settings.rollout.stages}",
        "simulator": lambda: f"version {workspace.project.simulator.version}",
        "log": lambda: _log(workspace),
        "bundles": lambda: _bundles(workspace),
    }


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Verdict.PASS, check())
    except TenureError as error:
        return Finding(name, Verdict.FAIL, str(error))


def _log(workspace: Workspace) -> str:
    name = workspace.project.problem.name
    with workspace.store() as store:
        verification = store.verify(name)
        check_head(store.control(name), store.events(name))
        candidate = store.control(name).version
    if not verification.intact:
        raise StoreError(
            expected="an unbroken hash chain",
            found=f"{verification.reason}, first at row {verification.first_bad}",
            where=shown(log_of(workspace.home)),
            fix="restore the log from a copy, and find out who changed it",
        )
    if candidate is not None:
        _check_candidate(workspace, candidate)
    return f"hash chain of {verification.rows} rows is intact, and the head says what the events say"


def _check_candidate(workspace: Workspace, version: str) -> None:
    manifest, problem = workspace.bundle(version).bundle.manifest, workspace.project.problem
    if manifest["problem_version"] != problem.version:
        raise BundleError(
            expected=f"a candidate trained for problem version {problem.version}",
            found=f"version {version}, trained for {manifest['problem_version']}",
            where=str(workspace.bundles / version),
            fix="train again for the changed problem, or change it back",
        )


def _bundles(workspace: Workspace) -> str:
    versions = sorted(path.name for path in workspace.bundles.glob("[!.]*"))
    for version in versions:
        workspace.bundle(version)
    return f"{len(versions)} bundle(s), hashes and golden answers right"


def _python() -> Finding:
    return Finding("python", Verdict.PASS, platform.python_version())


def _module(purpose: str, name: str) -> Finding:
    if find_spec(name) is None:
        return Finding(purpose, Verdict.INCONCLUSIVE, f"{name} is not installed; pip install 'tenure[train]' to train")
    return Finding(purpose, Verdict.PASS, f"{name} is installed")
