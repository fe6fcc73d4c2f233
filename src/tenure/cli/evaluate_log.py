"""`tenure evaluate --log`: a policy valued on a log, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenure.cli.output import Output, percent
from tenure.core.errors import DataError, ProjectError

if TYPE_CHECKING:
    from tenure.core.evidence import Finding
    from tenure.core.logged import Target
    from tenure.evaluation.off_policy.valuation import OffPolicyReport
    from tenure.evaluation.off_policy.value import PolicyValue
    from tenure.store.tables.logfile import LogFile

SHOWN = 5
"""Rejected rows that are printed; all are in the file named with --rejects and in the JSON."""


@dataclass(frozen=True)
class LogQuestion:
    """What is asked: which policy, on which log, with what at hand."""

    log: str
    policy: str
    project: str | None = None
    reward_model: str | None = None
    margin: float = 0.0
    alpha: float = 0.05
    discount: float = 1.0
    least: float | None = None
    mapping: Path | None = None
    rejects: Path | None = None
    home: Path | None = None


def run_log_evaluation(output: Output, question: LogQuestion) -> int:
    """Value, judge and print; the exit code is the verdict's."""
    from tenure.evaluation.off_policy.anywhere import value
    from tenure.evaluation.off_policy.verdicts import off_policy_verdict

    log = opened(question)
    for line in log.summary:
        output.say(line)
    _check_reward(log)
    asked = (question.reward_model, question.discount, question.alpha, question.least)
    report = value(log, target_in(question, log), *asked)
    finding = off_policy_verdict(report, question.margin)
    if report.refusal is not None and finding.verdict.exit_code == 5:
        raise DataError(
            expected="a log that can be evidence", found=report.refusal.reason, where=question.log,
            fix=report.refusal.helps,
        )  # fmt: skip
    show(output, log, report, finding)
    output.result(fields(log, report, finding))
    return finding.verdict.exit_code


def _check_reward(log: LogFile) -> None:
    from tenure.store.tables.roles import how_to_map

    if log.mapping.column("reward") is None:
        found = f"none among features {sorted(log.mapping.features)}"
        action = log.mapping.column("action") or "COLUMN"
        raise DataError(expected="a column with the reward", found=found, where=log.source.name, fix=how_to_map(action))


def opened(question: LogQuestion) -> LogFile:
    """The log, with all actions of the project or policy table that it is about; rejected rows are written down."""
    from tenure.evaluation.off_policy.anywhere import open_for

    tables = (question.policy, question.reward_model)
    log = open_for(_source(question), tables, question.mapping, _actions(question), _features(question))
    if question.rejects is not None:
        from tenure.cli.log import write_rejects

        write_rejects(question.rejects, log.rejected)
    return log


def _source(question: LogQuestion) -> Any:
    """The file; of Tenure's own log the project's decisions, with its features and its reward."""
    if question.project is None or Path(question.log).suffix != ".sqlite":
        return question.log
    from tenure.core.project import load_project

    return Path(question.log), load_project(question.project).problem


def target_in(question: LogQuestion, log: LogFile) -> Target:
    """The policy: a name of the project where one is given, else one from anywhere."""
    from tenure.evaluation.off_policy.targets import PolicyTarget, target_of

    if question.project is None:
        return target_of(question.policy, log)
    from tenure.cli.workspace import open_workspace

    workspace = open_workspace(question.project, question.home)
    problem = workspace.project.problem
    try:
        policy = workspace.policy(question.policy)
    except ProjectError:
        return target_of(question.policy, log)
    return PolicyTarget(policy, log.labels, _labels(problem.action), problem.feature_names)


def _actions(question: LogQuestion) -> tuple[str, ...] | None:
    """Labels of the project's or bundle's actions; None where neither is named."""
    if question.project is not None:
        from tenure.core.project import load_project

        return _labels(load_project(question.project).problem.action)
    return tuple(_manifest(question).get("actions", ())) or None


def _features(question: LogQuestion) -> tuple[str, ...]:
    """Features of the project or bundle, which stay features whatever their names say."""
    if question.project is not None:
        from tenure.core.project import load_project

        return tuple(load_project(question.project).problem.feature_names)
    return tuple(_manifest(question).get("features", ()))


def _manifest(question: LogQuestion) -> Mapping[str, Any]:
    """Of the bundle that is asked about; empty where it is no bundle."""
    import json

    path = Path(question.policy) / "manifest.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _labels(action: Any) -> tuple[str, ...] | None:
    return getattr(action, "labels", None)


def show(output: Output, log: LogFile, report: OffPolicyReport, finding: Finding) -> None:
    """The report for people."""
    if log.rejected:
        output.say(f"{len(log.rejected)} row(s) rejected, not in the figures:")
        for row in log.rejected[:SHOWN]:
            output.say(f"  line {row.line}: {row.reason}")
    output.say(f"{finding.verdict.word.upper()}: {finding.reason}")
    table = [_row(value) for value in (report.logged, *report.estimates) if value.value is not None]
    if table:
        percents = f"{100 * (1 - report.estimates[0].alpha):g} %"
        output.table(["estimator", "value", f"low ({percents})", "high", "how"], table)
    judged, rows = report.estimate(report.judged), "rows" if report.gain else "episodes"
    output.say(
        f"{judged.n:,} {rows} of {report.units:,} units, effective {judged.ess:,.1f}, largest weight "
        f"{judged.max_weight:.4g}, {percent(report.unsupported)} of the policy's decisions without support."
    )
    _show_doubts(output, report)


def _show_doubts(output: Output, report: OffPolicyReport) -> None:
    """The interval for repeated looks, the segments, and what was assumed."""
    if report.sequence is not None:
        low, high = report.sequence.low, report.sequence.high
        output.say(f"However often one looks while the log grows: {low:.6g} to {high:.6g}.")
    elif report.refusal is None:
        output.say(f"No interval for repeated looks: {report.sequence_reason}.")
    if report.lower_bound is not None:
        sure = f"{100 * (1 - report.lower_bound.alpha):g} %"
        output.say(f"At least {report.lower_bound.low:.6g} with {sure} confidence ({report.lower_bound.method}).")
    elif report.lower_bound_reason:
        output.say(f"No lower bound: {report.lower_bound_reason}.")
    for segment in report.segments if len(report.segments) > 1 else ():
        if segment.effect is not None:
            effect = f"{segment.effect.value:+.4g} ({segment.effect.low:+.4g} to {segment.effect.high:+.4g})"
            output.say(f"  {segment.verdict}: {segment.rule} ({percent(segment.share)} of rows), {effect} a decision")
    if report.models:
        output.say("ASSUMED: propensities were not logged but modelled; the answer moves with the model:")
        rows = [
            [each.model, *_row(each.value)[1:4], f"{each.log_loss:.4f}, {each.calibration_error:.4f}"]
            for each in report.models
        ]
        output.table(["model", "value", "low", "high", "log loss, calibration error"], rows)


def fields(log: LogFile, report: OffPolicyReport, finding: Finding) -> Mapping[str, Any]:
    """The JSON object."""
    return {
        "verdict": finding.verdict.word,
        "reason": finding.reason,
        "judged": report.judged,
        "logged": report.logged.as_dict(),
        "estimates": [value.as_dict() for value in report.estimates],
        "gain": None if report.gain is None else report.gain.as_dict(),
        "sequence": None if report.sequence is None else report.sequence.as_dict(),
        "sequence_reason": report.sequence_reason,
        "lower_bound": None if report.lower_bound is None else report.lower_bound.as_dict(),
        "lower_bound_reason": report.lower_bound_reason,
        "units": report.units,
        "unsupported": report.unsupported,
        "refusal": None if report.refusal is None else {"why": report.refusal.why.value, **asdict(report.refusal)},
        "segments": [each.as_dict() for each in report.segments],
        "models": [asdict(each) for each in report.models],
        "rows": log.rows,
        "rejected": [asdict(row) for row in log.rejected],
        "summary": log.summary,
    }


def _row(value: PolicyValue) -> list[str]:
    numbers = ["-" if x is None else f"{x:.6g}" for x in (value.value, value.low, value.high)]
    return [value.estimator, *numbers, value.method]
