"""An answer, and how long it may be acted on whatever the clocks of client and server say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tenure.core.clock import from_text
from tenure.core.decision import Arm
from tenure.core.errors import RequestError
from tenure.core.spaces import Action

DATE_SLACK_S = 2.0
"""A Date header counts whole seconds, and servers keep it for up to one more."""


@dataclass(frozen=True)
class Answer:
    """What to do.

    Args:
        decision_id: under which it is in the log, or will be.
        label: the action in words.
        action: its index, or the vector of a `Box`; None for a fallback whose caller named a label.
        arm: incumbent, candidate, human or fallback.
        stage: rollout stage in force; "unknown" for a fallback.
        version: what decided; "caller" for a fallback.
        propensity: probability of what is done; None where nobody knows it, or a vector was drawn.
        confidence: in [0, 1]; None for a fallback.
        reason: one word why this arm.
        explored: another action than the policy's own best.
        usable_until: the client's monotonic clock, in seconds, after which it must not be acted on; None is for ever.
        density: of a vector that was drawn to explore.
    """

    decision_id: str
    label: str
    action: Action | None
    arm: str
    stage: str
    version: str
    propensity: float | None
    confidence: float | None
    reason: str
    explored: bool
    usable_until: float | None
    density: float | None = None

    @property
    def is_fallback(self) -> bool:
        """The caller's own action stands, because no usable answer came."""
        return self.version == CALLER

    def usable_at(self, monotonic: float) -> bool:
        """Whether it may still be acted on, at a reading of the client's monotonic clock."""
        return self.usable_until is None or monotonic <= self.usable_until


CALLER = "caller"


def fallback_answer(decision_id: str, done: str | int | Sequence[float], reason: str) -> Answer:
    """The caller's own action, by label or index, or a vector; nothing is pretended about it."""
    action = None if isinstance(done, str) else done if isinstance(done, int) else tuple(map(float, done))
    return Answer(
        decision_id, str(done), action, Arm.FALLBACK.value, "unknown", CALLER, None, None, reason, False, None
    )


def read_answer(fields: Any, usable_until: float) -> Answer:
    """An answer from the server's JSON.

    Raises:
        ValueError: something else than an answer.
    """
    try:
        return Answer(
            decision_id=str(fields["decision_id"]),
            label=str(fields["label"]),
            action=_action(fields["action"]),
            arm=str(fields["arm"]),
            stage=str(fields["stage"]),
            version=str(fields["version"]),
            propensity=None if fields["propensity"] is None else float(fields["propensity"]),
            confidence=float(fields["confidence"]),
            reason=str(fields["reason"]),
            explored=bool(fields["explored"]),
            usable_until=usable_until,
            density=fields.get("density"),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no answer of a decision server: {error!r}") from error


def _action(found: Any) -> Action:
    return tuple(map(float, found)) if isinstance(found, list) else int(found)


def usable_for_s(valid_until: str, date: str | None, sent_at: datetime, at: str | None = None) -> float:
    """Seconds an answer may be acted on, counted on a monotonic clock from the moment its request was sent.

    Both ends of the span are the server's own: `valid_until` minus its Date header. So a client's wrong clock voids
    nothing, and as the span is counted from the sending, an answer that was held up anywhere, also in a server that was
    frozen and then sent a stale Date, comes too late. The slack makes up for the Date header's coarseness.

    >>> usable_for_s("2026-03-01T12:00:30Z", "Sun, 01 Mar 2026 12:00:00 GMT", datetime(1999, 1, 1, tzinfo=UTC))
    28.0

    Args:
        valid_until: of the answer.
        date: the response's Date header; without one the client's own clock has to stand for the server's.
        sent_at: the client's wall clock when the request was sent.
        at: the request's own moment, for a server on a simulated clock, where Date means nothing.

    Raises:
        ValueError: `valid_until` is no time.
    """
    try:
        end = from_text(valid_until)
        begin = from_text(at) if at is not None else (_date(date) or sent_at)
    except RequestError as error:
        raise ValueError(error.found) from error
    window = (end - begin).total_seconds()
    return window if at is not None else window - min(DATE_SLACK_S, window / 2)


def _date(header: str | None) -> datetime | None:
    try:
        return None if header is None else parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
