"""All monitors of a problem behind one verb: a fold of the log under a budget of false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Protocol

from tenure.core.problem import Problem
from tenure.monitoring.alarms import Alarm
from tenure.monitoring.arms import Arms
from tenure.monitoring.calibration import Calibration
from tenure.monitoring.cohorts import Cohorts
from tenure.monitoring.counted import Exploring, Unseen
from tenure.monitoring.expected import Expected
from tenure.monitoring.figures import decided_figures, settled_figures
from tenure.monitoring.hourly import Hourly
from tenure.monitoring.memory import dumped, restore
from tenure.monitoring.rows import Rows
from tenure.monitoring.shape import Shape

DESIGNED = 0.7
"""Share of the budget of false alarms that is spent; the rest is what the calibration may be off (promises.md)."""
FORM = 1
"""Form of the written state; another one is not read."""


@dataclass(frozen=True)
class Limits:
    """What the monitors are held to.

    Args:
        false_alarms: expected ones within 30 days, all monitors of a problem together, > 0.
        reference_days: days that only teach what is usual, >= 3.
        wait: reward wait time.
    """

    false_alarms: float
    reference_days: int
    wait: timedelta


class Watcher(Protocol):
    """One monitor: takes rows in, speaks when an hour or a day is over, says where it stands."""

    @property
    def keeps(self) -> tuple[str, ...]:
        """Names of what it remembers."""
        ...

    @property
    def settled(self) -> bool:
        """It looks at outcomes, and so sees decisions only once theirs is known."""
        ...

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in, of one hour, in the order of the log."""
        ...

    def state(self) -> list[dict[str, Any]]:
        """Where it stands."""
        ...


class Monitor:
    """Watches one problem; the same log gives the same alarms, whenever and in whatever batches it is read.

    Every false alarm costs the same, so the budget is split evenly over all figures that are watched (Bonferroni).

    Args:
        problem: what is decided.
        limits: budget and reference.
        exploration: share of the candidate's decisions that may be drawn at random.
    """

    def __init__(self, problem: Problem, limits: Limits, exploration: float) -> None:
        self.problem, self.limits = problem, limits
        decided, settled = decided_figures(problem), settled_figures(problem, limits.wait)
        self.alpha = alpha = _alpha(problem, limits, len(decided) + len(settled))
        days = limits.reference_days
        self.expected = Expected(problem)
        self.watchers: Mapping[str, Watcher] = {
            "decided": Hourly(decided, False, alpha, days),
            "settled": Hourly(settled, True, alpha, days),
            "shape": Shape(problem, alpha, days),
            "unseen": Unseen(problem, alpha, days),
            "exploring": Exploring(exploration, alpha),
            "arms": Arms(problem, alpha),
            "calibration": Calibration(alpha, days),
            "cohorts": Cohorts(problem, alpha, days),
            "expected": self.expected,
        }
        self.sequence, self.hour = {False: 0, True: 0}, {False: 0, True: 0}
        self.rows = 0

    def update(self, rows: Rows) -> list[Alarm]:
        """Take the next rows in, of one hour; each decision once when it is made, and once when it is settled."""
        self.sequence[rows.settled], self.hour[rows.settled] = int(rows.sequence[-1]), rows.hour
        self.rows += len(rows)
        mine = (each for each in self.watchers.values() if each.settled == rows.settled)
        return [alarm for each in mine for alarm in each.update(rows)]

    def state(self) -> list[dict[str, Any]]:
        """Where every monitor stands."""
        return [row for each in self.watchers.values() for row in each.state()]

    @property
    def ready(self) -> bool:
        """Some figure is watched by now."""
        return any(row["state"] == "watching" for row in self.state())

    def written(self) -> dict[str, Any]:
        """All that was seen, as plain JSON."""
        return {
            "form": FORM,
            "made_for": self._made_for(),
            "sequence": [self.sequence[False], self.sequence[True]],
            "hour": [self.hour[False], self.hour[True]],
            "watchers": {name: dumped(each) for name, each in self.watchers.items()},
        }

    def read(self, state: Mapping[str, Any]) -> bool:
        """Go on where another one stopped; False, and nothing taken, where it watched another problem or otherwise."""
        if (state.get("form"), state.get("made_for")) != (FORM, self._made_for()):
            return False
        for name, each in self.watchers.items():
            restore(each, state["watchers"][name])
        self.sequence = dict(zip((False, True), state["sequence"], strict=True))
        self.hour = dict(zip((False, True), state["hour"], strict=True))
        return True

    def _made_for(self) -> dict[str, Any]:
        plain = asdict(self.limits) | {"wait": self.limits.wait.total_seconds()}
        return {"problem": self.problem.version, **plain}


def _alpha(problem: Problem, limits: Limits, hourly: int) -> float:
    """The chance of a false alarm within 30 days that each watched figure may have."""
    numbers = len(problem.observation) + (1 if hasattr(problem.action, "labels") else problem.action.size)
    once = ("unseen values", "exploration", "calibration", "new groups")
    figures = hourly + numbers + len(problem.kpis) + len(once)
    return min(DESIGNED * limits.false_alarms / figures, 0.2)
