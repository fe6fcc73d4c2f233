"""The kill rehearsed: what a drill saw, and whether it passed; decided here, acted out by the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tenure.core.decision import Arm
from tenure.core.evidence import Finding, Verdict, worst
from tenure.rollout.kill import Killed
from tenure.rollout.settings import Settings
from tenure.rollout.stages import LIVE, Move, RolloutState, fold, head_columns, transition_to
from tenure.store import Event, Store

REHEARSAL = "TENURE_REHEARSAL"
"""Set in the environment of a drill's server."""
DRILL = "drill"
"""Kind of the event a drill becomes in the real log, and actor of everything done to the copy."""
ENOUGH = 30
"""Answers a drill waits for before the kill, and after it."""


@dataclass(frozen=True)
class Heard:
    """One answer of the drill's server.

    Args:
        asked_at: on a monotonic clock, in seconds, when its request was sent.
        at: when it arrived.
        arm: who answered.
    """

    asked_at: float
    at: float
    arm: str


@dataclass(frozen=True)
class Rehearsed:
    """What a drill saw.

    Args:
        heard: all answers.
        began_at: when the kill began, on the same clock.
        ended_at: when it said it was done.
        killed: what it said.
        learned_after: learned rows of the copy after the kill row.
        after_restore: who answered once it was restored.
    """

    heard: Sequence[Heard]
    began_at: float
    ended_at: float
    killed: Killed
    learned_after: int
    after_restore: Sequence[str]

    @property
    def confirmed_ms(self) -> float | None:
        """Until the last of log and servers confirmed; None when one did not."""
        times = [one.confirmed_ms for one in self.killed.replicas]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    @property
    def last_learned_ms(self) -> float:
        """From the kill until the last learned answer arrived; 0 when none came any more."""
        learned = [one.at for one in self.heard if one.arm == Arm.CANDIDATE]
        return max(0.0, 1000 * (max(learned, default=self.began_at) - self.began_at))

    def findings(self) -> list[Finding]:
        """What had to hold, point by point."""
        before = sum(one.arm == Arm.CANDIDATE and one.at <= self.began_at for one in self.heard)
        after = [one.arm for one in self.heard if one.asked_at > self.ended_at]
        servers = [one for one in self.killed.replicas if one.id != "log"]
        slow = [one.id for one in self.killed.replicas if one.confirmed_ms is None]
        return [
            _finding("learned before", before > 0, f"{before} learned answers before the kill"),
            _finding("server listed", bool(servers), f"{len(servers)} server(s) asked to confirm"),
            _finding(
                "confirmed", not slow, f"not by {slow}" if slow else f"all within {self.confirmed_ms or 0:.0f} ms"
            ),
            _finding("no learned row", self.learned_after == 0, f"{self.learned_after} after the kill row"),
            _finding("no learned answer", *_only_incumbent(after, "asked for after the confirmation")),
            _finding("restored", *_only_incumbent(self.after_restore, "after the restore")),
        ]

    @property
    def passed(self) -> bool:
        """Everything held."""
        return worst(finding.verdict for finding in self.findings()) is Verdict.PASS

    def payload(self, version: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """Of the event in the real log."""
        return {
            "passed": self.passed,
            "confirmed_ms": self.confirmed_ms,
            "last_learned_ms": self.last_learned_ms,
            "version": version,
            **about,
            "findings": [finding.as_dict() for finding in self.findings()],
        }


def rehearsed(settings: Settings) -> Settings:
    """The settings of a drill's server: it pages nobody, asks nobody, and no breaker is faster than the kill."""
    quiet = msgspec.structs.replace(settings.alerts, channels={})
    return msgspec.structs.replace(settings, alerts=quiet, breaker=[], human=[])


def go_live(store: Store, problem: str, version: str, at: datetime) -> None:
    """Bring a copy of a log, wherever it stands, to one version at full share, by the moves of the table."""
    state = fold(store.events(problem))
    if state.killed:
        store.restore(problem, actor=DRILL, reason="a drill begins", at=at)
    elif state.stage in LIVE:
        state = _moved(store, state, Event(problem, Move.ROLLBACK.value, DRILL, "a drill begins", at, {}))
    state = fold(store.events(problem))
    state = _moved(store, state, Event(problem, Move.START.value, DRILL, "a drill", at, {"version": version}))
    _moved(store, state, Event(problem, Move.PROMOTE.value, DRILL, "a drill", at, {"to": 1.0}))


def _moved(store: Store, state: RolloutState, event: Event) -> RolloutState:
    after = transition_to(state, event)
    store.append_event(event, control=head_columns(after))
    return after


def _only_incumbent(arms: Sequence[str], when: str) -> tuple[bool, str]:
    """Whether the incumbent answered, and nobody else did; no answer never passes."""
    others = sum(arm != Arm.INCUMBENT for arm in arms)
    return bool(arms) and not others, f"{len(arms)} answers {when}, {others} of them not the incumbent's"


def _finding(name: str, holds: bool, told: str) -> Finding:
    return Finding(name, Verdict.PASS if holds else Verdict.FAIL, told)
