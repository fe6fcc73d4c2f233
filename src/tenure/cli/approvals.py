"""`tenure approvals`: what waits for a person, and their yes or no: the next share, or a single decision."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.options import Actor, Home, Json, Project, Reason
from tenure.cli.output import Output, reported

approvals_app = typer.Typer(
    help="What waits for a person: the next share of a rollout, and single decisions of high stakes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_Decision = Annotated[
    str | None, typer.Argument(metavar="[DECISION_ID]", help="a single decision; without it the share asked for")
]


@approvals_app.command("list")
def list_(project: Project, home: Home = None, json: Json = False) -> None:
    """What waits, the most urgent first."""
    output = Output(json=json)
    with reported(output):
        run_list(output, project, home)


@approvals_app.command()
def approve(
    project: Project,
    reason: Reason,
    decision_id: _Decision = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Say yes: to a share by another than who asked, to a decision in time and before any kill."""
    output = Output(json=json)
    with reported(output):
        run_approve(output, project, decision_id, reason, actor, home)


@approvals_app.command()
def reject(
    project: Project,
    reason: Reason,
    decision_id: _Decision = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Say no: the incumbent's action stands; a share that is refused pauses the rollout."""
    output = Output(json=json)
    with reported(output):
        run_reject(output, project, decision_id, reason, actor, home)


def run_list(output: Output, project: str, home: Path | None) -> None:
    """Print what waits."""
    from tenure.cli.rollout_moves import operations
    from tenure.cli.workspace import open_workspace

    with operations(open_workspace(project, home)) as verbs:
        status, pending = verbs.status(), verbs.pending()
    asked = None if status.approved is not None else status.requested
    if asked is not None:
        output.say(f"share {asked:g} of version {status.version}, asked for by {status.requested_by}")
    columns = ["decision", "until", "confidence", "rule", "proposal"]
    rows = [[p["decision_id"], p["until"], f"{p['confidence']:.3f}", p["rule"], p["proposal"]] for p in pending]
    if rows:
        output.table(columns, rows)
    if asked is None and not rows:
        output.say("Nothing waits for a person.")
    output.result(
        {"requested": asked, "requested_by": None if asked is None else status.requested_by, "pending": pending}
    )


def run_approve(
    output: Output, project: str, decision_id: str | None, reason: str, actor: str, home: Path | None
) -> None:
    """Say yes to the share asked for, or to one decision.

    Raises:
        MoveError: nothing was asked for, it is too late, a kill came between, or it is their own request.
    """
    from tenure.cli.rollout_moves import operations, who
    from tenure.cli.workspace import open_workspace

    with operations(open_workspace(project, home)) as verbs:
        if decision_id is None:
            state = verbs.approve(who(actor), reason)
            output.say(f"Approved share {state.approved:g}; the next tick promotes if the gates still pass.")
            output.result({"approved": state.approved, "by": who(actor)})
            return
        made = verbs.approve_decision(decision_id, who(actor), reason)
    output.say(f"Approved: decision {made.decision_id}, row {made.sequence}.")
    output.result({"decision_id": made.decision_id, "action": made.action, "sequence": made.sequence, "by": who(actor)})


def run_reject(
    output: Output, project: str, decision_id: str | None, reason: str, actor: str, home: Path | None
) -> None:
    """Say no to the share asked for, or to one decision.

    Raises:
        MoveError: nothing was asked for, or it was decided before.
    """
    from tenure.cli.rollout_moves import operations, who
    from tenure.cli.workspace import open_workspace

    with operations(open_workspace(project, home)) as verbs:
        if decision_id is None:
            verbs.reject(who(actor), reason)
            output.say("Rejected; the rollout is paused until somebody resumes it.")
        else:
            verbs.reject_decision(decision_id, who(actor), reason)
            output.say(f"Rejected: the incumbent's action stands for {decision_id}.")
    output.result({"rejected": decision_id or "share", "by": who(actor)})
