"""A toy rollout that tests write day by day: ten places, two decisions a day each, a real store, a clock by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.core.trace import Trace
from tenure.rollout import Controller, Move, Services, Settings, Tick, gets_candidate
from tenure.store import Event, SqliteStore

START = datetime(2011, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLACES = 10
HOURS = (6, 18)
RULE, LEARNED = 0, 1
"""The action each arm always takes."""

PROBLEM = Problem(
    name="toy",
    about="A decision that costs something.",
    observation=(Feature("x", "bikes", 0, 100),),
    action=Discrete(("rule", "learned", "other")),
    signals=(
        Signal("cost", "$", 0, 100),
        Signal("asked", "rentals", 0, 100),
        Signal("served", "rentals", 0, 100),
    ),
    reward=Reward((Term("cost", -1.0, "$", "money is money"),)),
    kpis=(
        KPI("cost", "$ per decision", "lower", {"cost": 1.0}),
        KPI("service", "share of rentals", "higher", {"served": 1.0}, {"asked": 1.0}),
        KPI("served", "rentals per decision", "higher", {"served": 1.0}),
    ),
)

TOML = """
[rollout]
salt = "toy"
shadow = { min_decisions = 40, min_days = 2 }
stages = [0.2, 0.5, 1.0]
bake = { min_decisions = 4, min_units = 2, min_days = [2, 3, 2] }
approval = [0.2, 1.0]

[[promote]]
to = 0.0
evidence = "selection"
kpi = "cost"
margin = 0.1
relative = true

[[promote]]
to = 0.2
evidence = "replay"
kpi = "cost"
margin = 0.9
relative = true

[[promote]]
to = 1.0
kpi = "cost"
margin = 0.4
relative = true

[[guardrail]]
kpi = "cost"
margin = 0.1
relative = true

[[guardrail]]
kpi = "service"
margin = 0.05

[ready]
alert = false
drill_days = 0
outcomes = 0

[reward_window]
wait = "6h"
"""


def settings(**rollout: Any) -> Settings:
    """The settings above, with some fields of [rollout] replaced."""
    read = msgspec.toml.decode(TOML, type=Settings)
    return msgspec.structs.replace(read, rollout=msgspec.structs.replace(read.rollout, **rollout))


def signals(cost: float = 1.0, served: float = 9.0, asked: float = 10.0) -> dict[str, float]:
    """What is measured after one decision."""
    return {"cost": cost, "asked": asked, "served": served}


def gain(value: float, half_width: float = 0.01) -> Estimate:
    """A gain on the selection data."""
    return Estimate(value, value - half_width, value + half_width, 30, 30.0, "bootstrap", "day")


@dataclass
class Rooms:
    """Services that say what a test wants them to say, and count how often the replay was asked."""

    selection: Estimate = field(default_factory=lambda: gain(0.1))
    cost: dict[str | None, float] = field(default_factory=dict)
    action: int = LEARNED
    asked: list[tuple[str | None, datetime, int]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def services(self) -> Services:
        """The callables."""
        return Services(self.replay, lambda version: self.selection, self.decide)

    def replay(self, version: str | None, begin: datetime, days: int) -> Trace:
        """Every day alike, at the cost set for the version."""
        self.before()
        self.asked.append((version, begin, days))
        shape = (len(HOURS) * days, PLACES)
        column = {name: np.full(shape, value) for name, value in signals(self.cost.get(version, 1.0)).items()}
        worlds = tuple(f"place-{place}" for place in range(PLACES))
        return Trace(column, np.zeros(shape, dtype=np.int64), None, worlds, begin, DAY / len(HOURS))

    def decide(self, version: str, observation: Floats) -> Ints:
        """The version's one action."""
        return np.full(len(observation), self.action, dtype=np.int64)


class World:
    """A store, a clock and a controller, and days that are written between its ticks.

    Args:
        path: of the log.
        limits: of tenure.toml.
    """

    def __init__(self, path: Path, limits: Settings | None = None) -> None:
        self.store = SqliteStore(path, synchronous="OFF")
        self.clock = ManualClock(START)
        self.rooms = Rooms()
        self.limits = limits or settings()
        self.controller = self.again()

    def again(self) -> Controller:
        """Another controller on the same log."""
        return Controller(PROBLEM, self.limits, self.store, self.rooms.services(), self.clock)

    def event(self, move: Move, actor: str = "operator", **payload: Any) -> None:
        """An operator's move, written past the controller as the command line writes it."""
        control = {"paused": move is Move.PAUSE} if move in (Move.PAUSE, Move.RESUME) else None
        self.store.append_event(Event("toy", move.value, actor, "test", self.clock.now(), payload), control=control)

    def kinds(self) -> list[str]:
        """What was done so far."""
        return [event.kind for event in self.store.events("toy")]

    def until(self, share: float, days: int = 60) -> Tick:
        """Days and ticks, everything asked for approved, until the candidate has a share."""
        for _ in range(days):
            self.day()
            tick = self.tick_all()
            if tick.state.share >= share:
                return tick
        raise AssertionError(f"no share of {share} within {days} days: {tick.blocked_by}")

    def tick_all(self) -> Tick:
        """Ticks until nothing more is to be done; what is asked for is approved."""
        while (tick := self.controller.tick()).step is not None:
            if tick.step.move is Move.REQUEST and tick.step.to is not None:
                self.controller.approve("approver", tick.step.to, "looked at it")
        return tick

    def day(
        self,
        learned: dict[str, float] | None = None,
        *,
        rule: dict[str, float] | None = None,
        action: int = LEARNED,
        explored: bool = False,
        proposals: bool = True,
        outcomes: bool = True,
        lost: Callable[[Arm, int], bool] = lambda arm, place: False,
    ) -> None:
        """Write one day and move the clock to its end.

        Args:
            learned: what the candidate's decisions measure.
            rule: what the incumbent's do.
            action: what the candidate takes.
            explored: whether the candidate's were explored.
            proposals: whether the shadow was there.
            outcomes: whether any outcome arrives.
            lost: whether the outcomes of one place and arm are missing.
        """
        midnight = self.clock.now().replace(hour=0, minute=0)
        control = self.store.control("toy")
        share = 0.0 if control.killed else control.share
        for hour in HOURS:
            at, rows = midnight + timedelta(hours=hour), []
            for place in range(PLACES):
                unit = f"place-{place}/{at:%Y-%m-%d}"
                arm = Arm.CANDIDATE if gets_candidate(control.salt, unit, share) else Arm.INCUMBENT
                rows.append(
                    decision(
                        f"{unit}/{hour}",
                        unit_id=unit,
                        episode_id=f"place-{place}",
                        decided_at=at,
                        stage=control.stage,
                        arm=arm,
                        version=str(control.version) if arm is Arm.CANDIDATE else "rule",
                        action=action if arm is Arm.CANDIDATE else RULE,
                        explored=explored and arm is Arm.CANDIDATE,
                        kill_epoch=control.kill_epoch,
                    )
                )
            self.store.append_decisions(rows)
            if proposals and control.stage == "shadow":
                self.store.append_proposals("toy", [proposal(row.decision_id, str(control.version)) for row in rows])
            if outcomes:
                measured = {Arm.CANDIDATE: learned or signals(), Arm.INCUMBENT: rule or signals()}
                arrived = [row for place, row in enumerate(rows) if not lost(row.arm, place)]
                self.report([(row.decision_id, measured[row.arm]) for row in arrived], at + timedelta(hours=1))
        self.clock.advance_to(midnight + DAY)

    def report(self, measured: list[tuple[str, dict[str, float]]], at: datetime) -> None:
        """Outcomes as they arrive at one moment."""
        self.store.append_outcomes(
            "toy",
            [Outcome.observed("o", decision_id, values, at) for decision_id, values in measured],
            received_at=at,
            wait=self.limits.reward_window.span,
            signals=PROBLEM.signal_names,
        )


def decision(name: str, **changes: Any) -> Decision:
    """An incumbent's decision on the first day."""
    fields: dict[str, Any] = {
        "problem": "toy",
        "problem_version": PROBLEM.version,
        "unit_id": "u",
        "episode_id": None,
        "step": None,
        "decided_at": START,
        "context": {"x": 1.0},
        "observation": np.array([1.0], dtype="<f4").tobytes(),
        "mask": None,
        "stage": "shadow",
        "arm": Arm.INCUMBENT,
        "version": "rule",
        "action": RULE,
        "propensity": 1.0,
        "explored": False,
        "confidence": 1.0,
        "kill_epoch": 0,
        "reason": "test",
        "latency_us": 1,
        "request_hash": "h",
    }
    return Decision(decision_id=name, **fields | changes)


def proposal(decision_id: str, version: str) -> ShadowProposal:
    """What the candidate would have done."""
    return ShadowProposal(decision_id, Arm.CANDIDATE, version, LEARNED, 1.0, 1.0, START)
