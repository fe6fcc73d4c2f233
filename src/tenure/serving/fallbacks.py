"""Decisions a client took itself because no usable answer came: the log is told what was done, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tenure.core.clock import from_text
from tenure.core.decision import Arm, Decision
from tenure.core.errors import RequestError
from tenure.serving.service import DecisionService
from tenure.serving.settle import check_same
from tenure.serving.wire import DecisionRequest, Named, refused_line

CALLER = "caller"
"""Version of what the caller's own system did."""
SURENESS = 0.0
"""Confidence of a decision nobody here made."""


class Fallback(Struct, frozen=True, forbid_unknown_fields=True):
    """One decision a client took itself.

    Args:
        request: what it asked, or would have.
        action: label, index or vector of what it did.
        reason: one word why: unreachable, expired or refused.
        taken_at: by the client's clock; never later than now in the log.
    """

    request: DecisionRequest
    action: Named
    reason: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
    taken_at: str


def record_fallbacks(service: DecisionService, body: bytes) -> list[dict[str, Any]]:
    """Record fallbacks of an NDJSON body, each once; one verdict per line, `refused_line` where it is refused.

    What the log already holds under an id, because the server did answer and the answer came too late, is corrected to
    what was really done.

    Raises:
        StoreError: the log cannot be written; the client sends all of it again.
    """
    return [_verdict(service, number, line) for number, line in enumerate(body.splitlines(), 1)]


def _verdict(service: DecisionService, number: int, line: bytes) -> dict[str, Any]:
    try:
        fallback = _decoded(line)
        return {"decision_id": fallback.request.decision_id, "status": _record(service, fallback)}
    except RequestError as error:
        return refused_line(error, number, line)


def _decoded(line: bytes) -> Fallback:
    try:
        fallback = msgspec.json.decode(line, type=Fallback)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(f"a line with the fields {list(Fallback.__struct_fields__)}", str(error)) from error
    if fallback.request.decision_id is None:
        raise _wrong("a decision_id, by which a repeat is known", "none")
    return fallback


def _record(service: DecisionService, fallback: Fallback) -> str:
    """Write the row, or correct the one that is there; says created, corrected or exists."""
    row = _row(service, fallback)
    while True:  # a kill that comes between fences the row, though no kill stops what a caller did itself
        control = service.store.control(service.problem.name)
        under = replace(row, kill_epoch=control.kill_epoch, stage=control.stage)
        appended = service.store.append_decisions([under])
        if appended.written:
            return "created"
        if appended.existing:
            return _settle(service, appended.existing[0], row)


def _row(service: DecisionService, fallback: Fallback) -> Decision:
    """The decision as the log keeps it; nobody knows its propensity.

    Raises:
        RequestError: feature, mask, action or time is wrong.
    """
    request, reader = fallback.request, service.reader
    if request.mask is not None:
        reader.check_mask(request.mask)
    mask = reader.masks([request])
    return Decision(
        decision_id=str(request.decision_id),
        problem=service.problem.name,
        problem_version=service.problem.version,
        unit_id=request.unit_id,
        episode_id=request.episode_id,
        step=request.step,
        decided_at=min(from_text(fallback.taken_at), service.clock.now()),
        context=request.context,
        observation=reader.observation([reader.row(request.context)])[0].tobytes(),
        mask=None if mask is None else mask[0].tobytes(),
        stage="unknown",
        arm=Arm.FALLBACK,
        version=CALLER,
        action=reader.action(fallback.action),
        propensity=None,
        explored=False,
        confidence=SURENESS,
        kill_epoch=0,
        reason=fallback.reason,
        latency_us=0,
        request_hash=request.body_hash(),
    )


def _settle(service: DecisionService, stored: Decision, row: Decision) -> str:
    check_same(stored, row)
    if stored.arm is Arm.FALLBACK and stored.action == row.action:
        return "exists"
    service.store.append_correction(
        service.problem.name,
        row.decision_id,
        action=row.action,
        arm=Arm.FALLBACK,
        propensity=None,
        reason=row.reason,
        at=service.clock.now(),
        fold=service.breakers.fold,
    )
    return "corrected"


def _wrong(expected: str, found: str) -> RequestError:
    return RequestError(
        expected=expected, found=found, where="a fallback decision", fix="use this release's client to report it"
    )
