"""What a repeated, killed or stale decision gets: the log's word, or the incumbent's action with a correction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from tenure.core.decision import Arm, Decision
from tenure.core.errors import ConflictError
from tenure.core.spaces import Action
from tenure.store import Fold, Store


class Settler:
    """Keeps log and answers in agreement; used by all threads that decide.

    Args:
        problem: name of the problem.
        store: the log.
        valid_for: how long a client may act on an answer.
        fold: of the breakers, which see what a correction leaves.
    """

    def __init__(self, problem: str, store: Store, valid_for: timedelta, fold: Fold | None = None) -> None:
        self._problem, self._store, self._valid_for, self._fold = problem, store, valid_for, fold
        self._lock = threading.Lock()

    def settled(self, row: Decision, checked_at: datetime, incumbent: Callable[[], Action]) -> Decision:
        """The stored row that answers: the first one of a repeat, the incumbent's of a killed or old learned one.

        Args:
            row: the decision as made now.
            checked_at: a moment before this call.
            incumbent: the incumbent's action for it.

        Raises:
            ConflictError: the id is stored with another body, or the log knows what came of it and it is too late to
                act on it again.
        """
        stored, epoch = self._store.decision_and_epoch(self._problem, row.decision_id)
        assert stored is not None
        check_same(stored, row)
        if stored.arm is not Arm.CANDIDATE:
            return stored
        if epoch != stored.kill_epoch:
            return self._taken_back(stored, incumbent(), "killed", checked_at)
        # A clock that was set back makes a row look younger than it is: from the future, it is of unknown age.
        if abs(checked_at - stored.decided_at) > self._valid_for:
            return self._taken_back(stored, incumbent(), "expired", checked_at)
        return stored

    def _taken_back(self, stored: Decision, action: Action, reason: str, at: datetime) -> Decision:
        """The row after its correction; one with an outcome was acted on, and no correction may say otherwise."""
        settled = self.corrected(stored.decision_id, action, reason, at, unless_measured=True)
        if settled.arm is Arm.CANDIDATE:
            raise ConflictError(
                expected="a decision that is still to be acted on",
                found=f"one that was: the log holds its outcome, and its answer is no longer valid ({reason})",
                where=f"decision_id {stored.decision_id!r}",
                fix="use a new decision_id for a new decision",
            )
        return settled

    def corrected(
        self,
        decision_id: str,
        action: Action,
        reason: str,
        at: datetime,
        propensity: float | None = None,
        *,
        unless_measured: bool = False,
    ) -> Decision:
        """The row after one correction to the incumbent's action, whoever comes first."""
        with self._lock:
            if self._stored(decision_id).arm is Arm.CANDIDATE:
                self._store.append_correction(
                    self._problem,
                    decision_id,
                    action=action,
                    arm=Arm.FALLBACK,
                    propensity=propensity,
                    reason=reason,
                    at=at,
                    fold=self._fold,
                    unless_measured=unless_measured,
                )
        return self._stored(decision_id)

    def _stored(self, decision_id: str) -> Decision:
        stored = self._store.decision(self._problem, decision_id)
        assert stored is not None
        return stored


def check_same(first: Decision, row: Decision) -> None:
    """Nothing, when a decision repeats the request of the first one under its id.

    Raises:
        ConflictError: it does not.
    """
    if first.request_hash != row.request_hash:
        raise ConflictError(
            expected=f"the body first sent under decision_id {row.decision_id!r}",
            found="another body",
            where="a repeated decision request",
            fix="use a new decision_id for a new decision",
        )
