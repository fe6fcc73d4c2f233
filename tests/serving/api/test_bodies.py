"""Bodies no client of ours would send: each is refused with words, in time, and never with a 5xx."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.console.operator import PAGES
from tenure.serving.api import OPERATIONS
from tenure.serving.api import app as applying

from .conftest import Office

POSTS = [operation for operation in (*OPERATIONS, *PAGES) if operation.method == "POST"]
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a lone brace": b"{",
    "not UTF-8": b'{"reason": "\xff\xfe"}',
    "UTF-16": '{"reason": "odd"}'.encode("utf-16"),
    "a lone surrogate": b'{"reason": "\\ud800"}',
    "a NUL": b'{"reason": "a\\u0000b"}',
    "deep lists": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"reason":' * 8_000 + b"1" + b"}" * 8_000,
    "not a number": b'{"rate": NaN, "reason": "x", "value": NaN}',
    "infinity": b'{"rate": 1e999, "reason": "x", "value": -1e999}',
    "a huge integer": b'{"rate": ' + b"9" * 5000 + b', "reason": "x", "value": 1}',
    "twice the same key": b'{"reason": "a", "reason": "b", "value": 1, "value": 2}',
    "an array": b"[1, 2, 3]",
    "a string": b'"kill"',
    "a pickle": b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94.",
    "many form fields": b"&".join(b"a%d=1" % number for number in range(1000)),
    "a form in another encoding": b"reason=%FF%FE&csrf=%00",
    "other fields": b'{"reason": "x", "admin": true}',
}


@pytest.mark.parametrize("what", BODIES)
def test_no_body_is_answered_with_a_5xx(what: str, office: Office) -> None:
    for operation in POSTS:
        path = operation.address.format(**{name: "toy" if name == "problem" else "d1" for name in operation.varying})
        answer = office.post(path, content=BODIES[what])
        assert answer.status_code < 500, (operation.path, answer.text)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=200) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_bytes_at_all_are_answered_with_a_5xx(body: Any, office: Office) -> None:
    for path in ("/v1/toy/kill", "/v1/toy/rollout/explore", "/personalizer/v1.0/rank", "/stop", "/login"):
        assert office.post(path, content=body).status_code < 500


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536


async def stalled() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.sleep(60)


@pytest.mark.parametrize("path", ["/v1/toy/kill", "/personalizer/v1.0/rank", "/stop"])
def test_an_endless_body_is_cut(path: str, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.serving.hot.DRAINED_BYTES", 1_000_000)
    answer = office.post(path, content=endless())
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("path", ["/v1/toy/kill", "/personalizer/v1.0/rank", "/stop"])
def test_a_body_that_stalls_is_given_up(path: str, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BODY_WITHIN_S", 0.05)
    answer = office.post(path, content=stalled())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
