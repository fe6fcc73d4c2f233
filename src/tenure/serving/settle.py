"""What a repeated, killed or stale decision gets: the log's word, or the incumbent's action with a correction."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from tenure.core.decision import Arm, Decision
from tenure.core.errors import ConflictError
from tenure.store import Store

VALID_FOR = timedelta(seconds=30)
"""How long a client may act on an answer."""

MOST_OWED = 100_000
"""Answers given without the log that are remembered, to correct it when it is back."""

SETTLED_AT_ONCE = 64
"""How many of them are looked up with each group, so that answers do not wait for all."""


class Settler:
    """Keeps log and answers in agreement; used by all threads that decide."""

    def __init__(self, problem: str, store: Store) -> None:
        self._problem, self._store = problem, store
        self._lock = threading.Lock()
        self._owed: OrderedDict[str, tuple[str, int]] = OrderedDict()

    @property
    def owed(self) -> int:
        """Answers whose rows, if there are any, may still say otherwise."""
        return len(self._owed)

    def settled(self, row: Decision, checked_at: datetime, incumbent: Callable[[], int]) -> Decision:
        """The stored row that answers: the first one of a repeat, the incumbent's of a killed or old learned one.

        Args:
            row: the decision as made now.
            checked_at: a moment before this call.
            incumbent: the incumbent's action for it.

        Raises:
            ConflictError: the id is stored with another body.
        """
        stored = self._stored(row.decision_id)
        if stored.request_hash != row.request_hash:
            raise ConflictError(
                expected=f"the body first sent under decision_id {row.decision_id!r}",
                found="another body",
                where="a repeated decision request",
                fix="use a new decision_id for a new decision",
            )
        if stored.arm is not Arm.CANDIDATE:
            return stored
        if self._store.kill_epoch(self._problem) != stored.kill_epoch:
            return self._corrected(stored.decision_id, incumbent(), "killed", checked_at)
        if checked_at - stored.decided_at > VALID_FOR:
            return self._corrected(stored.decision_id, incumbent(), "expired", checked_at)
        return stored

    def owe(self, decision_id: str, request_hash: str, action: int) -> None:
        """Remember what was answered without knowing what the log says."""
        with self._lock:
            self._owed[decision_id] = request_hash, action
            if len(self._owed) > MOST_OWED:
                self._owed.popitem(last=False)

    def pay(self, now: datetime) -> None:
        """Correct learned rows of decisions that were answered without the log.

        Raises:
            StoreError: the log is still away.
        """
        with self._lock:
            due = list(islice(self._owed.items(), SETTLED_AT_ONCE))
        for decision_id, (request_hash, action) in due:
            found = self._store.decision(self._problem, decision_id)
            if found is not None and found.arm is Arm.CANDIDATE and found.request_hash == request_hash:
                self._corrected(decision_id, action, "log_unavailable", now)
            with self._lock:
                self._owed.pop(decision_id, None)

    def _corrected(self, decision_id: str, action: int, reason: str, at: datetime) -> Decision:
        """The row after one correction, whoever comes first."""
        with self._lock:
            if self._stored(decision_id).arm is Arm.CANDIDATE:
                self._store.append_correction(
                    self._problem,
                    decision_id,
                    action=action,
                    arm=Arm.FALLBACK,
                    propensity=None,
                    reason=reason,
                    at=at,
                )
        return self._stored(decision_id)

    def _stored(self, decision_id: str) -> Decision:
        stored = self._store.decision(self._problem, decision_id)
        assert stored is not None
        return stored
