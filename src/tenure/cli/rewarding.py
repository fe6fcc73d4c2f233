"""What `tenure reward` runs: check, audit, document and diff, told to people and to programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tenure.cli.output import Output
from tenure.cli.workspace import open_workspace
from tenure.core.clock import SystemClock
from tenure.core.project import Project, load_project
from tenure.design.reward.check import RewardCheck, check_reward, known_conducts
from tenure.design.reward.record import argument_of, sources_of, write_result
from tenure.design.reward.summary import alike_words

MOVING = 4
"""Features that are shown beside a step, of those that change along the way."""


def run_check(output: Output, project: str, home: Path | None) -> int:
    """Check, keep the result, and give the exit code."""
    workspace = open_workspace(project, home)
    sources = sources_of(workspace.project)
    problem, found = workspace.project.problem, check_reward(workspace.project)
    fields = found.as_dict(problem)
    write_result(workspace.project, workspace.home, "check", fields, SystemClock().now(), sources)
    _tell_findings(output, fields["findings"])
    _tell_behaviours(output, workspace.project, found)
    output.say(f"\n{found.verdict.word}: {_next(found, workspace.project)}")
    output.result({**fields, "problem": problem.name, "reward_version": problem.reward_version})
    return found.verdict.exit_code


def run_audit(output: Output, project: str, seed: int, home: Path | None) -> int:
    """Audit, keep the result with the tables it rests on, and give the exit code."""
    from tenure.design.reward.audit import audit
    from tenure.design.reward.static import static_tables

    workspace = open_workspace(project, home)
    problem, sources = workspace.project.problem, sources_of(workspace.project)
    found = audit(workspace.project, seed=seed, report=lambda line: output.say(f"... {line}"))
    check = check_reward(workspace.project)
    tables = static_tables(problem.reward, known_conducts(workspace.project, check))
    fields = {**found.as_dict(problem), **tables, "scenarios": check.as_dict(problem)["margins"]}
    write_result(workspace.project, workspace.home, "audit", fields, SystemClock().now(), sources)
    _tell_findings(output, fields["findings"])
    for number, exploit in enumerate(fields["exploits"], 1):
        tell_exploit(output, number, exploit)
    first = "" if found.verdict.exit_code == 0 else "mend what is named and audit again; the page of this audit is "
    output.say(f"\n{found.verdict.word}, in {found.seconds:.1f} s. Next: {first}tenure reward doc {project}")
    output.result({**fields, "problem": problem.name, "reward_version": problem.reward_version})
    return found.verdict.exit_code


def run_doc(output: Output, project: str, out: Path | None, form: Literal["html", "md"], home: Path | None) -> None:
    """Write the page for the risk officer."""
    from tenure.console.reward import write_reward_page
    from tenure.design.reward.document import current_audit, reward_document

    workspace = open_workspace(project, home)
    audit = current_audit(workspace.project, workspace.home)
    document = reward_document(workspace.project, workspace.home)
    path = write_reward_page(document, out or Path(f"reward.{form}"), form)
    output.say(f"{document.title}: {path}")
    fields = {"document": str(path), "verdict": document.verdict.word, "reward_version": document.reward_version}
    output.result({**fields, "findings": audit["findings"], "exploits": audit["exploits"]})


def run_diff(output: Output, before: str, after: str, log: str | None, mapping: Path | None = None) -> int:
    """Say what a change of the reward does; the exit code is the verdict's on the new reward."""
    from tenure.design.reward.diff import needed_signals, reward_diff
    from tenure.design.reward.scored import open_signals

    one, two = load_project(before), load_project(after)
    opened = None if log is None else open_signals(log, one.problem, needed_signals(one, two), mapping)
    for line in opened.taken if opened is not None else ():
        output.say(line)
    found = reward_diff(one, two, opened, SystemClock())
    for line in found.lines():
        output.say(line)
    output.result(found.as_dict())
    return found.verdict.exit_code


def tell_exploit(output: Output, number: int, exploit: Mapping[str, Any]) -> None:
    """One exploit: what it does, what it is paid for, whom it hurts, what to mend."""
    harm = exploit["harm"]
    output.heading(f"Exploit {number}: {exploit['behaviour']} (found by {exploit['found_by']})")
    output.say(
        f"The reward ranks it {exploit['gain']['value']:+.4g} per world over the incumbent; {harm['name']} is "
        f"{harm['value']:.4g} {harm['unit']} (incumbent {harm['reference']:.4g}, acceptable to {harm['bound']:.4g})."
    )
    output.say(alike_words(exploit))
    rows = [(name, f"{usual:.4g}", f"{paid:.4g}", "") for name, (usual, paid) in exploit["by_term"].items()]
    output.table(("reward by term, per world", "incumbent", "exploit", ""), rows)
    _tell_steps(output, exploit["steps"])
    output.say(f"Mend the term over {exploit['term']}: {exploit['advice']}.")


def _tell_steps(output: Output, steps: Sequence[Mapping[str, Any]]) -> None:
    if not steps:
        return
    signals, terms = list(steps[0]["signals"]), list(steps[0]["reward"])
    columns = ("step", "action", *signals, *(f"pay for {name}" for name in terms), "features that moved")
    moving = [name for name in steps[0]["features"] if len({step["features"][name] for step in steps}) > 1]
    rows = []
    for step in steps:
        values = [step["signals"][name] for name in signals] + [step["reward"][name] for name in terms]
        seen = ", ".join(f"{name} {step['features'][name]:.4g}" for name in moving[:MOVING])
        rows.append((str(step["step"]), str(step["action"]), *map(_figure, values), seen))
    output.table(columns, rows)


def _tell_findings(output: Output, findings: Sequence[Mapping[str, Any]]) -> None:
    output.table(("gate", "verdict", "why"), [(each["gate"], each["verdict"], each["reason"]) for each in findings])


def _tell_behaviours(output: Output, project: Project, found: RewardCheck) -> None:
    if not found.conducts:
        return
    problem = project.problem
    rows = [
        (
            each.name,
            _figure(float(each.returns(problem.reward).mean())),
            *(_figure(each.kpi(kpi)) for kpi in problem.kpis),
            "",
        )
        for each in found.conducts
    ]
    output.heading("Behaviours")
    output.table(("behaviour", "return", *(kpi.name for kpi in problem.kpis), ""), rows)


def _figure(value: float) -> str:
    """Four digits; a KPI over nothing has none, and 0 has no sign."""
    return "-" if math.isnan(value) else f"{value + 0.0:.4g}"


def _next(found: RewardCheck, project: Project) -> str:
    if found.verdict.exit_code == 0:
        return f"next, tenure reward audit {argument_of(project)}"
    return "mend what is named, and check again"
