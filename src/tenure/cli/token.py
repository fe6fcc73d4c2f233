"""`tenure token`: who may ask the server, and what for."""

from __future__ import annotations

import getpass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tenure.cli.options import Actor, Home, Json, Project
from tenure.cli.output import Output, reported

token_app = typer.Typer(
    help="Who may ask a server that wants to know: tokens with a role, shown once, stored as digests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class RoleWord(StrEnum):
    """The roles, least first; each may also do what those before it may."""

    CLIENT = "client"
    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


@token_app.command()
def create(
    project: Project,
    role: Annotated[RoleWord, typer.Option(help="client decides, viewer looks, operator stops, approver restores")],
    name: Annotated[str, typer.Option(help="who will use it; the log calls them so")],
    days: Annotated[int | None, typer.Option(min=1, help="days until it opens nothing; default never")] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a token; it is shown here and never again."""
    output = Output(json=json)
    with reported(output):
        _create(output, project, role.value, name, days, actor or getpass.getuser(), home)


@token_app.command(name="list")
def list_(project: Project, home: Home = None, json: Json = False) -> None:
    """Every token ever made, without the tokens."""
    output = Output(json=json)
    with reported(output):
        _list(output, project, home)


@token_app.command()
def revoke(
    project: Project,
    name: Annotated[str, typer.Argument(metavar="NAME", help="whose token")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a token back, with every session made from it; servers know within a second."""
    output = Output(json=json)
    with reported(output):
        _revoke(output, project, name, actor or getpass.getuser(), home)


def _create(
    output: Output, project: str, role: str, name: str, days: int | None, actor: str, home: Path | None
) -> None:
    from tenure.cli.workspace import open_workspace
    from tenure.core.clock import SystemClock, to_text
    from tenure.store import Event
    from tenure.store.tokens import Tokens

    workspace, now = open_workspace(project, home), SystemClock().now()
    problem, expires = workspace.project.problem.name, None if days is None else now + timedelta(days=days)
    with workspace.store() as store:
        token = Tokens(store).create(name, role, actor, now, expires)
        payload = {"name": name, "role": role, "expires": None if expires is None else to_text(expires)}
        store.append_event(Event(problem, "token", actor, f"created for {name} as {role}", now, payload))
    output.say(token)
    output.say(f"For {name} as {role}. It is stored as a digest only: write it down now.")
    output.result({"token": token, **payload})


def _list(output: Output, project: str, home: Path | None) -> None:
    from tenure.cli.workspace import open_workspace
    from tenure.core.clock import SystemClock, to_text
    from tenure.store.tokens import Tokens

    with open_workspace(project, home).store() as store:
        tokens = Tokens(store).list()
    now = SystemClock().now()
    rows = [
        {
            "name": token.name,
            "role": token.role,
            "opens": token.opens(now),
            "created_at": to_text(token.created_at),
            "created_by": token.created_by,
            "expires_at": None if token.expires_at is None else to_text(token.expires_at),
            "revoked_at": None if token.revoked_at is None else to_text(token.revoked_at),
        }
        for token in tokens
    ]
    output.table(
        ["name", "role", "made", "by", ""],
        [
            [token.name, token.role, f"{token.created_at:%Y-%m-%d}", token.created_by, _state(row["opens"] is True)]
            for token, row in zip(tokens, rows, strict=True)
        ],
    )
    output.result({"tokens": rows})


def _state(opens: bool) -> str:
    return "opens" if opens else "revoked or expired"


def _revoke(output: Output, project: str, name: str, actor: str, home: Path | None) -> None:
    from tenure.cli.workspace import open_workspace
    from tenure.core.clock import SystemClock
    from tenure.store import Event
    from tenure.store.tokens import Tokens

    workspace, now = open_workspace(project, home), SystemClock().now()
    with workspace.store() as store:
        Tokens(store).revoke(name, now)
        problem = workspace.project.problem.name
        store.append_event(Event(problem, "token", actor, f"revoked from {name}", now, {"name": name}))
    output.say(f"Revoked: {name}. Servers know within a second.")
    output.result({"revoked": name})
