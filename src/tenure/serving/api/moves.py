"""What a person can do to a rollout; each is one verb of `Operations`, the same the command line calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenure.core.errors import ForbiddenError, UnknownError
from tenure.serving.api.operation import Call, Handler


def actor_of(call: Call) -> str:
    """Who the log will say did it: whoever is logged in; only where nobody logs in, who the body says.

    Raises:
        ForbiddenError: the body names another than who asks.
    """
    named, principal = call.body.actor or None, call.principal
    if principal.open or named in (None, principal.name):
        return named or principal.name
    raise ForbiddenError(
        expected=f"{principal.name!r} as actor, or none",
        found=repr(named),
        where="the request body, actor",
        fix="leave it out: the log names whoever is logged in",
    )


def kill(call: Call) -> dict[str, Any]:
    """Stop the learned policy; tells which replicas confirmed, and when."""
    return call.desk.verbs.kill(actor_of(call), call.body.reason).as_dict()


def restore(call: Call) -> dict[str, Any]:
    """Lift a kill; the candidate begins again from the beginning."""
    call.desk.verbs.restore(actor_of(call), call.body.reason)
    return _status(call)


def start(call: Call) -> dict[str, Any]:
    """Begin in SHADOW with a registered version.

    Raises:
        UnknownError: it is not registered; it would become part of a path.
    """
    store, problem, version = call.desk.service.store, call.desk.problem, call.body.version
    if version not in {row.version for row in store.versions(problem)}:
        raise UnknownError(
            expected="a registered version",
            found=repr(version),
            where=f"versions of {problem!r}",
            fix="upload its bundle first, or see GET /v1/{problem}/versions",
        )
    call.desk.verbs.start(call.body.version, actor_of(call), call.body.reason)
    return _status(call)


def explore(call: Call) -> dict[str, Any]:
    """Change the rate of live exploration; the model stays as it is."""
    call.desk.verbs.explore(actor_of(call), call.body.rate, call.body.reason)
    return _status(call)


def moved(verb: str) -> Handler:
    """The verb of that name, which takes an actor and a reason."""

    def move(call: Call) -> dict[str, Any]:
        act: Callable[[str, str], object] = getattr(call.desk.verbs, verb)
        act(actor_of(call), call.body.reason)
        return _status(call)

    return move


def approvals(call: Call) -> dict[str, Any]:
    """Single decisions that wait for a person, and the share asked for."""
    status = call.desk.verbs.status().as_dict()
    return {"requested": status["requested"], "pending": call.desk.verbs.pending()}


def approve_decision(call: Call) -> dict[str, Any]:
    """Let a queued proposal become a decision of its own."""
    made = call.desk.verbs.approve_decision(call.path["decision_id"], actor_of(call))
    return {"decision_id": made.decision_id, "action": made.action, "arm": made.arm}


def reject_decision(call: Call) -> dict[str, Any]:
    """Void a queued proposal."""
    call.desk.verbs.reject_decision(call.path["decision_id"], actor_of(call), call.body.reason)
    return {"decision_id": call.path["decision_id"]}


def try_alerts(call: Call) -> dict[str, Any]:
    """Send a test alert through every channel."""
    return {"channels": call.desk.try_alerts(actor_of(call))}


def _status(call: Call) -> dict[str, Any]:
    return call.desk.verbs.status().as_dict()
