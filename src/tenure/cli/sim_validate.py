"""`tenure sim validate`: the simulator against a log of real decisions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.cli.output import Output
from tenure.cli.sim_check import place_of, sound_parts, tell_incidents
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict
from tenure.core.policy import Policy
from tenure.simulators.check_parts import blamed, require_form
from tenure.simulators.fidelity.gaps import Gap
from tenure.simulators.fidelity.late import Leak
from tenure.simulators.fidelity.validation import INCUMBENT, Question, Validation, validate
from tenure.store.tables.trajectories import Opened, open_trajectories

MOST = 500_000
"""Decisions of a log that are compared; of a longer one, whole episodes."""
SHOWN = 12
"""Findings of one kind that people are shown; all are in the JSON."""


@dataclass(frozen=True)
class Asked:
    """What the command was given: a log, a version or rule, the drops that leave it open and that fail, as shares."""

    log: str
    policy: str | None
    doubted: float
    fails: float


def run_sim_validate(output: Output, project: str, asked: Asked, home: Path | None) -> int:
    """Compare and print; the exit code is the verdict's."""
    workspace = open_workspace(project, home)
    problem, simulator = workspace.project.problem, sound_parts(workspace.project)
    opened = open_trajectories(asked.log, problem, MOST)
    log = opened.trajectories
    judged, policies = _policies(workspace, asked.policy)
    output.say(f"... {len(log):,} decisions in {log.episodes} episodes; {len(policies)} policies at hand")
    if opened.share < 1:
        output.say(
            f"The log has {opened.read:,} decisions: 1 episode in {1 / opened.share:.0f} is compared, by its name."
        )
    _show_rejected(output, opened)
    question = Question(problem, simulator, log, policies, (judged,), doubted=asked.doubted, fails=asked.fails)
    require_form(problem, simulator, place_of(workspace.project))
    with blamed(problem, simulator, place_of(workspace.project)):
        found = validate(question)
    digest = _digest(Path(asked.log))
    _show(output, found, judged)
    output.say(f"Simulator {found.simulator}; log {Path(asked.log).name}, SHA-256 {digest}.")
    output.say(f"\n{found.verdict.word}: {_next(found)}")
    incidents = tell_incidents(output, simulator)
    output.result(
        {
            "policy": judged,
            "log": digest,
            "log_rows": opened.read,
            "log_share": opened.share,
            "rejected": _rejected(opened),
            **found.as_dict(),
            "incidents": incidents,
        }
    )
    return found.verdict.exit_code


def _show_rejected(output: Output, opened: Opened) -> None:
    if opened.rejected:
        output.say(f"{len(opened.rejected):,} row(s) rejected, not in the figures:")
        for row in opened.rejected[:SHOWN]:
            output.say(f"- line {row.line}: {row.reason}")


def _rejected(opened: Opened) -> list[dict[str, Any]]:
    return [{"line": row.line, "reason": row.reason} for row in opened.rejected]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _policies(workspace: Workspace, named: str | None) -> tuple[str, Mapping[str, Policy]]:
    """The policy that is judged, and all at hand: incumbent, rules, the seeds of the newest run, and the one named."""
    from tenure.training.record import latest_run

    policies: dict[str, Policy] = {INCUMBENT: workspace.project.incumbent, **workspace.project.rules}
    try:
        run = latest_run(workspace.runs)
    except ProjectError:
        chosen = INCUMBENT
    else:
        chosen = run.chosen
        policies |= {seed.version: workspace.bundle(seed.version) for seed in run.seeds}
    judged = named or chosen
    return judged, policies if judged in policies else {**policies, judged: workspace.policy(judged)}


def _show(output: Output, found: Validation, judged: str) -> None:
    output.say(f"Logged by {found.logged_by}; {found.units} {found.unit}s are counted.")
    if judged == INCUMBENT:
        output.say("No trained policy is named, and no run is at hand: the incumbent alone is judged.")
    if found.gaps:
        output.heading("Value in the simulator and on real data (a positive gap: the simulator is too good)")
        columns = ("policy", "KPI", "simulated", "real", "gap (95 %)", "real value by")
        output.table(columns, [_gap_row(gap) for gap in found.gaps])
    output.say(f"\nRanking: {found.ranking.reason}.")
    _show_leaks(output, found)
    _show_findings(output, found)
    if found.in_short:
        output.say(f"\nIn short: {found.in_short}.")


def _gap_row(gap: Gap) -> tuple[str, ...]:
    told = f"{gap.relative:+.1%} ({gap.low:+.1%} to {gap.high:+.1%})"
    return gap.policy, gap.kpi, f"{gap.simulated:.4g}", f"{gap.real:.4g}", told, gap.method


def _show_leaks(output: Output, found: Validation) -> None:
    if not found.leaks:
        return
    kpi, unit = found.leaks[0].kpi, found.leaks[0].unit
    output.heading(f"What the policy loses when a feature comes late ({kpi}, {unit})")
    output.table(("feature", "steps late", "loss (95 %)", "in the log"), [_leak_row(leak) for leak in found.leaks])


def _leak_row(leak: Leak) -> tuple[str, ...]:
    cost = leak.cost
    when = f"{leak.ahead} step(s) later than in the simulator" if leak.ahead else ""
    return leak.feature, str(leak.steps), f"{cost.value:+.4g} ({cost.low:+.4g} to {cost.high:+.4g})", when


def _show_findings(output: Output, found: Validation) -> None:
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        told = [finding for finding in found.findings if finding.verdict is verdict]
        if told:
            output.heading(f"{verdict.word}: {len(told)} finding(s)")
            for finding in told[:SHOWN]:
                output.say(f"- {finding.reason}.")
            if len(told) > SHOWN:
                output.say(f"- and {len(told) - SHOWN} more: {', '.join(each.gate for each in told[SHOWN:])}.")
    passed = Counter(_kind(finding) for finding in found.findings if finding.verdict is Verdict.PASS)
    output.say("\nPassed: " + (", ".join(f"{kind} {count}" for kind, count in passed.items()) or "nothing") + ".")


def _kind(finding: Finding) -> str:
    return finding.gate.partition(":")[0]


def _next(found: Validation) -> str:
    if found.verdict is Verdict.PASS:
        return "the simulator is like this log, as far as the log tells"
    if found.verdict is Verdict.FAIL:
        return "mend the fields that are named, train again, and validate again"
    return "log more, or what is named, and validate again"
