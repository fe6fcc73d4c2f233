"""What travels over HTTP, decoded and checked at the door."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from tenure.core.decision import Kind
from tenure.core.errors import RequestError

Id = Annotated[str, Meta(min_length=1, max_length=256)]
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
        incumbent_action: label or index of the action the caller's own system would take; where mask or constraints
            forbid it, the nearest allowed one by index stands for it.
        at: moment of the decision; only a server on a simulated clock takes it.
    """

    unit_id: Id
    context: dict[str, float]
    decision_id: Id | None = None
    episode_id: Id | None = None
    step: Position | None = None
    mask: list[bool] | None = None
    incumbent_action: str | int | None = None
    at: str | None = None

    def body_hash(self) -> str:
        """Equal for equal requests."""
        return hashlib.sha256(_encoder.encode(self)).hexdigest()


class Answer(Struct, frozen=True):
    """One answered decision: `label` is the action in words, after `valid_until` the client must not act on it."""

    decision_id: str
    action: int
    label: str
    arm: str
    stage: str
    version: str
    propensity: float | None
    confidence: float
    reason: str
    explored: bool
    valid_until: str


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
_HINT = "; NaN and infinity are not JSON: send a finite number, or leave a feature with a default out"
Body = TypeVar("Body", DecisionRequest, OutcomeRequest, DecisionBatch)


def decode(body: bytes, kind: type[Body]) -> Body:
    """A request body as its type.

    Raises:
        RequestError: it is not JSON of that form.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(
            expected=f"JSON with the fields {list(kind.__struct_fields__)} and finite numbers",
            found=f"{error}{_HINT if b'NaN' in body or b'Infinity' in body else ''}",
            where="the request body",
            fix="see README, section 'Over HTTP'",
        ) from error


def encode(answer: Any) -> bytes:
    """An answer as JSON."""
    return msgspec.json.encode(answer)
