"""A connection to PostgreSQL that gives a silent database up, whether or not that refuses."""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg

Given = TypeVar("Given")


class SilentError(psycopg.OperationalError):
    """The database neither answered nor refused."""


class Link(psycopg.Connection[tuple[Any, ...]]):
    """Waits for the database on its own clock: a database that is frozen or out of reach keeps no time-out of its own.

    Attributes:
        patience_s: seconds without a byte from the database, after which the connection is closed.
    """

    patience_s = 2.0

    def wait(self, gen: Generator[Any, Any, Given], *args: Any, **kwargs: Any) -> Given:
        """All of psycopg's waiting comes through here.

        Raises:
            SilentError: nothing came for `patience_s`; the connection is closed.
        """
        try:
            return super().wait(_limited(gen, self.patience_s), *args, **kwargs)
        except SilentError:
            self.close()
            raise


def _limited(waiting: Generator[Any, Any, Given], patience_s: float) -> Generator[Any, Any, Given]:
    """The same waiting, which psycopg resumes with 0 about ten times a second while nothing comes."""
    try:
        wanted, since = next(waiting), monotonic()
        while True:
            ready = yield wanted
            now = monotonic()
            if ready:
                since = now
            elif now - since > patience_s:
                raise SilentError(f"not a word from the database for {patience_s:g} s")
            wanted = waiting.send(ready)
    except StopIteration as end:
        given: Given = end.value
        return given
