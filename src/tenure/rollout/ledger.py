"""What the log says about each unit, folded day by day; the same log gives the same ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.decision import Arm
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.rollout.stages import Stage
from tenure.store import LogFrame


@dataclass
class Unit:
    """Sums over one unit's decisions whose outcome arrived.

    Args:
        unit_id: its name.
        day: days since 1970-01-01 of its first decision, UTC.
        episode_id: the place or account it belongs to.
        stage: rollout stage of its first decision.
        learned: decisions the candidate answered.
        controlled: decisions that were the incumbent's by the split; fallbacks are neither.
        decisions: all decisions.
        joined: those with an outcome.
        version: who answered its first decision.
        first_observation: what was seen then; float32 [features].
        above, below: numerator and denominator of each KPI, in the problem's order.
    """

    unit_id: str
    day: int
    episode_id: str
    stage: str
    version: str
    first_observation: Floats
    learned: int = 0
    controlled: int = 0
    decisions: int = 0
    joined: int = 0
    above: Floats = field(default_factory=lambda: np.zeros(0))
    below: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def is_candidate(self) -> bool:
        """The candidate answered for it."""
        return self.learned > 0

    @property
    def is_comparable(self) -> bool:
        """It kept its arm, and some outcome says how it went; what changed sides would make both look alike."""
        return self.joined > 0 and not (self.learned and self.controlled)

    def total(self, kpi: int) -> float:
        """Numerator of a KPI over all its decisions: a missing outcome counts as the mean, never as free."""
        return float(self.above[kpi]) * (self.decisions / self.joined)


class Ledger:
    """Folds log frames into units; one verb, `update`.

    `closed_before` is the first day, counted since 1970-01-01, whose outcomes may still come. Every row up to
    `sequence` has been folded, and those in `ahead` beyond it: replicas may commit around midnight in any order.

    Args:
        problem: states the KPIs.
        version: the candidate whose decisions and proposals count; None counts every version's.
    """

    def __init__(self, problem: Problem, version: str | None = None) -> None:
        self.problem, self.version = problem, version
        self.units: dict[str, Unit] = {}
        self.sequence = 0
        self.ahead: set[int] = set()
        self.closed_before = 0
        self.shadowed = 0
        self.proposals = 0
        self.learned_observation: list[Floats] = []
        self.learned_action: list[Ints] = []
        self.explored = 0

    def fold_closed(self, frame: LogFrame, now: datetime, wait: timedelta) -> None:
        """Take in, of all rows after `sequence`, those of days that are over and whose outcomes can no longer come."""
        frame = _rows(frame, ~np.isin(frame.sequence, list(self.ahead)))
        midnight = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "D")
        decided, settled = frame.decided_at, np.datetime64((now - wait).astimezone(UTC).replace(tzinfo=None))
        while (decided[decided < midnight] > settled).any():
            midnight -= np.timedelta64(1, "D")
        closed = decided < midnight
        sequence, ahead = self.sequence, self.ahead
        self.update(_rows(frame, closed), int(midnight.astype(int)))
        if closed.all():
            self.sequence, self.ahead = max([sequence, *ahead, *frame.sequence.tolist()]), set()
        else:
            self.sequence = int(frame.sequence[~closed].min()) - 1
            self.ahead = {row for row in ahead | set(frame.sequence[closed].tolist()) if row > self.sequence}

    def update(self, frame: LogFrame, closed_before: int) -> None:
        """Take in the next rows of the log, all of days before `closed_before`."""
        self.closed_before = closed_before
        if not len(frame):
            return
        self.sequence = max(self.sequence, int(frame.sequence[-1]))
        numerators, denominators = self._measured(frame)
        measured = frame.joined & np.isfinite(numerators).all(axis=1) & np.isfinite(denominators).all(axis=1)
        days = frame.decided_at.astype("datetime64[D]").astype(int)
        learned = np.array([arm == Arm.CANDIDATE.value for arm in frame.arm], dtype=bool) & self._ours(frame.version)
        for row, unit_id in enumerate(frame.unit_id):
            if unit_id not in self.units:
                self.units[unit_id] = self._opened(frame, row, int(days[row]))
            unit = self.units[unit_id]
            unit.decisions += 1
            unit.learned += int(learned[row])
            unit.controlled += int(frame.arm[row] == Arm.INCUMBENT.value)
            if measured[row]:
                unit.joined += 1
                unit.above += numerators[row]
                unit.below += denominators[row]
        shadowed = np.array([stage == Stage.SHADOW for stage in frame.stage], dtype=bool)
        proposed = frame.proposed & self._ours(frame.shadow_version)
        self.shadowed += int(shadowed.sum())
        self.proposals += int((shadowed & proposed).sum())
        plain = learned & ~frame.explored
        self.explored += int((learned & frame.explored).sum())
        self.learned_observation.append(frame.observation[plain])
        self.learned_action.append(frame.action[plain])

    def since(self, moment: datetime) -> list[Unit]:
        """Closed units that began on whole days from a moment on, by day and name."""
        first = first_whole_day(moment)
        kept = (unit for unit in self.units.values() if first <= unit.day < self.closed_before)
        return sorted(kept, key=lambda unit: (unit.day, unit.unit_id))

    def usual(self, units: Iterable[Unit], kpi: KPI) -> Mapping[str, float]:
        """Mean numerator of a KPI per unit of each episode, over units with an outcome."""
        index = self.problem.kpis.index(kpi)
        sums: dict[str, list[float]] = {}
        for unit in units:
            if unit.is_comparable:
                sums.setdefault(unit.episode_id, []).append(unit.total(index))
        return {episode: sum(values) / len(values) for episode, values in sums.items()}

    def _ours(self, versions: Sequence[str | None]) -> Bools:
        if self.version is None:
            return np.ones(len(versions), dtype=bool)
        return np.array([version == self.version for version in versions], dtype=bool)

    def _measured(self, frame: LogFrame) -> tuple[Floats, Floats]:
        """Numerator and denominator of each KPI; [n, kpis] each, NaN where a signal was not measured."""
        unknown = np.full(len(frame), np.nan)
        signals = {name: frame.signals.get(name, unknown) for name in self.problem.signal_names}
        above = [kpi.numerator(signals) for kpi in self.problem.kpis]
        below = [np.ones(len(frame)) if kpi.per is None else kpi.denominator(signals) for kpi in self.problem.kpis]
        return np.stack(above, axis=1), np.stack(below, axis=1)

    def _opened(self, frame: LogFrame, row: int, day: int) -> Unit:
        unit_id, zeros = frame.unit_id[row], np.zeros(len(self.problem.kpis))
        return Unit(
            unit_id=unit_id,
            day=day,
            episode_id=frame.episode_id[row] or unit_id,
            stage=frame.stage[row],
            version=frame.version[row],
            first_observation=frame.observation[row].copy(),
            above=zeros.copy(),
            below=zeros.copy(),
        )


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01, UTC."""
    return int(moment.timestamp() // 86_400)


def first_whole_day(moment: datetime) -> int:
    """The day of a moment at midnight, else the day after: what began at noon shares its day with what was before."""
    day = day_of(moment)
    return day if moment == midnight_of(day) else day + 1


def midnight_of(day: int) -> datetime:
    """The moment a day begins, UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def _rows(frame: LogFrame, keep: Bools) -> LogFrame:
    """Some rows of a frame."""
    if keep.all():
        return frame
    index = np.flatnonzero(keep).tolist()

    def kept(column: Any) -> Any:
        if isinstance(column, Mapping):
            return {name: values[keep] for name, values in column.items()}
        return column[keep] if isinstance(column, np.ndarray) else [column[row] for row in index]

    return LogFrame(**{field.name: kept(getattr(frame, field.name)) for field in fields(frame)})
