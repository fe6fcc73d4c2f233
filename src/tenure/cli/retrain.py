"""`tenure retrain`: from the served log to a new version in SHADOW, step by step; the same command mends a crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli.output import Output
from tenure.cli.retrain_steps import RETRAIN, Retraining, steps_of
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.core.errors import ProjectError, SettingsError
from tenure.retraining import (
    BY_HAND,
    Facts,
    Regime,
    Rule,
    Trigger,
    as_json,
    carry_out,
    is_ended,
    read,
    remember,
    trigger,
)
from tenure.rollout.as_of import as_of
from tenure.rollout.rules import RetrainRule, span_of
from tenure.store import Event, Store

BEGUN = "begun.json"
"""What a retraining was begun as, in its folder."""
PAGE = 5_000
"""Decisions of the log read at a time."""


@dataclass(frozen=True)
class Asked:
    """What the command was given: seeds and decisions per seed, and fewest new decisions; None takes the settings'."""

    seeds: int = 2
    steps: int | None = None
    least: int | None = None


def run_retrain(
    output: Output,
    project: str,
    asked: Asked,
    home: Path | None,
    why: Trigger = BY_HAND,
    fault: Callable[[str], None] = lambda _: None,
) -> int:
    """Begin a retraining, or go on with the one that was stopped; the exit code is the last step's verdict's.

    Raises:
        ConflictError: another process is at it.
        ProjectError: the problem, reward or simulator changed since it was begun.
    """
    from tenure.training.resume import held

    workspace = open_workspace(project, home)
    with held(workspace.home / "retrain", "pipeline"), workspace.store() as store:
        told = _told(workspace, store, asked, why)
        folder = workspace.home / "retrain" / told["id"]
        steps = steps_of(Retraining(output, workspace, store, folder, told))
        done = carry_out(steps, folder, fault)
    verdict = list(done.values())[-1].verdict
    output.say(f"Retraining {told['id']}: {told['trigger']['reason']}.")
    for name, one in done.items():
        output.say(f"  {one.verdict.word:<13} {name}: {one.reason}")
    version = done["train"].told["version"] if "train" in done else None
    fields = {"id": told["id"], "trigger": told["trigger"], "steps": as_json(done), "version": version}
    output.result({**fields, "verdict": verdict.word})
    return verdict.exit_code


def run_if_due(output: Output, project: str, asked: Asked, home: Path | None) -> int:
    """What cron calls: goes on with a retraining that was stopped, or begins one if a trigger fires; else nothing.

    Raises:
        SettingsError: tenure.toml has no [retrain].
    """
    workspace = open_workspace(project, home)
    rule = workspace.settings.retrain
    if rule is None:
        raise SettingsError(
            expected="a table [retrain] that says when",
            found="none",
            where=str(workspace.project.settings_path),
            fix="write one (docs/retraining.md), or leave --if-due out",
        )
    with workspace.store() as store:
        why = trigger(_facts(store, workspace.project.problem.name), _rule(rule))
    if why.kind is None and _stopped(workspace.home / "retrain") is None:
        output.say(f"Not now: {why.reason}.")
        output.result(
            {"trigger": {"kind": None, "reason": why.reason}, "steps": [], "version": None, "verdict": "pass"}
        )
        return 0
    return run_retrain(output, project, asked, home, why)


def _rule(rule: RetrainRule) -> Rule:
    every, cool_down = (span_of(span, "tenure.toml, retrain") for span in (rule.every, rule.cool_down))
    return Rule(every, rule.on_drift, rule.min_new_decisions, rule.volume or None, cool_down)


def _facts(store: Store, problem: str) -> Facts:
    """What the log says since the last retraining; before the first one, since the newest version was registered."""
    events = store.events(problem)
    last = [event for event in events if event.kind == RETRAIN]
    registered = [row.registered_at for row in store.versions(problem)]
    trained_at = last[-1].at if last else max(registered, default=None)
    after = last[-1].payload["upto"] if last else 0
    since = last[-1].sequence if last else 0
    alarms = [one for event in events if event.kind == "alarm" and event.sequence > since for one in _alarms(event)]
    return Facts(SystemClock().now(), trained_at, _new(store, problem, after), tuple(alarms))


def _alarms(event: Event) -> list[tuple[str, str]]:
    """An alarm event as triggers read it: by the monitor's name a new group, a KPI or the reward, else drift."""
    kinds = {"new group": "cohort", "kpi": "kpi", "reward": "kpi"}
    return [(kinds.get(one["monitor"], "drift"), one["what"]) for one in event.payload["alarms"]]


def _new(store: Store, problem: str, after: int) -> int:
    count = 0
    while rows := store.read_rows(problem, after_sequence=after, limit=PAGE):
        after, count = rows[-1].decision.sequence, count + len(rows)
    return count


def keep_regime(output: Output, project: str, name: str, level: str, because: str, home: Path | None) -> None:
    """Keep a level of the simulator as a past regime that no new version may forget.

    Raises:
        ProjectError: there is no such level, or the name is taken.
    """
    workspace = open_workspace(project, home)
    simulator = workspace.project.simulator
    if level not in simulator.levels:
        raise ProjectError(
            expected=f"a level of {sorted(simulator.levels)}",
            found=repr(level),
            where="--level",
            fix="name one of these; a regime that none stands for needs a level in simulator.py",
        )
    path = remember(workspace.home / "memory", Regime(name, level, because, simulator.version))
    output.say(f"Remembered {name!r}: level {level!r}. Every new version is tried on it.")
    output.result({"regime": name, "level": level, "file": str(path)})


def _told(workspace: Workspace, store: Store, asked: Asked, why: Trigger) -> dict[str, Any]:
    """What the retraining is: the one that was stopped, else one named after the log and what would learn from it."""
    problem, simulator = workspace.project.problem, workspace.project.simulator
    hashes = {"problem": problem.version, "reward": problem.reward_version, "simulator": simulator.version}
    stopped = _stopped(workspace.home / "retrain")
    if stopped is not None:
        _check_same(stopped, hashes)
        return stopped
    rule, live = workspace.settings.retrain or RetrainRule(), _live(store, problem.name)
    upto = last_decision(store, problem.name)
    told: dict[str, Any] = {
        "trigger": {"kind": why.kind, "reason": why.reason},
        "hashes": hashes,
        "live": live,
        "upto": upto,
        "least": asked.least or rule.min_new_decisions,
        "seeds": asked.seeds,
        "steps": asked.steps,
        "stay": rule.stay,
    }
    name = hashlib.sha256(json.dumps({**told, "trigger": None}, sort_keys=True).encode()).hexdigest()[:8]
    told["id"] = f"{upto:08d}-{name}"
    folder = workspace.home / "retrain" / told["id"]
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{BEGUN}"
    half.write_text(json.dumps(told, indent=1), encoding="utf-8")
    half.replace(folder / BEGUN)
    return told


def _stopped(base: Path) -> dict[str, Any] | None:
    for path in sorted(base.glob(f"*/{BEGUN}")):
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not is_ended(steps_of(None), read(path.parent)):
            return told
    return None


def _check_same(stopped: dict[str, Any], hashes: dict[str, str]) -> None:
    changed = [name for name, value in hashes.items() if stopped["hashes"][name] != value]
    if changed:
        raise ProjectError(
            expected=f"the {' and '.join(changed)} that retraining {stopped['id']} was begun with",
            found="another one",
            where=f"retrain/{stopped['id']}",
            fix="undo the change and go on, or remove this folder and retrain anew: nothing in it is live",
        )


def _live(store: Store, problem: str) -> str | None:
    return as_of(store.events(problem), SystemClock().now()).live


def last_decision(store: Store, problem: str) -> int:
    """Number of the newest decision; 0 without one."""
    last = 0
    while rows := store.read_rows(problem, after_sequence=last, limit=PAGE):
        last = rows[-1].decision.sequence
    return last
