"""Time as an argument: the system clock at the edges, a clock that is moved by hand everywhere else."""

from __future__ import annotations

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
        self._now += by

    def advance_to(self, moment: datetime) -> None:
        """Move forward to a moment; a moment in the past leaves the clock where it is."""
        self._now = max(self._now, as_utc(moment))


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a moment without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, fixed width, so that text order is time order."""
    return as_utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """A moment from ISO 8601 text.

    Raises:
        RequestError: the text is not a date and time.
    """
    try:
        return as_utc(datetime.fromisoformat(text))
    except ValueError as error:
        raise RequestError(
            expected="a date and time in ISO 8601, such as 2011-10-01T08:00:00Z",
            found=repr(text),
            where="a time field",
            fix="send the time in UTC in that form",
        ) from error
