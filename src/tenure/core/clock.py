"""Time as an argument: the system clock at the edges, a clock that is moved by hand everywhere else."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tenure.core.errors import RequestError


class Clock(Protocol):
    """What the rest of Tenure knows of time."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for measuring durations."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved; for replays and tests.

    >>> clock = ManualClock(datetime(2011, 10, 1, tzinfo=UTC))
    >>> clock.advance(timedelta(hours=2))
    >>> clock.now().hour
    2
    """

    def __init__(self, start: datetime) -> None:
        self._now = as_utc(start)
        self._start = self._now
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move forward by a span.

        Raises:
            ValueError: the span is negative.
        """
        if by < timedelta(0):
            raise ValueError(f"a clock cannot be moved back, asked for {by}")
        with self._lock:
            self._now += by

    def advance_to(self, moment: datetime) -> None:
        """Move forward to a moment; a moment in the past leaves the clock where it is."""
        with self._lock:
            self._now = max(self._now, as_utc(moment))


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a moment without a zone is taken as UTC."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, fixed width, so that text order is time order."""
    return as_utc(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


ALWAYS = "9999-12-31T23:59:59.999999Z"
"""Text of a moment after every other."""

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Moments a text may name; up to the last one there is room to add spans."""


def from_text(text: str) -> datetime:
    """A moment from ISO 8601 text.

    Raises:
        RequestError: the text is not a date and time, or lies beyond the year 8999.
    """
    try:
        moment = as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise _no_moment(text) from error
    if not FIRST <= moment < LAST:
        raise _no_moment(text)
    return moment


def _no_moment(text: str) -> RequestError:
    return RequestError(
        expected="a date and time in ISO 8601, such as 2011-10-01T08:00:00Z",
        found=repr(text),
        where="a time field",
        fix="send the time in UTC in that form",
    )
