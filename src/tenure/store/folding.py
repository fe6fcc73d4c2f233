"""Folds of the log, inside the transaction that writes what they see: so breakers trip in one order everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenure.store import events
from tenure.store.database import Connection
from tenure.store.journal import read_control
from tenure.store.records import Control, Trip


@dataclass(frozen=True)
class Recent:
    """What a fold may ask of the log, inside the transaction.

    Args:
        connection: of the transaction.
        control: the head row as it stands.
        numbers: of the decisions that are new to the fold.
        at: when they were written, UTC.
    """

    connection: Connection
    control: Control
    numbers: Sequence[int]
    at: datetime


Fold = Callable[[Recent], Trip | None]
"""Looks at the log, and says what the head must become; None when all is well."""


def fold_in(connection: Connection, problem: str, numbers: Sequence[int], fold: Fold, at: datetime) -> None:
    """Let a fold see new decisions or outcomes; what it calls for is recorded in the same transaction.

    Raises:
        UnknownError: the problem was never opened.
    """
    trip = fold(Recent(connection, read_control(connection, problem), numbers, at))
    if trip is not None:
        events.move_epoch(connection, trip.event, trip.control)
