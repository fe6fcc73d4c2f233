"""What one operation of the server is; routes, the OpenAPI document and the matrix of roles are made from these."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from tenure.core.errors import RequestError, TenureError
from tenure.serving.access import Principal, Role
from tenure.serving.hot import APP
from tenure.serving.wire import Answers, DecisionRequest

if TYPE_CHECKING:
    from tenure.serving.api.desk import Desk

LARGEST_BODY = 64 * 1024
"""Bytes of a request's body, where an operation says nothing else."""

Media = Literal["json", "form", "lines", "binary"]
MEDIA_TYPES: dict[Media, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "lines": "application/x-ndjson",
    "binary": "application/octet-stream",
}


@dataclass(frozen=True)
class Call:
    """One request, permitted and decoded.

    Args:
        desk: what the server has.
        principal: who asks; the only source of the actor's name in the log.
        path: the parts of the path that vary.
        query: what stands behind the question mark, as the operation's `query` type.
        body: the body as the operation's `request` type; bytes where that is no JSON.
        scope: the ASGI scope, for who must see headers.
    """

    desk: Desk
    principal: Principal
    path: Mapping[str, str]
    query: Any
    body: Any
    scope: Mapping[str, Any]

    def decided(self, requests: Sequence[DecisionRequest]) -> Answers:
        """Answers from the thread that answers the hot path, in whose group commits these go along."""
        answers: Answers = self.scope[APP].hot.asked(requests)
        return answers


Handler = Callable[[Call], Any]
"""Does it and gives the answer; a Starlette response goes out as it is, anything else as JSON."""


class ErrorBody(msgspec.Struct):
    """What was expected, what was found, where, and what to do."""

    error: str
    expected: str
    found: str
    where: str
    fix: str


def _as_json(error: TenureError) -> Response:
    return Response(msgspec.json.encode(error.as_dict()), error.http_status, media_type="application/json")


@dataclass(frozen=True)
class Refusals:
    """How errors are answered.

    Args:
        answer: from an error to its answer.
        body: type of the answer; None where it is no JSON.
    """

    answer: Callable[[TenureError], Response]
    body: type[msgspec.Struct] | None


JSON_REFUSALS = Refusals(_as_json, ErrorBody)


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of the server.

    Args:
        method: of HTTP.
        path: with {names} of the parts that vary; {name:id} may hold anything, slashes too.
        role: the least role that may ask; there is no default, so that nothing is open by oversight.
        summary: one sentence.
        handler: does it; None where the hot path answers before the routes are looked at.
        request: type of the body; None where there is none.
        response: type of the answer; None where it is empty or no JSON.
        query: type of what stands behind the question mark; None where nothing does.
        status: of a good answer.
        media: form of the body.
        answers: media type of the answer.
        largest: bytes of the body, at most.
        refusals: how errors are answered.
    """

    method: Literal["GET", "POST"]
    path: str
    role: Role
    summary: str
    handler: Handler | None
    request: Any = None
    response: Any = None
    query: type[msgspec.Struct] | None = None
    status: int = 200
    media: Media = "json"
    answers: str = "application/json"
    largest: int = LARGEST_BODY
    refusals: Refusals = JSON_REFUSALS

    def __post_init__(self) -> None:
        if not isinstance(self.role, Role):
            raise TypeError(f"{self.method} {self.path} needs a Role, found {self.role!r}")

    @property
    def guarded(self) -> bool:
        """A browser's form could be another site's: it must carry what only our page knows."""
        return self.media == "form" and self.role is not Role.ANYONE

    @property
    def address(self) -> str:
        """The path as OpenAPI writes it."""
        return self.path.replace(":id}", "}")

    @property
    def varying(self) -> list[str]:
        """Names of the parts that vary."""
        return re.findall(r"{(\w+)}", self.address)

    def decoded(self, body: bytes) -> Any:
        """The body as its type.

        Raises:
            RequestError: it is not.
        """
        if self.request is None or self.request is bytes:
            return body
        return _read(lambda: self._decode(body), "the request body")

    def queried(self, text: bytes) -> Any:
        """What stands behind the question mark, as its type.

        Raises:
            RequestError: it is not.
        """
        if self.query is None:
            return None
        return _read(lambda: msgspec.convert(_pairs(text), self.query, strict=False), "what follows the question mark")

    def _decode(self, body: bytes) -> Any:
        if self.media == "form":
            return msgspec.convert(_pairs(body), self.request, strict=False)
        return msgspec.json.decode(body or b"{}", type=self.request)


def _pairs(text: bytes) -> dict[str, str]:
    return dict(parse_qsl(text.decode("utf-8"), keep_blank_values=True, max_num_fields=100))


def _read(read: Callable[[], Any], where: str) -> Any:
    """What it reads; every way in which it can be unreadable is the client's to mend."""
    try:
        return read()
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RequestError(
            expected="the fields that /openapi.json states, with finite numbers",
            found=str(error) or type(error).__name__,
            where=where,
            fix="send those",
        ) from error
