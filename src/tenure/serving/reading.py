"""From requests to rows and ids: each is read by itself, so that a wrong one is refused alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from tenure.core.clock import Clock, ManualClock, from_text
from tenure.core.decision import Outcome
from tenure.core.errors import RequestError, TenureError
from tenure.core.problem import Problem
from tenure.serving.observation import Reader
from tenure.serving.wire import DecisionRequest, OutcomeRequest

CHANCE_BYTES = 10
"""Of an id of our making."""


class Read(NamedTuple):
    """Refusals by position, and what can be read: requests with ids, and their feature values."""

    refused: dict[int, TenureError]
    readable: list[DecisionRequest]
    rows: list[Sequence[float]]


def read(requests: Sequence[DecisionRequest], reader: Reader, clock: Clock) -> Read:
    """Every request read and checked; a request without an id gets one."""
    refused: dict[int, TenureError] = {}
    readable: list[DecisionRequest] = []
    rows: list[Sequence[float]] = []
    names = _names(clock.now(), len(requests))
    for index, request in enumerate(requests):
        try:
            rows.append(_values(request, reader, clock))
            readable.append(request if request.decision_id else _with_id(request, names[index]))
        except RequestError as error:
            refused[index] = error
    return Read(refused, readable, rows)


def nothing_allowed(problem: Problem) -> RequestError:
    """What a request is told for which mask and constraints leave no action."""
    return RequestError(
        expected="at least one action that mask and constraints both allow",
        found="none",
        where=f"the request's mask, with the constraints {[c.name for c in problem.constraints]}",
        fix="allow another action, or decide this case by hand",
    )


def outcome_of(request: OutcomeRequest) -> Outcome:
    """An outcome as it is logged.

    Raises:
        RequestError: `observed_at` is no time.
    """
    observed_at = None if request.observed_at is None else from_text(request.observed_at)
    return Outcome(request.outcome_id, request.decision_id, observed_at, request.signals, request.kind)


def _values(request: DecisionRequest, reader: Reader, clock: Clock) -> Sequence[float]:
    """Feature values of a request, in the problem's order; everything in it checked.

    Raises:
        RequestError: the first thing in it that is wrong.
    """
    if request.at is not None:
        _check_at(request.at, clock)
    if request.incumbent_action is not None:
        reader.action(request.incumbent_action)
    if request.mask is not None:
        reader.check_mask(request.mask)
    return reader.row(request.context)


def _check_at(at: str, clock: Clock) -> None:
    from_text(at)
    if not isinstance(clock, ManualClock):
        raise RequestError(
            expected="no `at`: this server uses its own clock",
            found=repr(at),
            where="the request's `at`",
            fix="leave it out, or start the server with --simulated-clock",
        )


def _names(now: datetime, count: int) -> list[str]:
    """Ids of our making: 48 bits of time, 80 of chance.

    Neighbours in time are neighbours in every index by id, so that a commit writes few pages; after UUID version 7
    (RFC 9562).
    """
    moment = f"{int(now.timestamp() * 1000):012x}"
    chance = os.urandom(CHANCE_BYTES * count).hex()
    return [moment + chance[at : at + 2 * CHANCE_BYTES] for at in range(0, len(chance), 2 * CHANCE_BYTES)]


def _with_id(request: DecisionRequest, name: str) -> DecisionRequest:
    """The request under an id of our making."""
    return msgspec.structs.replace(request, decision_id=name)
