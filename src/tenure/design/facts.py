"""What the records of a project show of its road: assessment, reward, simulator, runs, readings, rollout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tenure.core.clock import to_text
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.project import Project
from tenure.design.reward.record import changed_sources, current_pass, read_result, write_whole
from tenure.rollout import fold
from tenure.rollout.ready import ready_findings
from tenure.rollout.rules import Ready
from tenure.rollout.settings import Settings
from tenure.rollout.stages import RolloutState, Stage
from tenure.rollout.status import blocked_by
from tenure.simulators import check_simulator
from tenure.store import Control, Event, VersionRow
from tenure.training.record import RunRecord, read_record

ASSESSMENT, SIMULATOR = "assess.json", "simulator.json"
"""Files of a problem's runtime files: the newest assessment, and the newest check of the simulator."""
SEEDS = 5
"""Training seeds from which a result is told from luck."""


@dataclass(frozen=True)
class Live:
    """What the log holds of a rollout; nothing in a folder that never ran.

    Args:
        control: the head row; None without a log.
        events: of the problem, in order.
        versions: registered.
        reads: how often the held-out data was read.
        stopped: the stop file is engaged.
    """

    control: Control | None = None
    events: Sequence[Event] = ()
    versions: Sequence[VersionRow] = ()
    reads: int = 0
    stopped: bool = False


def gather(project: Project, home: Path, settings: Settings, live: Live, now: datetime) -> dict[str, Finding]:
    """Every fact the checklist asks for.

    Args:
        project: the project.
        home: folder of the problem's runtime files; need not exist.
        settings: of its tenure.toml.
        live: what the log holds.
        now: UTC.

    Raises:
        ProjectError: a record is damaged.
    """
    run = _newest_run(home / "runs")
    findings = [
        _assessed(project, home),
        current_pass(project, home),
        _audited(project, home),
        _simulated(project, home, now),
        *_trained(project, run),
        _read(live.reads),
        _exploring(project, settings, live),
        *_rollout(settings, live, now),
    ]
    return {finding.gate: finding for finding in findings}


def chosen_version(home: Path) -> str:
    """The version that the newest run chose; "VERSION", for a person to fill in, where nothing was trained.

    Args:
        home: folder of the problem's runtime files; need not exist.

    Raises:
        ProjectError: the run's record is damaged.
    """
    run = _newest_run(home / "runs")
    return run.chosen if run else "VERSION"


def keep_assessment(home: Path, fields: Mapping[str, Any], problem_version: str, at: datetime) -> None:
    """Keep the newest assessment of a project, so that the checklist knows of it.

    Args:
        home: folder of the problem's runtime files.
        fields: of the assessment; at least `verdict` and `recommendation`.
        problem_version: of what was assessed.
        at: when, UTC.
    """
    write_whole(home / ASSESSMENT, {**fields, "problem_version": problem_version, "at": to_text(at)})


def _assessed(project: Project, home: Path) -> Finding:
    found = _read_json(home / ASSESSMENT, ("verdict", "recommendation", "problem_version", "at"), "tenure assess")
    if found is None:
        return Finding("assessed", Verdict.INCONCLUSIVE, "the use case was not assessed yet")
    if found["problem_version"] != project.problem.version:
        return Finding("assessed", Verdict.INCONCLUSIVE, "the problem changed since it was assessed")
    passed = found["verdict"] == Verdict.PASS.word
    told = f"assessed on {found['at'][:10]}: {'' if passed else found['verdict'] + ', '}{found['recommendation']}"
    if passed:
        return Finding("assessed", Verdict.PASS, told)
    return Finding("assessed", Verdict.FAIL, f"{told}; {found.get('reason', '')}; asked again it says the same")


def _audited(project: Project, home: Path) -> Finding:
    found = read_result(home, "audit")
    if found is None:
        return Finding("reward_audit", Verdict.INCONCLUSIVE, "nobody has looked for exploits of the reward")
    changed = changed_sources(project, found)
    if changed:
        return Finding("reward_audit", Verdict.INCONCLUSIVE, f"{' and '.join(changed)} changed since the last audit")
    broken = [each["gate"] for each in found["findings"] if each["verdict"] != Verdict.PASS.word]
    told = f"the audit of {found['at'][:10]} "
    if found["verdict"] == Verdict.PASS.word:
        return Finding("reward_audit", Verdict.PASS, f"{told}passed")
    return Finding("reward_audit", Verdict.FAIL, f"{told}holds on {', '.join(broken)}; mend the reward and check again")


def _simulated(project: Project, home: Path, now: datetime) -> Finding:
    """The newest check of this simulator on this problem; made and kept where there is none."""
    if not (project.folder / "simulator.py").exists():
        return Finding("simulator", Verdict.FAIL, f"there is no simulator.py in {project.folder}")
    path, versions = home / SIMULATOR, [project.problem.version, project.simulator.version]
    found = _read_json(path, ("versions", "broken", "at"), "tenure next")
    if found is None or found["versions"] != versions:
        broken = [f"{each.gate}: {each.reason}" for each in _judged(project)]
        found = {"versions": versions, "broken": broken, "at": to_text(now)}
        write_whole(path, found)
    if found["broken"]:
        return Finding("simulator", Verdict.FAIL, "; ".join(found["broken"]))
    return Finding("simulator", Verdict.PASS, f"simulator {versions[1]} kept its contract on {found['at'][:10]}")


def _judged(project: Project) -> list[Finding]:
    """Promises the simulator breaks; that worlds with chance cannot be compared with singles is no break."""
    return [each for each in check_simulator(project.problem, project.simulator) if each.verdict is Verdict.FAIL]


def _newest_run(runs: Path) -> RunRecord | None:
    finished = sorted(runs.glob("*/record.json"), key=lambda path: path.stat().st_mtime)
    return read_record(finished[-1].parent) if finished else None


def _trained(project: Project, run: RunRecord | None) -> list[Finding]:
    """Facts `run`, `seeds` and `gain` of the newest run, which must be one on the problem as it is now."""
    stale = "nothing was trained yet" if run is None else _changed(project, run)
    if run is None or stale:
        return [Finding(gate, Verdict.INCONCLUSIVE, stale) for gate in ("run", "seeds", "gain")]
    count, gain = len(run.seeds), run.gain
    interval = f"{100 * gain['value']:.1f} % ({100 * gain['low']:.1f} to {100 * gain['high']:.1f} %)"
    proven = Verdict.PASS if gain["low"] > 0 else Verdict.INCONCLUSIVE
    word = "gains" if proven is Verdict.PASS else "does not yet provably gain:"
    return [
        Finding("run", Verdict.PASS, f"run {run.run} chose version {run.chosen}"),
        Finding(
            "seeds",
            Verdict.PASS if count >= SEEDS else Verdict.INCONCLUSIVE,
            f"{count} of {SEEDS} seeds, each at {run.steps_per_s:,.0f} steps/s",
        ),
        Finding("gain", proven, f"version {run.chosen} {word} {interval} over the incumbent on the selection data"),
    ]


def _changed(project: Project, run: RunRecord) -> str:
    problem = project.problem
    then = {"problem": run.problem_version, "reward": run.reward_version, "simulator": run.simulator_version}
    now = {"problem": problem.version, "reward": problem.reward_version, "simulator": project.simulator.version}
    changed = [f"the {name}" for name in then if then[name] != now[name]]
    return f"{' and '.join(changed)} changed since run {run.run}" if changed else ""


def _read(reads: int) -> Finding:
    if not reads:
        return Finding("held_out", Verdict.INCONCLUSIVE, "the held-out data was not read yet")
    return Finding("held_out", Verdict.PASS, f"the held-out data was read {reads} time(s)")


def _exploring(project: Project, settings: Settings, live: Live) -> Finding:
    set_live = fold(live.events).exploration
    if set_live is None and not project.settings_path.exists():
        return Finding("exploration", Verdict.INCONCLUSIVE, "nobody has said how much live decisions may explore")
    rate = settings.rollout.exploration if set_live is None else set_live
    where = "tenure.toml" if set_live is None else "a person's word in the log"
    return Finding("exploration", Verdict.PASS, f"{100 * rate:g} % of live learned decisions, by {where}")


def _rollout(settings: Settings, live: Live, now: datetime) -> list[Finding]:
    """Facts `started`, `alert`, `drill`, `shadowed`, `approved`, `complete` and `retrained`."""
    state = fold(live.events)
    held = blocked_by(state, live.control, live.events, live.stopped) if live.control else ["there is no log yet"]
    why = "; ".join(held)
    left = state.stage in (Stage.CANARY, Stage.FULL)
    begun = left or state.stage is Stage.SHADOW
    asked = state.requested is not None and state.approved is None
    return [
        _fact("started", begun, _since(state), "no candidate is in SHADOW"),
        *_ready(settings, live.events, now),
        _fact("shadowed", left, f"version {state.version} left SHADOW", why),
        _fact("approved", left and not asked, "nothing waits for approval", why),
        _fact("complete", state.complete, f"version {state.version} has all traffic", why),
        _retrained(state, live.versions),
    ]


def _since(state: RolloutState) -> str:
    return f"version {state.version} started on {state.started_at:%Y-%m-%d}" if state.started_at else ""


def _ready(settings: Settings, events: Sequence[Event], now: datetime) -> list[Finding]:
    """Facts `alert` and `drill`, as far as the settings ask for them."""
    asked = Ready(settings.ready.alert, settings.ready.drill_days, 0.0)
    found = {each.gate.removeprefix("ready "): each for each in ready_findings(asked, events, (), now)}
    return [
        Finding(gate, worst([found[gate].verdict]), found[gate].reason)
        if gate in found
        else Finding(gate, Verdict.PASS, f"tenure.toml asks for no {gate}")
        for gate in ("alert", "drill")
    ]


def _retrained(state: RolloutState, versions: Sequence[VersionRow]) -> Finding:
    live = next((row for row in versions if row.version == state.version), None)
    newer = [row for row in versions if live and state.complete and row.registered_at > live.registered_at]
    told = f"version {newer[-1].version} was trained after the live one" if newer else ""
    return _fact("retrained", bool(newer), told, "nothing was trained since the live version")


def _fact(gate: str, passed: bool, shown: str, why: str) -> Finding:
    return Finding(gate, Verdict.PASS, shown) if passed else Finding(gate, Verdict.INCONCLUSIVE, why)


def _read_json(path: Path, needed: Sequence[str], command: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _ = [found[name] for name in needed]
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            expected=f"what `{command}` wrote",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix=f"delete the file, then run `{command}` again",
        ) from error
    return found
