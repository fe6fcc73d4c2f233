"""What was live when, from the events alone; nothing ever deletes them or the versions they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenure.core.clock import to_text
from tenure.rollout.stages import Move, RolloutState, transition_to
from tenure.store import Event


@dataclass(frozen=True)
class AsOf:
    """Where a rollout stood at a moment.

    Args:
        at: the moment, UTC.
        state: as the events up to it made it.
        since: the last event that moved it; None before the first.
    """

    at: datetime
    state: RolloutState
    since: Event | None

    @property
    def live_share(self) -> float:
        """Share of the units the candidate really decided for."""
        state = self.state
        return 0.0 if state.killed or state.version is None else min(state.share, state.circuit.cap)

    @property
    def live(self) -> str | None:
        """The version that answered any unit; None when only the incumbent did."""
        return self.state.version if self.live_share > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields."""
        return {
            "as_of": to_text(self.at),
            "live": self.live,
            "candidate": self.state.version,
            "stage": self.state.stage.value,
            "share": self.state.share,
            "live_share": self.live_share,
            "killed": self.state.killed,
            "since": None if self.since is None else to_text(self.since.at),
            "by": None if self.since is None else self.since.actor,
            "reason": None if self.since is None else self.since.reason,
        }


def as_of(events: Sequence[Event], at: datetime) -> AsOf:
    """Where a rollout stood after everything that happened up to a moment, that moment included.

    Events count in the order of the log: one whose clock ran ahead happened all the same before what follows it.
    """
    upto = max((event.sequence for event in events if event.at <= at), default=0)
    state, since = RolloutState(), None
    for event in events:
        if event.sequence <= upto and event.kind in set(Move):
            after = transition_to(state, event)
            state, since = after, event if after != state else since
    return AsOf(at, state, since)
