"""What the log says about each unit, folded day by day; the same log gives the same ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.decision import Arm
from tenure.core.problem import KPI, Problem
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
    decisions: int = 0
    joined: int = 0
    above: Floats = field(default_factory=lambda: np.zeros(0))
    below: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def is_candidate(self) -> bool:
        """The candidate answered for it."""
        return self.learned > 0


class Ledger:
    """Folds log frames into units; one verb, `update`.

    `closed_before` is the first day, counted since 1970-01-01, whose outcomes may still come.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.units: dict[str, Unit] = {}
        self.sequence = 0
        self.closed_before = 0
        self.proposals = 0
        self.learned_observation: list[Floats] = []
        self.learned_action: list[Ints] = []
        self.explored = 0

    def update(self, frame: LogFrame, closed_before: int) -> None:
        """Take in the next rows of the log, in order, all of days before `closed_before`."""
        self.closed_before = closed_before
        if not len(frame.sequence):
            return
        self.sequence = int(frame.sequence[-1])
        above = [kpi.numerator(frame.signals) for kpi in self.problem.kpis]
        below = [kpi.denominator(frame.signals) for kpi in self.problem.kpis]
        numerators, denominators = np.stack(above, axis=1), np.stack(below, axis=1)
        days = frame.decided_at.astype("datetime64[D]").astype(int)
        learned = np.array([arm == Arm.CANDIDATE.value for arm in frame.arm], dtype=bool)
        for row, unit_id in enumerate(frame.unit_id):
            if unit_id not in self.units:
                self.units[unit_id] = self._opened(frame, row, int(days[row]))
            unit = self.units[unit_id]
            unit.decisions += 1
            unit.learned += int(learned[row])
            if frame.joined[row]:
                unit.joined += 1
                unit.above += numerators[row]
                unit.below += denominators[row]
        self.proposals += int((frame.shadow_action >= 0).sum())
        plain = learned & ~frame.explored
        self.explored += int((learned & frame.explored).sum())
        self.learned_observation.append(frame.observation[plain])
        self.learned_action.append(frame.action[plain])

    def since(self, moment: datetime) -> list[Unit]:
        """Closed units that began on or after a moment's day."""
        return [unit for unit in self.units.values() if unit.day >= day_of(moment)]

    def usual(self, units: Iterable[Unit], kpi: KPI) -> Mapping[str, float]:
        """Mean numerator of a KPI per unit of each episode."""
        index = self.problem.kpis.index(kpi)
        sums: dict[str, list[float]] = {}
        for unit in units:
            sums.setdefault(unit.episode_id, []).append(float(unit.above[index]))
        return {episode: float(np.mean(values)) for episode, values in sums.items()}

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
