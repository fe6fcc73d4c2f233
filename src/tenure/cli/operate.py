"""`tenure kill`, `restore`, `versions` and `doctor`: what an operator and a risk officer need."""

from __future__ import annotations

import getpass
import platform
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, existing_log, open_workspace
from tenure.core.clock import SystemClock, to_text
from tenure.core.errors import BundleError, ProjectError, StoreError, TenureError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.rollout import check_head, fold
from tenure.store import SqliteStore


def run_kill(output: Output, project: str, reason: str, actor: str, home: Path | None) -> None:
    """Write the kill row and say what it stopped, where, and under which number and epoch."""
    began = time.perf_counter()
    name, path = existing_log(project, home)
    _check_reason(reason)
    with SqliteStore(path) as store:
        before = store.control(name)
        control = store.kill(name, actor=actor or getpass.getuser(), reason=reason, at=SystemClock().now())
        learned = store.learned_after(name, control.sequence)
    confirmed_ms = 1000 * (time.perf_counter() - began)
    stopped = f"version {before.version} in stage {before.stage} at {100 * before.share:g} %"
    output.say(f"Killed: {stopped if before.version else 'no candidate was in place'}. Log: {path.resolve()}")
    output.say(f"Row {control.sequence}, epoch {control.kill_epoch}, durable after {confirmed_ms:.0f} ms.")
    output.say("From this row on no learned decision can be recorded; the incumbent answers. Undo: tenure restore")
    output.result(
        {
            "epoch": control.kill_epoch,
            "sequence": control.sequence,
            "learned_after": learned,
            "stopped": {"version": before.version, "stage": before.stage, "share": before.share},
            "log": str(path.resolve()),
            "replicas": [{"id": "log", "confirmed_ms": confirmed_ms}],
        }
    )


def run_restore(output: Output, project: str, reason: str, actor: str, home: Path | None) -> None:
    """Lift the kill; the rollout is rolled back, and a candidate begins again."""
    name, path = existing_log(project, home)
    _check_reason(reason)
    with SqliteStore(path) as store:
        control = store.restore(name, actor=actor or getpass.getuser(), reason=reason, at=SystemClock().now())
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


def list_versions(output: Output, project: str, home: Path | None) -> None:
    """Versions, the live one, and every move of the rollout with its reason."""
    workspace = open_workspace(project, home)
    name = workspace.project.problem.name
    with workspace.store() as store:
        rows, control, events = store.versions(name), store.control(name), store.events(name)
    live = control.version if control.share > 0 and not control.killed else None
    state = fold(events)
    output.say(f"stage {state.stage.value}, share {state.share:g}, killed {'yes' if control.killed else 'no'}")
    output.table(
        ["version", "registered", "run", "seed", "selection score", ""],
        [
            [
                row.version,
                f"{row.registered_at:%Y-%m-%d %H:%M}",
                str(row.record["lineage"]["run"]),
                str(row.record["lineage"]["seed"]),
                f"{row.record['evaluation']['score']:.3f}",
                "live" if row.version == live else "candidate" if row.version == control.version else "",
            ]
            for row in rows
        ],
    )
    for event in events:
        output.say(f"{event.at:%Y-%m-%d %H:%M}  {event.kind:<10} {event.actor}: {event.reason}")
    output.result(
        {
            "versions": [
                {"version": row.version, "registered_at": to_text(row.registered_at), **row.record} for row in rows
            ],
            "live": live,
            "stage": state.stage.value,
            "share": state.share,
            "killed": control.killed,
            "history": [
                {"at": to_text(e.at), "kind": e.kind, "actor": e.actor, "reason": e.reason, "sequence": e.sequence}
                for e in events
            ],
        }
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
            where=str(workspace.home / "log.sqlite"),
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
