"""The candidate's KPIs against the incumbent's, side by side on the same days, as far as the hold-back goes on."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.evaluation.sequences.asymptotic import AsymptoticRatio, arms_difference
from tenure.evaluation.sequences.joint_moments import JointMoments
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.rows import Rows

BUCKETS = 256
"""Groups of units, by a hash of their name: a day's sums of one arm and group are one cluster, so memory is bounded."""
DOCS = "docs/runbook.md, section 'A monitor raised an alarm'"


class Seen:
    """Moments of one KPI under one arm, over groups of units by day."""

    keeps = ("n", "mean", "second", "third")

    def __init__(self) -> None:
        none = JointMoments.none(2)
        self.n, self.mean, self.second, self.third = none.n, none.mean, none.second, none.third

    def update(self, rows: Floats) -> None:
        """Take a day's groups in; [groups, 2], numerator and denominator."""
        if len(rows):
            both = self.moments().merge(JointMoments.of(rows))
            self.n, self.mean, self.second, self.third = both.n, both.mean, both.second, both.third

    def moments(self) -> JointMoments:
        """As evaluation takes them."""
        return JointMoments(self.n, self.mean, self.second, self.third)


class Arms:
    """Says when a KPI of the candidate is proven to be worse than the incumbent's, looked at every day.

    Units that come back on other days are taken as new ones, so where the same few come every day the guardrails of
    the rollout, which know units, have the last word; this one tells people.

    Args:
        problem: states the KPIs.
        alpha: chance that it ever says so of one KPI although nothing is worse.
    """

    keeps = ("day", "hour", "first", "version", "today", "seen", "told")
    settled = True

    def __init__(self, problem: Problem, alpha: float) -> None:
        self.kpis, self.alpha = problem.kpis, alpha
        self.day = self.hour = -1
        self._begin("")

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in; alarms come when a day is over."""
        day = rows.hour // 24
        alarms = self._closed() if day != self.day else []
        self.day, self.hour = day, rows.hour
        live = rows.live & rows.measured
        self._follow(rows, live & rows.candidate)
        for arm, mine in enumerate((rows.candidate & (rows.version == self.version), rows.incumbent)):
            self._count(rows, live & mine, arm)
        return alarms

    def state(self) -> list[dict[str, object]]:
        """Each KPI's difference with its doubt; None where there is too little to compare."""
        return [
            {
                "monitor": "candidate",
                "segment": kpi.name,
                "difference": None if found is None else found.as_dict(),
                "state": "learning" if found is None else "watching",
            }
            for kpi, found in zip(self.kpis, map(self._difference, range(len(self.kpis))), strict=True)
        ]

    def _begin(self, version: str) -> None:
        """What was seen of another candidate says nothing of this one."""
        self.version, self.first = version, -1
        self.today = np.zeros((2, BUCKETS, len(self.kpis), 2))
        self.seen = {f"{arm} {k}": Seen() for arm in range(2) for k in range(len(self.kpis))}
        self.told = np.zeros(len(self.kpis), dtype=bool)

    def _follow(self, rows: Rows, candidate: Bools) -> None:
        if candidate.any() and rows.version[candidate][-1] != self.version:
            self._begin(str(rows.version[candidate][-1]))
        if candidate.any() and self.first < 0:
            self.first = rows.hour

    def _count(self, rows: Rows, mine: Bools, arm: int) -> None:
        groups = np.array([crc32(str(unit).encode()) % BUCKETS for unit in rows.unit[mine]], dtype=np.int64)
        np.add.at(self.today[arm], groups, np.stack([rows.above[mine], rows.below[mine]], axis=2))

    def _closed(self) -> list[Alarm]:
        if not self.today.any():
            return []
        for arm in range(2):
            for k in range(len(self.kpis)):
                sums = self.today[arm, :, k]
                self.seen[f"{arm} {k}"].update(sums[(self.today[arm] != 0).any(axis=(1, 2)) & (sums[:, 1] >= 0)])
        self.today = np.zeros_like(self.today)
        return [alarm for k in range(len(self.kpis)) if (alarm := self._judged(k)) is not None]

    def _difference(self, k: int) -> Estimate | None:
        candidate, incumbent = (AsymptoticRatio(self.seen[f"{arm} {k}"].moments()) for arm in range(2))
        try:
            return arms_difference(candidate, incumbent, "units of a group on a day", self.alpha)
        except EvidenceError:
            return None

    def _judged(self, k: int) -> Alarm | None:
        kpi, found = self.kpis[k], self._difference(k)
        if found is None or self.told[k] or max(kpi.sign * found.low, kpi.sign * found.high) >= 0:
            return None
        self.told[k] = True
        what = (
            f"{kpi.name} of candidate {self.version} is worse than the incumbent's by {abs(found.value):.4g} "
            f"{kpi.unit}, between {min(abs(found.low), abs(found.high)):.4g} and "
            f"{max(abs(found.low), abs(found.high)):.4g}"
        )
        todo = f"see `tenure rollout status`; roll back unless a guardrail has; {DOCS}"
        return Alarm("candidate", kpi.name, what, self.first, self.hour, self.alpha, todo)
