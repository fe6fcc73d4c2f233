"""The route by which clients report what they did without the server."""

from __future__ import annotations

from starlette.responses import Response

from tenure.serving.access import Role
from tenure.serving.api.operation import Call, Operation
from tenure.serving.fallbacks import record_fallbacks
from tenure.serving.wire import LARGEST_BATCH, encode

NDJSON = "application/x-ndjson"


def fallbacks(call: Call) -> Response:
    """One verdict per line."""
    verdicts = record_fallbacks(call.desk.service, call.body)
    return Response(b"\n".join(map(encode, verdicts)), media_type=NDJSON)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/{problem}/fallbacks",
        Role.CLIENT,
        "Report decisions a client took itself, one per line.",
        fallbacks,
        bytes,
        media="lines",
        answers=NDJSON,
        largest=LARGEST_BATCH,
    ),
)
