"""What findings are made from: the ledger, the state, and services of rooms above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenure.core.arrays import Floats, Ints
from tenure.core.clock import FIRST
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.core.trace import Trace
from tenure.rollout.ledger import Ledger, Unit, first_whole_day
from tenure.rollout.settings import Settings
from tenure.rollout.stages import RolloutState, Stage
from tenure.store import Event


@dataclass(frozen=True)
class Services:
    """What the rollout needs of rooms above it, as callables.

    Args:
        replay: a version (None: the incumbent) over real days from a moment on, without touching the world.
        selection: a version's gain over the incumbent on the selection data, in the first KPI, as a share of the
            incumbent's figure.
        decide: a version's actions on logged observations.
    """

    replay: Callable[[str | None, datetime, int], Trace]
    selection: Callable[[str], Estimate]
    decide: Callable[[str, Floats], Ints]


@dataclass(frozen=True)
class Evidence:
    """Everything findings are made from.

    Args:
        problem: what is decided.
        settings: limits of every gate.
        ledger: what the log says of each unit.
        services: replay and repeated decisions.
        state: where the rollout stands.
        events: of the problem, in order; what says whether operations are ready.
        now: the present moment, UTC.
    """

    problem: Problem
    settings: Settings
    ledger: Ledger
    services: Services
    state: RolloutState
    events: Sequence[Event] = ()
    now: datetime = FIRST

    def days_since(self, moment: datetime | None) -> int:
        """Whole closed days from a moment on."""
        return 0 if moment is None else max(self.ledger.closed_before - first_whole_day(moment), 0)

    def stage_units(self) -> list[Unit]:
        """Closed units of both arms since the present share began."""
        return [] if self.state.since is None else self.ledger.since(self.state.since)

    def live_units(self) -> list[Unit]:
        """Closed units since the first live share, of both arms, while a control existed."""
        if self.state.canary_at is None:
            return []
        return [u for u in self.ledger.since(self.state.canary_at) if u.stage == Stage.CANARY and u.is_comparable]

    def full_units(self) -> list[Unit]:
        """Closed units of the candidate since it answers all."""
        if self.state.stage is not Stage.FULL:
            return []
        return [u for u in self.stage_units() if u.is_candidate and u.is_comparable]
