"""What the rollout commands do: open the log, call the verb, show where the rollout stands."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tenure.cli.alerting import courier_of
from tenure.cli.output import Output, percent
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock, from_text
from tenure.core.errors import BundleError, MoveError, UnknownError
from tenure.core.evidence import Verdict, worst
from tenure.rollout import Operations, Status
from tenure.rollout.settings import NO_RULE
from tenure.store import BundlePolicy


@contextmanager
def operations(workspace: Workspace, *, judging: bool = False) -> Iterator[Operations]:
    """The verbs over a project's log; `judging` brings replays and the selection data along.

    Raises:
        StoreError: the log cannot be opened.
    """
    found = None
    if judging:
        from tenure.cli.services import services

        found = services(workspace)
    with workspace.store() as store:
        problem, settings = workspace.project.problem, workspace.settings
        yield Operations(problem, settings, store, SystemClock(), services=found, stop=workspace.stop)


def who(actor: str) -> str:
    """The name given, else the login name."""
    return actor or getpass.getuser()


def run_status(output: Output, project: str, home: Path | None) -> None:
    """Where the rollout stands."""
    with operations(open_workspace(project, home)) as verbs:
        _show(output, verbs.status())


def run_move(output: Output, verb: str, project: str, reason: str, actor: str, home: Path | None) -> None:
    """A verb that takes an actor and a reason.

    Raises:
        MoveError: the rollout does not have this move here.
    """
    with operations(open_workspace(project, home)) as verbs:
        getattr(verbs, verb)(who(actor), reason)
        _show(output, verbs.status())


def run_explore(output: Output, project: str, rate: float | None, reason: str, actor: str, home: Path | None) -> None:
    """Set the rate of live exploration."""
    with operations(open_workspace(project, home)) as verbs:
        verbs.explore(who(actor), rate, reason)
        _show(output, verbs.status())


def run_start(output: Output, project: str, version: str, reason: str, actor: str, home: Path | None) -> int:
    """Ask for SHADOW; returns the exit code.

    Raises:
        UnknownError: there is no such version.
        BundleError: it is damaged.
    """
    workspace = open_workspace(project, home)
    _check_known(workspace, version)
    _check_served(workspace.bundle(version))
    with operations(workspace, judging=True) as verbs:
        findings = verbs.start(version, who(actor), reason)
        verdict = worst(finding.verdict for finding in findings)
        for finding in findings:
            output.say(f"{finding.verdict.word:<13} {finding.gate}: {finding.reason}")
        if not findings:
            output.say("Refused: tenure.toml has no [[promote]] to = 0 that the selection data could pass.")
        told = {"verdict": verdict.word, "findings": [finding.as_dict() for finding in findings]}
        _show(output, verbs.status(), told)
    return verdict.exit_code


def _check_served(policy: BundlePolicy) -> None:
    if policy.history is not None:
        raise BundleError(
            expected="a bundle that is shown one observation",
            found=f"one that is shown the newest {policy.history.steps}, which requests of this problem do not bring",
            where=policy.version,
            fix="state the window in problem.py, so that requests bring it and the log keeps it: docs/history.md",
        )


def _check_known(workspace: Workspace, version: str) -> None:
    if not workspace.has(version):
        known = workspace.known()
        raise UnknownError(
            expected=f"one of the versions {known}" if known else "a version, of which there is none yet",
            found=repr(version),
            where=str(workspace.bundles),
            fix="see `tenure versions`" if known else "train one first: tenure train",
        )


def run_promote(output: Output, project: str, reason: str, actor: str, home: Path | None) -> int:
    """The next step, or what holds it; returns the exit code: 3 where a gate holds."""
    with operations(open_workspace(project, home), judging=True) as verbs:
        try:
            verbs.promote(who(actor), reason)
        except MoveError as error:
            output.say(f"Not promoted: {error.found}")
            _show(output, verbs.status(), {"verdict": Verdict.INCONCLUSIVE.word, **error.as_dict()})
            return Verdict.INCONCLUSIVE.exit_code
        _show(output, verbs.status(), {"verdict": Verdict.PASS.word})
    return Verdict.PASS.exit_code


def run_tick(output: Output, project: str, home: Path | None) -> int:
    """`tenure tick`: one look at the evidence, at most one step; returns the exit code of the gates' verdict.

    Raises:
        MoveError: another tick runs.
        FencedError: a kill or another's move came while the evidence was judged.
    """
    workspace = open_workspace(project, home)
    with operations(workspace, judging=True) as verbs:
        tick = verbs.tick()
        blocked = verbs.status().blocked_by if tick.state.killed else tick.blocked_by
        courier_of(verbs.problem.name, workspace.settings, verbs.store, verbs.clock).step()
    step, state = tick.step, tick.state
    judged = bool(tick.gate or tick.guardrails)
    verdict = tick.verdict if judged else Verdict.PASS
    if step is not None:
        output.say(f"{step.move.value}{'' if step.to is None else f' to {percent(step.to)}'}: {step.reason}")
    else:
        killed = ", KILLED" if state.killed else ""
        output.say(f"No step in stage {state.stage.value} at {percent(state.share)}{killed}.")
    for reason in blocked:
        output.say(f"  {reason}")
    output.result(
        {
            "steps": [] if step is None else [{"move": step.move.value, "to": step.to, "reason": step.reason}],
            "version": state.version,
            "verdict": verdict.word,
            "stage": state.stage.value,
            "share": state.share,
            "blocked_by": blocked,
        }
    )
    return 0 if step is not None else verdict.exit_code


def _show(output: Output, status: Status, also: Mapping[str, object] | None = None) -> None:
    """A status for people, and the same as JSON."""
    killed = "  KILLED" if status.killed else ""
    rate, explored = status.exploration["rate"], status.exploration["explored_share"]
    lines = [
        ("stage", f"{status.stage}, share {percent(status.share)}, live {percent(status.live_share)}{killed}"),
        ("version", status.version or "none"),
        ("next", f"{_share(status.next)}{'' if status.ruled else f', {NO_RULE}'}"),
        *(("held", reason) for reason in status.blocked_by),
        ("exploration", f"{percent(rate or 0.0)}, explored so far {_share(explored)}"),
        ("pending", str(status.pending)),
    ]
    for name, text in lines:
        output.say(f"{name:<12} {text}")
    if status.breakers:
        figures = [(b.name, b.state, _figure(b.value), f"{b.limit:g}", f"{b.seen}/{b.needed}") for b in status.breakers]
        output.table(["breaker", "state", "now", "limit", "seen"], figures)
    output.history([(from_text(e["at"]), e["kind"], e["actor"], e["reason"]) for e in status.history])
    output.result({**(also or {}), **status.as_dict()})


def _share(share: float | None) -> str:
    return "none" if share is None else percent(share)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
