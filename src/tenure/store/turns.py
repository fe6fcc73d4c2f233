"""Turns: work that one process does at a time, until it is done or its time is up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from tenure.core.clock import to_text
from tenure.core.errors import MoveError
from tenure.store.log import Store

_TAKE = """INSERT INTO turn VALUES (?, ?, ?, ?) ON CONFLICT (problem, name) DO UPDATE
SET holder = excluded.holder, until = excluded.until WHERE turn.until <= ? RETURNING holder"""
_GIVE_BACK = "DELETE FROM turn WHERE problem = ? AND name = ? AND holder = ?"


@contextmanager
def turn(store: Store, problem: str, name: str, holder: str, now: datetime, span: timedelta) -> Iterator[None]:
    """Hold a turn for a block of code, at most for a span.

    Args:
        store: the log.
        problem: name of the problem.
        name: of the work.
        holder: who does it; different in every process.
        now: the present moment, UTC.
        span: after which another may take it, since this one must have died.

    Raises:
        MoveError: another holds it.
    """
    with store.database.writing() as connection:
        values = (problem, name, holder, to_text(now + span), to_text(now))
        if connection.execute(_TAKE, values).fetchone() is None:
            raise MoveError(
                expected=f"nobody else at the {name} of {problem!r}",
                found="another process",
                where="the log's turns",
                fix=f"wait until it is done; one that died gives way after {span}",
            )
    try:
        yield
    finally:
        with store.database.writing() as connection:
            connection.execute(_GIVE_BACK, (problem, name, holder))
