"""The operator's page: where the problem stands, and the forms that stop it, restore it and answer what waits.

Plain HTML made on the server, no script, nothing from elsewhere; it reads on a phone. When the log cannot be read it
says so, and STOP still works.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from tenure.console.report import environment
from tenure.core.errors import AccessError, StoreError, TenureError
from tenure.rollout.kill import Killed
from tenure.serving.access import COOKIE, Role, TokenAccess
from tenure.serving.api import Call, Desk, Operation, Refusals
from tenure.serving.api.bodies import Text, Word
from tenure.serving.api.moves import actor_of
from tenure.store.outbox import Delivery, Outbox
from tenure.store.records import Event
from tenure.store.replicas import Replica, Replicas
from tenure.store.tokens import SESSION_FOR

LAST_EVENTS, LAST_ALERTS = 20, 10

DOUBTS = {
    "stop_file": "The STOP file is engaged: only the incumbent answers here.",
    "lease": "This server has not seen the log for a while: only the incumbent answers here.",
    "log_unavailable": "This server cannot read the log: only the incumbent answers here.",
}
"""What a server says of itself while its view of the log may not be trusted."""


class Token(Struct, frozen=True):
    """What the login form sends."""

    token: str


class Pressed(Struct, frozen=True):
    """A button without words."""

    csrf: str = ""


class Said(Struct, frozen=True):
    """A button with a reason; `actor` only where nobody logs in."""

    reason: Text
    actor: Word = ""
    csrf: str = ""


class Answered(Struct, frozen=True):
    """A button beside what waits: a single decision, or the share asked for where there is none."""

    reason: Text
    decision_id: str = ""
    actor: Word = ""
    csrf: str = ""


@dataclass(frozen=True)
class Facts:
    """What the log says now.

    Args:
        status: of the rollout.
        events: the last ones, newest first.
        alerts: the last ones, newest first.
        replicas: servers heard of lately.
        pending: single decisions that wait for a person.
    """

    status: dict[str, Any]
    events: list[Event]
    alerts: list[Delivery]
    replicas: list[Replica]
    pending: list[Any]


def page(call: Call) -> Response:
    """Where the problem stands."""
    return _shown(call)


def stop(call: Call) -> Response:
    """Stop the learned policy, and say who confirmed."""
    killed = call.desk.verbs.kill(actor_of(call), call.body.reason)
    return _shown(call, killed=killed)


def restore(call: Call) -> Response:
    """Lift a kill."""
    call.desk.verbs.restore(actor_of(call), call.body.reason)
    return _back()


def approve(call: Call) -> Response:
    """Allow what waits."""
    verbs, asked = call.desk.verbs, call.body
    if asked.decision_id:
        verbs.approve_decision(asked.decision_id, actor_of(call))
    else:
        verbs.approve(actor_of(call), asked.reason)
    return _back()


def reject(call: Call) -> Response:
    """Refuse what waits."""
    verbs, asked = call.desk.verbs, call.body
    if asked.decision_id:
        verbs.reject_decision(asked.decision_id, actor_of(call), asked.reason)
    else:
        verbs.reject(actor_of(call), asked.reason)
    return _back()


def login_form(call: Call) -> Response:
    """Ask for a token; where nobody logs in there is nothing to ask."""
    if not isinstance(call.desk.access, TokenAccess):
        return _back()
    return _html("login.html.j2", problem=call.desk.problem)


def log_in(call: Call) -> Response:
    """A session for a token."""
    access, response = call.desk.access, _back()
    if isinstance(access, TokenAccess):
        secret = access.log_in(call.scope, call.body.token.strip().encode())
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(SESSION_FOR.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=call.desk.secure,
        )
    return response


def log_out(call: Call) -> Response:
    """End the session."""
    access, response = call.desk.access, _back("/login")
    if isinstance(access, TokenAccess):
        access.log_out(call.scope)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=call.desk.secure)
    return response


def style(_: Call) -> Response:
    """The page's looks; a file of its own, since nothing inline is allowed."""
    return Response(_style(), media_type="text/css")


def refused(error: TenureError) -> Response:
    """An error as a page; whoever is not logged in is asked to."""
    if isinstance(error, AccessError):
        return _back("/login")
    return _html("refused.html.j2", error.http_status, error=error)


def facts(desk: Desk) -> Facts:
    """What the log says now.

    Raises:
        StoreError: it cannot be read.
    """
    store, problem, now = desk.service.store, desk.problem, desk.service.clock.now()
    return Facts(
        desk.verbs.status().as_dict(),
        store.events(problem)[: -LAST_EVENTS - 1 : -1],
        Outbox(store).all(problem)[: -LAST_ALERTS - 1 : -1],
        Replicas(store).live(problem, now),
        list(desk.verbs.pending()),
    )


def _shown(call: Call, killed: Killed | None = None) -> Response:
    found, fault = None, ""
    try:
        found = facts(call.desk)
    except StoreError as error:
        fault = str(error)
    control, doubt = call.desk.service.standing.control()
    return _html(
        "operator.html.j2",
        200 if found else 503,
        problem=call.desk.service.problem,
        who=call.principal,
        may={role.word: call.principal.role >= role for role in Role},
        sessions=isinstance(call.desk.access, TokenAccess),
        facts=found,
        fault=fault,
        control=control,
        doubt=DOUBTS.get(doubt, doubt),
        engaged=doubt == "stop_file",
        killed=killed,
        now=call.desk.service.clock.now(),
    )


def _html(name: str, status: int = 200, **fields: Any) -> Response:
    return Response(_template(name).render(ago=ago, **fields), status, media_type="text/html")


@cache
def _template(name: str) -> Any:
    return environment().get_template(name)


@cache
def _style() -> str:
    files = resources.files("tenure.console") / "templates"
    return "".join((files / name).read_text(encoding="utf-8") for name in ("report.css", "operator.css"))


def _back(path: str = "/") -> Response:
    """See the page: a button pressed twice by reloading would act twice."""
    return RedirectResponse(path, 303)


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits.

    >>> from datetime import UTC
    >>> ago(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 1, 3, tzinfo=UTC))
    '3 h ago'
    """
    seconds = max(0.0, (now - at).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


_AS_PAGES = Refusals(refused, None)


def _page(
    method: Any, path: str, role: Role, summary: str, handler: Any, request: Any = None, **also: Any
) -> Operation:
    html = {"answers": "text/html", "media": "form" if request else "json", "refusals": _AS_PAGES}
    return Operation(method, path, role, summary, handler, request, **{**html, **also})


PAGES = (
    _page("GET", "/", Role.VIEWER, "The operator's page.", page),
    _page("GET", "/login", Role.ANYONE, "Ask for a token.", login_form),
    _page("POST", "/login", Role.ANYONE, "Open a session.", log_in, Token, status=303),
    _page("POST", "/logout", Role.CLIENT, "End the session.", log_out, Pressed, status=303),
    _page("POST", "/stop", Role.OPERATOR, "Stop the learned policy.", stop, Said),
    _page("POST", "/restore", Role.APPROVER, "Lift a kill.", restore, Said, status=303),
    _page("POST", "/approve", Role.APPROVER, "Allow what waits.", approve, Answered, status=303),
    _page("POST", "/reject", Role.APPROVER, "Refuse what waits.", reject, Answered, status=303),
    _page("GET", "/style.css", Role.ANYONE, "The page's looks.", style, answers="text/css"),
)
"""Operations of the page, beside those of the control API."""
