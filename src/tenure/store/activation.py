"""Decisions that count only once somebody says they were carried out; readers leave the others out.

What it says is a correction of the decision's row, so that the chain holds when it was deferred and when activated.
"""

from __future__ import annotations

from datetime import datetime

from tenure.core.decision import Decision
from tenure.core.errors import UnknownError
from tenure.store.database import Connection
from tenure.store.decisions import Correction, correct, find
from tenure.store.log import Store

DEFERRED, ACTIVATED = "deferred", "activated"

_ACTIVATED = "SELECT count(*) FROM correction WHERE problem = ? AND decision_id = ? AND reason = ?"


class Activations:
    """Defers and activates decisions of one problem; each verb is one transaction, and repeating it changes nothing.

    Args:
        store: the log.
        problem: name of the problem.
    """

    def __init__(self, store: Store, problem: str) -> None:
        self._database, self._problem = store.database, problem

    def defer(self, decision_id: str, at: datetime) -> None:
        """Let it count for nothing until it is activated; one that ever was stays so.

        Raises:
            UnknownError: there is no such decision.
        """
        with self._database.writing() as connection:
            row = self._row(connection, decision_id)
            if row.reason != DEFERRED and not self._was_activated(connection, decision_id):
                correct(connection, self._problem, _because(row, DEFERRED, at))

    def activate(self, decision_id: str, at: datetime) -> None:
        """Let it count; one that was never deferred does already.

        Raises:
            UnknownError: there is no such decision.
        """
        with self._database.writing() as connection:
            row = self._row(connection, decision_id)
            if row.reason == DEFERRED:
                correct(connection, self._problem, _because(row, ACTIVATED, at))

    def _row(self, connection: Connection, decision_id: str) -> Decision:
        row = find(connection, self._problem, decision_id)
        if row is None:
            raise UnknownError(
                expected="the id of a ranked event",
                found=repr(decision_id),
                where="the request's path",
                fix="rank first, under that eventId",
            )
        return row

    def _was_activated(self, connection: Connection, decision_id: str) -> bool:
        return bool(connection.execute(_ACTIVATED, (self._problem, decision_id, ACTIVATED)).get)


def _because(row: Decision, reason: str, at: datetime) -> Correction:
    """The same action by the same arm, with another word for whether it counts."""
    return Correction(row.decision_id, row.action, row.arm, row.propensity, reason, at)
