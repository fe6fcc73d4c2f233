"""What travels over HTTP, decoded and checked at the door."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from tenure.core.decision import Kind
from tenure.core.errors import RequestError, TenureError
from tenure.core.spaces import Action

Id = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
"""PostgreSQL keeps no NUL in a text."""
Named = str | int | list[float]
"""An action as a caller names it: by label, by index, or the vector of a `Box`."""
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class DecisionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One request for a decision.

    Args:
        unit_id: who or what it is for; keeps its arm.
        context: the features by name, in the problem's units.
        decision_id: the client's id; made by the server when left out.
        episode_id: the episode it belongs to.
        step: its position in the episode.
        mask: which actions are allowed, in the problem's order.
        incumbent_action: label, index or vector of the action the caller's own system would take; where mask or
            constraints forbid it, the nearest allowed one by index stands for it.
        at: moment of the decision; only a server on a simulated clock takes it.
    """

    unit_id: Id
    context: dict[str, float]
    decision_id: Id | None = None
    episode_id: Id | None = None
    step: Position | None = None
    mask: list[bool] | None = None
    incumbent_action: Named | None = None
    at: str | None = None

    def body_hash(self) -> str:
        """Equal for equal requests."""
        return hashlib.sha256(_encoder.encode(self)).hexdigest()


class Answer(Struct, frozen=True, omit_defaults=True):
    """One answered decision: `label` is the action in words, after `valid_until` the client must not act on it.

    An action is an index, or the vector of a `Box`. `density` stands beside a vector that was drawn to explore.
    """

    decision_id: str
    action: Action
    label: str
    arm: str
    stage: str
    version: str
    propensity: float | None
    confidence: float
    reason: str
    explored: bool
    valid_until: str
    density: float | None = None


Answers = list[Answer | TenureError]
"""What became of each request of a group, in order."""


class OutcomeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One report of what came of a decision."""

    outcome_id: Id
    decision_id: Id
    signals: dict[str, float] = {}
    observed_at: str | None = None
    kind: Kind = Kind.OBSERVED


class DecisionBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Several decisions in one call, answered one by one in order."""

    decisions: list[DecisionRequest]


_encoder = msgspec.json.Encoder(order="deterministic")
_FIELD = re.compile(rb'"([^"\\]{1,256})"\s{0,9}:\s{0,9}(-?(?:NaN|Infinity|\d{1,400}(?:\.\d{1,400})?[eE]\+?\d{1,9}))')
LARGEST_BODY = 64 * 1024
"""Bytes of one decision or outcome."""
LARGEST_BATCH = 1024 * 1024
"""Bytes of a batch."""
MOST_DECISIONS = 1_000
"""Decisions of a batch: one commit, and one call of the policy within its deadline."""
MOST_LINES = 10_000
"""Outcomes of an NDJSON body."""
Body = TypeVar("Body", DecisionRequest, OutcomeRequest, DecisionBatch)
_decoders: dict[Any, Any] = {
    kind: msgspec.json.Decoder(kind) for kind in (DecisionRequest, OutcomeRequest, DecisionBatch)
}


def decode(body: bytes, kind: type[Body]) -> Body:
    """A request body as its type.

    Raises:
        RequestError: it is not JSON of that form.
    """
    try:
        found: Body = _decoders[kind].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            expected=f"JSON with the fields {list(kind.__struct_fields__)} and finite numbers",
            found=f"{error}{_not_finite(body)}",
            where="the request body",
            fix="see docs/serving.md",
        ) from error
    return found


def refused_line(error: TenureError, number: int, line: bytes) -> dict[str, Any]:
    """The verdict on a refused line of an NDJSON body: the error's fields, its number from 1, and the ids it bears.

    Args:
        error: what is wrong with it.
        number: of the line, from 1.
        line: as it came; need not be JSON at all.
    """
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    fields = found if isinstance(found, dict) else {}
    asked = fields.get("request")
    named = {**(asked if isinstance(asked, dict) else {}), **fields}
    ids = {name: named[name] for name in ("outcome_id", "decision_id") if isinstance(named.get(name), str)}
    return {**error.as_dict(), "line": number, **ids}


def _not_finite(body: bytes) -> str:
    """A hint at the first field whose value is no finite number; empty when there is none."""
    for name, value in _FIELD.findall(body[:LARGEST_BODY]):
        if not math.isfinite(float(value)):
            return f"; {name.decode(errors='replace')!r} is {value.decode()}: send a finite number, or leave it out"
    return ""


encode = msgspec.json.Encoder().encode
"""An answer as JSON."""
