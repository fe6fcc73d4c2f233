"""Live exploration: a rate with a floor, and a budget per UTC day and per segment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from tenure.core.problem import Problem
from tenure.rollout.settings import Settings
from tenure.store import Control, Store
from tenure.store.measures import explored_since

NOTHING: Counter[str] = Counter()
"""No explored decision beside those that were counted."""


def default_rate(settings: Settings) -> float:
    """The rate until a person sets one: off where a wrong action is riskier than the limit allows."""
    rule = settings.exploration
    return 0.0 if rule.risk > rule.risk_limit else settings.rollout.exploration


class Exploration:
    """How much may be explored now; the day's count survives a restart, because it is read from the log.

    Each server counts its own explored decisions at once, and those of all servers at each `read`.

    Args:
        settings: `rollout.exploration` and `[exploration]`.
        problem: what is decided.
    """

    def __init__(self, settings: Settings, problem: Problem) -> None:
        self.problem, self.rule, self._default = problem, settings.exploration, default_rate(settings)
        self._lock = threading.Lock()
        self._day = ""
        self._logged: Counter[str] = Counter()
        self._own: Counter[str] = Counter()
        self._upto = 0

    @property
    def scale(self) -> float:
        """Standard deviation of an explored vector's numbers, as a share of their range."""
        return self.rule.scale

    def segment(self, context: Mapping[str, float]) -> str:
        """The segment a request belongs to; one for all where no feature names it."""
        name = self.rule.segment
        return "" if name is None or name not in context else f"{context[name]:g}"

    def epsilon(self, segment: str, now: datetime, control: Control, beside: Counter[str] = NOTHING) -> float:
        """Share of the candidate's decisions to draw at random at this moment, in [0, 1]; 0 once a budget is spent.

        Args:
            segment: of the request.
            now: the moment.
            control: where the rollout stands.
            beside: explored decisions by segment that are not counted yet, those of the same group.
        """
        rate = self._default if control.exploration is None else control.exploration
        return max(rate, self.rule.floor) if rate > 0 and not self._spent(segment, now, beside) else 0.0

    def update(self, segment: str, now: datetime, explored: bool) -> None:
        """Count a decision that is in the log."""
        if explored:
            with self._lock:
                self._begin(now)
                self._own[segment] += 1

    def read(self, store: Store, now: datetime) -> None:
        """Count what all servers explored today; at the start, and from time to time."""
        with self._lock:
            self._begin(now)
            day, upto, own = self._day, self._upto, self._own.copy()
        with store.database.reading() as connection:
            found, seen = explored_since(connection, self.problem.name, _midnight(now), upto)
        with self._lock:
            if self._day == day and self._upto == upto:
                self._logged.update(self.segment(context) for context in found)
                self._own -= own  # they were in the log before it was read
                self._upto = seen

    def _spent(self, segment: str, now: datetime, beside: Counter[str]) -> bool:
        per_day, per_segment = self.rule.per_day, self.rule.per_segment
        if per_day is None and per_segment is None:
            return False
        with self._lock:
            self._begin(now)
            used = self._logged + self._own + beside
        return (per_day is not None and used.total() >= per_day) or (
            per_segment is not None and used[segment] >= per_segment
        )

    def _begin(self, now: datetime) -> None:
        """Start counting anew on a new day; a clock that falls back does not give the day's budget again."""
        day = _midnight(now).date().isoformat()
        if day > self._day:
            self._day, self._logged, self._own, self._upto = day, Counter(), Counter(), 0


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
