"""While the log is away: how long it is left alone, what holds meanwhile, and how the rows get into it afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tenure.core.clock import Clock
from tenure.core.decision import Decision
from tenure.core.errors import ConflictError, StoreError
from tenure.serving.asking import Asked
from tenure.serving.settle import Settler, check_same
from tenure.serving.spool import Spool
from tenure.store import Store

DRAINED_AT_ONCE = 256
"""Spooled rows moved into the log before a group is answered, so that answers do not wait for all."""

PATIENCE = 10
"""A log that failed is tried again after so many times as long as it took to fail: a tenth of the time goes to it."""

LONGEST_LOG_REST_S = 5.0
"""Longest time a log that failed is left alone: one that failed because this process was frozen may be back at once."""


class Away:
    """Keeps answers given without the log, and leaves a log that failed alone for a while.

    Args:
        store: the log.
        settler: corrects what the log wrote without anybody knowing.
        spool: where rows wait.
        clock: of the log's times.
        counters: rows that are not durable are counted here, as `unlogged`.
    """

    def __init__(self, store: Store, settler: Settler, spool: Spool, clock: Clock, counters: Counter[str]) -> None:
        self._store, self._settler, self._clock, self._counters = store, settler, clock, counters
        self.spool = spool
        self.rests_until = float("-inf")
        """Monotonic moment before which the log is not to be tried."""

    def drain(self) -> int:
        """Move spooled rows into the log; how many were moved. A log that is still away is left alone for a while."""
        if not self.spool or self._clock.monotonic() < self.rests_until:
            return 0
        tried_at = self._clock.monotonic()
        try:
            return self.spool.drain(self._store, self._settler, self._clock.now(), DRAINED_AT_ONCE)
        except StoreError:
            self.rest(tried_at)
            return 0

    def make_way(self, asked: Asked) -> None:
        """Move what was answered without the log into it, at the latest before one of its ids is asked for again."""
        if self.spool:
            again = any(self.spool.find(str(request.decision_id)) is not None for request in asked.requests)
            while self.drain() and again and self.spool:
                pass

    def rest(self, tried_at: float) -> None:
        """Leave a log that failed alone in proportion to the time that took, so that answers do not wait for it."""
        now = self._clock.monotonic()
        self.rests_until = now + min(PATIENCE * (now - tried_at), LONGEST_LOG_REST_S)

    def keep(self, rows: Sequence[Decision]) -> list[Decision | ConflictError]:
        """Have rows wait in the spool, and give what holds for each: the first request under its id."""
        if not self.spool.put(rows):
            self._counters["unlogged"] += len(rows)
        return [self._first(row) for row in rows]

    def _first(self, row: Decision) -> Decision | ConflictError:
        first = self.spool.find(row.decision_id) or row
        try:
            check_same(first, row)
        except ConflictError as error:
            return error
        return first
