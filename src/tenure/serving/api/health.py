"""Whether the process lives, and whether it should get requests."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.responses import Response

from tenure.core.errors import TenureError
from tenure.rollout import check_head
from tenure.serving.api.bodies import Alive, Check, Readiness
from tenure.serving.api.desk import Desk
from tenure.serving.api.operation import Call

OK = "in order"


def alive(_: Call) -> Alive:
    """The process answers; it says nothing of the log."""
    return Alive("ok")


def ready(call: Call) -> Response:
    """200 when every check is in order, else 503 with words."""
    found = readiness(call.desk)
    body = msgspec.json.encode(found)
    return Response(body, 200 if found.ready else 503, media_type="application/json")


def readiness(desk: Desk) -> Readiness:
    """Every check, in the order in which they should be mended."""
    checks = [_check(name, check, desk) for name, check in CHECKS.items()]
    return Readiness(all(check.ok for check in checks), checks)


def _log(desk: Desk) -> str:
    return f"epoch {desk.service.store.kill_epoch(desk.problem)}"


def _lease(desk: Desk) -> str:
    """A stop a person made is no fault: the server answers, with the incumbent."""
    _, word = desk.service.standing.control()
    if word in ("", "stop_file"):
        return word or OK
    raise TenureError(
        expected="a fresh look at the log", found=word, where="this server", fix="see whether the database answers"
    )


def _head(desk: Desk) -> str:
    store = desk.service.store
    check_head(store.control(desk.problem), store.events(desk.problem))
    return OK


def _bundle(desk: Desk) -> str:
    version = desk.service.store.control(desk.problem).version
    if version is None:
        return "no candidate"
    desk.service.chooser.policy(version)
    return f"version {version}"


CHECKS: dict[str, Callable[[Desk], str]] = {"log": _log, "lease": _lease, "head": _head, "bundle": _bundle}


def _check(name: str, check: Callable[[Desk], str], desk: Desk) -> Check:
    try:
        return Check(name, True, check(desk))
    except TenureError as error:
        return Check(name, False, str(error))
