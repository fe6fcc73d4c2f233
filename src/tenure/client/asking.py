"""One decision being asked for: what each attempt gave and whether to try again; knows no network."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tenure.client.answer import Answer, fallback_answer, read_answer, usable_for_s
from tenure.core.clock import Clock, to_text
from tenure.core.errors import RequestError, StoreError

Fallback = Callable[[Mapping[str, Any]], str | Sequence[float]]
"""From a context to what the caller's own system does: the label of an action, or the vector of a `Box`."""

REFUSED = (401, 403, 404, 405)
"""Not this request is wrong, but the way to the server: the fallback answers, and somebody mends the settings."""
UNREACHABLE, EXPIRED, REFUSED_WORD = "unreachable", "expired", "refused"


class Response(Protocol):
    """What is read of a response of httpx."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Retry:
    """How often and how long to try.

    Args:
        attempts: times one request is sent at most, always under the same id.
        first_s, longest_s: ceiling of the pause after the first attempt, doubled each time, and of all pauses.
        patience_s: after this many seconds no further attempt begins, and the one under way is given up.
    """

    attempts: int = 4
    first_s: float = 0.05
    longest_s: float = 1.0
    patience_s: float = 2.0

    def pause_s(self, attempt: int, rng: random.Random) -> float:
        """A pause after the n-th attempt, n from 1: uniform from 0 to a ceiling that doubles ("full jitter")."""
        return rng.random() * min(self.longest_s, self.first_s * 2.0 ** (attempt - 1))


def question(unit_id: str, context: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    """The body of a request; it gets its id here, so that every attempt bears the same one."""
    given = {name: value for name, value in optional.items() if value is not None}
    return {"decision_id": uuid.uuid4().hex, "unit_id": unit_id, "context": dict(context), **given}


class Asking:
    """Where the asking for one decision stands.

    Args:
        body: of the request, with its id.
        retry: how often and how long.
        clock: monotonic for spans, its wall clock only where a server sends no Date.
        rng: of the pauses.
    """

    def __init__(self, body: Mapping[str, Any], retry: Retry, clock: Clock, rng: random.Random) -> None:
        self.body, self.content = body, json.dumps(body, allow_nan=False).encode()
        self.reason, self._found = UNREACHABLE, "no attempt"
        self._retry, self._clock, self._rng = retry, clock, rng
        self._attempts = 0
        self._end = clock.monotonic() + retry.patience_s

    def send(self) -> float:
        """An attempt begins; returns the seconds it may take."""
        self._attempts += 1
        self._sent, self._sent_at = self._clock.monotonic(), self._clock.now()
        return max(0.001, self._end - self._sent)

    def broke(self, error: Exception) -> None:
        """The attempt gave no response."""
        self.reason, self._found = UNREACHABLE, f"{type(error).__name__}: {error}"

    def hear(self, response: Response) -> Answer | None:
        """The answer of a response, if it can be acted on now.

        Raises:
            RequestError: the request itself is wrong; another attempt would be refused as well.
        """
        status = response.status_code
        if status == 200:
            return self._answer(response)
        self._found = f"status {status}: {_said(response.text)}"
        self.reason = REFUSED_WORD if status in REFUSED else UNREACHABLE
        if 400 <= status < 500 and status not in (*REFUSED, 408, 429):
            raise RequestError(
                expected="a request the server can answer",
                found=self._found,
                where=f"decision {self.body['decision_id']!r}",
                fix="see the server's message",
            )
        return None

    def pause(self) -> float | None:
        """Seconds to wait before the next attempt; None when there is none."""
        pause = self._retry.pause_s(self._attempts, self._rng)
        again = self._attempts < self._retry.attempts and self.reason != REFUSED_WORD
        return pause if again and self._clock.monotonic() + pause < self._end else None

    def give_up(self, fallback: Fallback | None) -> Answer:
        """The caller's own action: the one it named in the request, else what its fallback says.

        Raises:
            StoreError: there is neither.
        """
        named = self.body.get("incumbent_action")
        if named is not None:
            return fallback_answer(self.body["decision_id"], named, self.reason)
        if fallback is not None:
            return fallback_answer(self.body["decision_id"], fallback(self.body["context"]), self.reason)
        raise StoreError(
            expected="a usable answer of the decision server",
            found=self._found,
            where=f"decision {self.body['decision_id']!r}",
            fix="send incumbent_action or give the client a fallback, and start the server with `tenure serve`",
        )

    @property
    def shut(self) -> str:
        """What the server says of a way to it that is wrong, for whoever mends the settings; empty elsewhere."""
        return self._found if self.reason == REFUSED_WORD else ""

    def report(self, answer: Answer) -> dict[str, Any]:
        """What the log must hear of a fallback: what was really done, and when."""
        kept = ("decision_id", "unit_id", "context", "episode_id", "step", "mask", "incumbent_action", "at")
        body = {name: self.body[name] for name in kept if name in self.body}
        at = self.body.get("at") or to_text(self._clock.now())
        return {
            "request": body,
            "action": answer.label if answer.action is None else answer.action,
            "reason": answer.reason,
            "taken_at": at,
        }

    def _answer(self, response: Response) -> Answer | None:
        try:
            fields = json.loads(response.text)
            span = usable_for_s(fields["valid_until"], response.headers.get("date"), self._sent_at, self.body.get("at"))
            answer = read_answer(fields, self._sent + span)
        except (ValueError, KeyError, TypeError) as error:
            self.reason, self._found = UNREACHABLE, f"something else than an answer ({error})"
            return None
        if answer.usable_at(self._clock.monotonic()):
            return answer
        self.reason, self._found = EXPIRED, "an answer that came after its time"
        return None


def _said(text: str) -> str:
    """A server's refusal in words; the beginning of the text where it is none of ours."""
    try:
        error = json.loads(text)
        return f"expected {error['expected']}; found {error['found']}; to do: {error['fix']}"
    except (ValueError, KeyError, TypeError):
        return text[:300]
