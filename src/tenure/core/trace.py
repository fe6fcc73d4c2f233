"""What happened in worlds side by side: the signals of every step of every world."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import EvidenceError
from tenure.core.reward import KPI

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Trace:
    """The record of one policy over a panel of worlds.

    Args:
        signals: each measured consequence, float64 [steps, worlds], in the problem's units.
        action: index of the action taken, int64 [steps, worlds]; -1 once a world has ended by itself. For a `Box` the
            vector, float64 [steps, worlds, numbers]; NaN once a world has ended.
        observation: what the policy saw, float32 [steps, worlds, features]; None where nobody looked.
        worlds: a name for each world.
        started_at: moment of the first decision, UTC.
        interval: time between decisions.
    """

    signals: Mapping[str, Floats]
    action: Any
    observation: Floats | None
    worlds: tuple[str, ...]
    started_at: datetime
    interval: timedelta

    @property
    def steps(self) -> int:
        """How many decisions each world took."""
        return len(self.action)

    @property
    def alive(self) -> Bools:
        """Whether a decision was taken: the world had not ended by itself; bool [steps, worlds]."""
        ended = self.action < 0 if self.action.ndim == 2 else np.isnan(self.action[..., 0])
        return np.asarray(~ended)

    @property
    def ends_early(self) -> bool:
        """Some world ended by itself before the last step."""
        return not bool(self.alive.all())

    def kpi_parts(self, kpi: KPI) -> tuple[Floats, Floats]:
        """What a KPI has above and below its line at each step; [steps, worlds] each.

        A step after a world's end is no decision: nothing stands above or below the line there.
        """
        return kpi.numerator(self.signals) * self.alive, kpi.denominator(self.signals) * self.alive

    def kpi(self, kpi: KPI) -> float:
        """The KPI over all decisions of all worlds; NaN where there is nothing to divide by."""
        above, below = (float(part.sum()) for part in self.kpi_parts(kpi))
        return above / below if below else math.nan

    def periods(self, length: timedelta) -> Ints:
        """Which period of that length, counted from the start, each step lies in; int64 [steps]."""
        return np.array([step * self.interval // length for step in range(self.steps)], dtype=np.int64)

    def days(self) -> int:
        """How many days of 24 hours, counted from the start, are covered in full."""
        return self.steps * self.interval // DAY

    def slice_days(self, first: int, days: int) -> Trace:
        """The steps of so many days, from day `first` (0 is the first) on.

        Raises:
            EvidenceError: some of these days are not covered in full.
        """
        if first < 0 or days < 1 or first + days > self.days():
            raise EvidenceError(
                expected=f"days within 0 to {self.days()}",
                found=f"{days} days from day {first}",
                where="Trace.slice_days",
                fix="ask for days that the trace covers",
            )
        day = self.periods(DAY)
        rows = np.flatnonzero((day >= first) & (day < first + days))
        return self._rows(slice(int(rows[0]), int(rows[-1]) + 1))

    def _rows(self, rows: slice) -> Trace:
        return replace(
            self,
            signals={name: values[rows] for name, values in self.signals.items()},
            action=self.action[rows],
            observation=None if self.observation is None else self.observation[rows],
            started_at=self.started_at + rows.start * self.interval,
        )


def bound_kpi(kpi: KPI, totals: Mapping[str, Floats], traces: Sequence[Trace]) -> float | None:
    """The KPI of a bound, to stand beside runs over the same panel.

    A bound gives totals, not how many decisions they took. A mean per decision therefore divides them by every step of
    every world, which assumes that no world ends early; where one of the runs has such a world, that KPI has no bound.

    Args:
        kpi: a ratio of signals, or a mean per decision.
        totals: the bound's total of each signal, [worlds].
        traces: the runs it is compared with, at least one.

    Returns:
        The bound in the KPI's unit; None where none is known.
    """
    if kpi.per is None and any(trace.ends_early for trace in traces):
        return None
    return kpi.of_totals(totals, traces[0].alive.size)
