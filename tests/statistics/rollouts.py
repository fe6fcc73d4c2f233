"""Rollouts by the thousand through the real controller: a fake clock, a log in memory, and a law for what is measured.

Ledger, findings, gates, guardrails, table of moves and steps are the shipped ones; only the database is not there.
Ten places decide once a day. What a place's day costs is its usual cost, times the day's luck that all places
share, times the unit's own luck; the latter's spread is what the shipped bike case measures (a unit's cost gain has a
standard deviation of .17, its service gain of .076).
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm
from tenure.core.evidence import Estimate
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.core.trace import Trace
from tenure.rollout import Controller, Services, Settings, Stage, gets_candidate
from tenure.store import Control, Event, LogFrame, SqliteStore

START, DAY = datetime(2011, 1, 1, tzinfo=UTC), timedelta(days=1)
PLACES, SHADOW_DAYS = 10, 14
NAMES = tuple(f"place-{place}" for place in range(PLACES))
COST_SD, SERVICE_SD, LUCK_SD = 0.17, 0.076, 0.25
ASKED = 100.0
WORKERS = 2

PROBLEM = Problem(
    name="toy",
    about="A decision that costs something.",
    observation=(Feature("x", "bikes", 0, 100),),
    action=Discrete(("rule", "learned")),
    signals=(Signal("cost", "$", 0, 1e6), Signal("served", "rentals", 0, 1e6), Signal("asked", "rentals", 0, 1e6)),
    reward=Reward((Term("cost", -1.0, "$", "money is money"),)),
    kpis=(
        KPI("cost", "$ per decision", "lower", {"cost": 1.0}),
        KPI("service", "share of rentals", "higher", {"served": 1.0}, {"asked": 1.0}),
    ),
)

TOML = """
[rollout]
shadow = { min_decisions = 140, min_days = 14 }
stages = [0.3, 1.0]
bake = { min_decisions = [40, 30], min_units = [40, 20], min_days = [12, 4] }
approval = []

[[promote]]
to = 0.0
evidence = "selection"
kpi = "cost"
margin = 0.05
relative = true

[[promote]]
to = 1.0
evidence = "live"
kpi = "cost"
margin = 0.05
relative = true
bounds = [-1.5, 1.5]

[[guardrail]]
kpi = "cost"
margin = 0.05
relative = true
bounds = [-1.5, 1.5]

[[guardrail]]
kpi = "service"
margin = 0.02

[ready]
alert = false
drill_days = 0
outcomes = 0

[reward_window]
wait = "1h"
"""
"""Margins, bounds and minima of the shipped bike case, without its replay of the shadow: the live gate stands alone.
The default fortnight of shadow says what each place usually costs."""

SETTINGS = msgspec.toml.decode(TOML, type=Settings)
PLAN_DAYS = 20
"""60 candidate units at three a day: the minimum of 40 and half as many again."""


@dataclass(frozen=True)
class Law:
    """What a candidate does to the figures.

    Args:
        gain: share of the cost it saves.
        service: what it adds to the share of rentals served.
    """

    gain: float = 0.0
    service: float = 0.0


@dataclass(frozen=True)
class Ending:
    """How a rollout ended: its last stage, candidate units until then, and whether it was completed."""

    stage: Stage
    units: int
    complete: bool


@dataclass(frozen=True)
class Day:
    """A day's decisions, one of each place: which were the candidate's, and what was measured."""

    head: Control
    at: datetime
    units: list[str]
    chosen: Bools
    cost: Floats
    served: Floats


class MemoryStore:
    """What the controller asks of a store, in lists; every day is read once."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.unread: list[Day] = []
        self.head = Control("toy", 0, 0, False, "none", 0.0, None, False, "", None)

    def open_problem(self, problem: str, salt: str) -> None:
        self.head = replace(self.head, salt=salt)

    def control(self, problem: str) -> Control:
        return self.head

    def events(self, problem: str) -> list[Event]:
        return self.log

    def append_event(self, event: Event, *, control: dict[str, Any], **expected: int) -> None:
        assert expected["expect_last_event"] == (self.log[-1].sequence if self.log else 0)
        number = self.head.sequence + 1
        self.log.append(replace(event, sequence=number))
        self.head = replace(self.head, sequence=number, **control)

    def append(self, day: Day) -> None:
        self.unread.append(day)
        self.head = replace(self.head, sequence=self.head.sequence + PLACES)

    def read_log(self, problem: str, after_sequence: int) -> LogFrame:
        days, self.unread = self.unread, []
        frame = frame_of(days)
        assert not len(frame) or frame.sequence[0] > after_sequence
        return frame


def frame_of(days: list[Day]) -> LogFrame:
    """Days of decisions as the log gives them back."""
    n = PLACES * len(days)
    units = [unit for day in days for unit in day.units]
    episodes: list[str | None] = [name for _ in days for name in NAMES]
    stage = [day.head.stage for day in days for _ in NAMES]
    chosen = np.array([day.chosen for day in days], dtype=bool).ravel()
    cost, served = (np.array([getattr(day, name) for day in days], float).ravel() for name in ("cost", "served"))
    first = np.array([day.head.sequence + 1 for day in days], dtype=np.int64)
    moments = [np.datetime64(day.at.replace(tzinfo=None), "us") for day in days]
    return LogFrame(
        decision_id=units,
        sequence=(first[:, None] + np.arange(PLACES)).ravel(),
        unit_id=units,
        episode_id=episodes,
        step=np.full(n, -1),
        decided_at=np.repeat(np.array(moments, dtype="datetime64[us]"), PLACES),
        stage=stage,
        arm=[Arm.CANDIDATE.value if one else Arm.INCUMBENT.value for one in chosen.tolist()],
        version=["v1" if one else "rule" for one in chosen.tolist()],
        action=chosen.astype(np.int64),
        propensity=np.ones(n),
        explored=np.zeros(n, dtype=bool),
        confidence=np.ones(n),
        observation=np.zeros((n, 1), dtype=np.float32),
        joined=np.ones(n, dtype=bool),
        signals={"cost": cost, "served": served, "asked": np.full(n, ASKED)},
        shadow_action=np.ones(n, dtype=np.int64),
        shadow_version=["v1" if one == "shadow" else None for one in stage],
    )


class Rollout:
    """One simulated rollout, a day and a tick at a time."""

    def __init__(self, law: Law, limits: Settings, live_days: int, seed: int) -> None:
        self.law, self.rng, self.clock, self.store = law, np.random.default_rng(seed), ManualClock(START), MemoryStore()
        self.days = days = SHADOW_DAYS + live_days
        self.usual = 100 * np.exp(0.5 * self.rng.standard_normal(PLACES))
        luck = np.exp(LUCK_SD * self.rng.standard_normal((days, 1)) - LUCK_SD**2 / 2)
        self.cost = self.usual * (luck + COST_SD * self.rng.standard_normal((days, PLACES)))
        self.saved = np.broadcast_to(self.usual * law.gain, (days, PLACES))
        self.served = 80 + ASKED * SERVICE_SD * self.rng.standard_normal((days, PLACES))
        salted = msgspec.structs.replace(limits, rollout=msgspec.structs.replace(limits.rollout, salt=f"s{seed}"))
        services = Services(self.replay, lambda version: Estimate(0, -0.01, 0.01, 30, 30, "t", "day"), self.decide)
        store = cast(SqliteStore, self.store)
        self.controller = Controller(PROBLEM, salted, store, services, self.clock)

    def replay(self, version: str | None, begin: datetime, days: int) -> Trace:
        first = (begin - START).days
        part = slice(first, first + days)
        cost, served = self.cost[part], self.served[part]
        signals = {"cost": cost, "served": served, "asked": np.full_like(cost, ASKED)}
        return Trace(signals, np.zeros(cost.shape, dtype=np.int64), None, NAMES, begin, DAY)

    def decide(self, version: str, observation: Floats) -> Ints:
        return np.ones(len(observation), dtype=np.int64)

    def day(self, day: int) -> int:
        """Decide a day in all places, as the head row says; how many were the candidate's."""
        at, head = START + day * DAY, self.store.head
        units = [f"{name}/{day:03d}" for name in NAMES]
        share = head.share if head.stage in (Stage.CANARY, Stage.FULL) else 0.0
        chosen = np.array([gets_candidate(head.salt, unit, share) for unit in units])
        cost = self.cost[day] - chosen * self.saved[day]
        served = self.served[day] + chosen * ASKED * self.law.service
        self.store.append(Day(head, at, units, chosen, cost, served))
        self.clock.advance_to(at + DAY + timedelta(hours=1))
        return int(chosen.sum())

    def run(self, until: Stage, every: int) -> Ending:
        """Days, and a tick after every so many, until a stage is reached, it is rolled back, or nobody waits longer."""
        self.controller.start("v1", "engineer")
        units = 0
        for day in range(self.days):
            units += self.day(day)
            if (day + 1) % every:
                continue
            state = self.controller.tick().state
            if state.complete or state.stage in (until, Stage.ROLLED_BACK):
                break
        return Ending(state.stage, units, state.complete)


Task = tuple[Law, Settings, Stage, int, int, range]


def _some(task: Task) -> list[Ending]:
    law, limits, until, every, live_days, seeds = task
    return [Rollout(law, limits, live_days, seed).run(until, every) for seed in seeds]


def simulated(
    law: Law, count: int, until: Stage, *, limits: Settings = SETTINGS, every: int = 2, live_days: int = PLAN_DAYS
) -> list[Ending]:
    """So many rollouts, seeds 0 on, on both cores.

    A tick every second day is as strict as one a day: the sequences judge each unit either way, and forget nothing.
    """
    starts = range(0, count, 50)
    tasks = [(law, limits, until, every, live_days, range(start, min(start + 50, count))) for start in starts]
    with ProcessPoolExecutor(WORKERS) as pool:
        return [ending for part in pool.map(_some, tasks) for ending in part]
