"""A made-up month of decisions for testing monitors: hours, weeks, weather, skewed costs, and one change.

Weather is shared by all decisions of an hour and lasts for a day; a mood that nobody sees lasts for an hour or two.
Failures are rare, some outcomes are lost, and a fifth of the decisions is a candidate's that is as good as the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Reward, Signal, Term
from tenure.monitoring.rows import Rows

REFERENCE_DAYS, WATCHED_DAYS = 14, 30
START_H = 24 * 14_610  # 2010-01-01
CHANGE_H = 24 * (REFERENCE_DAYS + 7) + 9
EXPLORATION = 0.02
CANDIDATE, MISSING, FAILING, DISAGREEING = 0.2, 0.02, 0.001, 0.3

PROBLEM = Problem(
    name="watched",
    about="A made-up decision with days, weeks and weather in it, for testing monitors.",
    observation=(
        Feature("demand", "rides/h", 0, 1000),
        Feature("weather", "scaled", -10, 10),
        Feature("size", "1 is the average", 0, 100),
        Feature("kind", "0, 1 or 2", 0, 9),
        Feature("age", "years", 0, 1000),
        Feature("load", "share", -10, 10),
    ),
    action=Discrete(("none", "few", "some", "many")),
    signals=(
        Signal("lost", "rides", 0, 10_000),
        Signal("asked", "rides", 0, 10_000),
        Signal("moved", "rides", 0, 10_000),
    ),
    reward=Reward((Term("lost", -2.0, "$/ride", "a lost fare"), Term("moved", -0.25, "$/ride", "fuel"))),
    kpis=(
        KPI("cost", "$", "lower", {"lost": 2.0, "moved": 0.25}),
        KPI("service", "share", "higher", {"asked": 1.0, "lost": -1.0}, {"asked": 1.0}),
    ),
)


@dataclass(frozen=True)
class Change:
    """What becomes different at `CHANGE_H`; sizes in the unit of the figure, 0 where it stays.

    Args:
        name: of the row in the table.
        monitor: which monitors are meant to find it.
        cost: share added to what is lost.
        candidate: share added to what the candidate loses, from the first hour on.
        demand, age: standard deviations added to a feature.
        spread: factor on the spread of a feature without moving its mean.
        actions: share of decisions that become the last action.
        confidence, disagreement, missing, failing, exploring: added to the figure.
        latency, delay: factors.
        strange: share of decisions with a value of a category never seen before.
        group: share of decisions from a group that lies apart.
    """

    name: str
    monitor: tuple[str, ...]
    cost: float = 0.0
    candidate: float = 0.0
    demand: float = 0.0
    age: float = 0.0
    spread: float = 1.0
    actions: float = 0.0
    confidence: float = 0.0
    disagreement: float = 0.0
    missing: float = 0.0
    failing: float = 0.0
    exploring: float = 0.0
    latency: float = 1.0
    delay: float = 1.0
    strange: float = 0.0
    group: float = 0.0


NOTHING = Change("nothing", ())
GRID = (
    Change("cost +10 %", ("kpi", "reward"), cost=0.1),
    Change("cost +25 %", ("kpi", "reward"), cost=0.25),
    Change("cost +100 %", ("kpi", "reward"), cost=1.0),
    Change("candidate costs +10 %", ("candidate",), candidate=0.1),
    Change("candidate costs +25 %", ("candidate",), candidate=0.25),
    Change("feature mean +0.25 sd", ("feature", "distribution"), age=0.25),
    Change("feature mean +0.5 sd", ("feature", "distribution"), age=0.5),
    Change("feature mean +1 sd", ("feature", "distribution"), age=1.0),
    Change("feature spread x 1.5", ("distribution",), spread=1.5),
    Change("feature spread x 3", ("distribution",), spread=3.0),
    Change("actions: 10 % become one", ("distribution",), actions=0.1),
    Change("actions: 30 % become one", ("distribution",), actions=0.3),
    Change("confidence -0.02", ("confidence",), confidence=-0.02),
    Change("confidence -0.1", ("confidence",), confidence=-0.1),
    Change("disagreement +0.1", ("disagreement",), disagreement=0.1),
    Change("latency x 1.5", ("latency",), latency=1.5),
    Change("failures 0.1 % to 1 %", ("failures", "fallbacks"), failing=0.009),
    Change("failures 0.1 % to 5 %", ("failures", "fallbacks"), failing=0.049),
    Change("missing outcomes 2 % to 6 %", ("missing outcomes",), missing=0.04),
    Change("missing outcomes 2 % to 20 %", ("missing outcomes",), missing=0.18),
    Change("outcomes take twice as long", ("late outcomes",), delay=2.0),
    Change("exploration 2 % to 5 %", ("exploration",), exploring=0.03),
    Change("a new value, 2 % of rows", ("unseen value",), strange=0.02),
    Change("a new group, 2 % of rows", ("new group",), group=0.02),
    Change("a new group, 10 % of rows", ("new group",), group=0.1),
)


class World:
    """Hours of decisions, one after another; the same seed and change give the same.

    Args:
        seed: of all chance.
        change: what becomes different.
        traffic: mean decisions an hour.
    """

    def __init__(self, seed: int, change: Change = NOTHING, traffic: float = 12.0) -> None:
        self.rng, self.change, self.traffic = np.random.default_rng([9, seed]), change, traffic
        self.weather = self.mood = 0.0
        self.sequence = 0

    def hours(self, first: int = 0, upto: int = 24 * (REFERENCE_DAYS + WATCHED_DAYS)) -> Iterator[Rows]:
        """Hours from one to another, each twice: its decisions, and its decisions once their outcomes are known."""
        for hour in range(first, upto):
            drawn = self.draw(hour)
            yield self._rows(False, START_H + hour, drawn)
            yield self._rows(True, START_H + hour, drawn)

    def draw(self, hour: int) -> dict[str, Any]:
        """All there is to know of the decisions of an hour, by name; the next hour must follow."""
        rng, change = self.rng, self.change if hour >= CHANGE_H else NOTHING
        self.weather = 0.95 * self.weather + 0.3 * rng.normal()
        self.mood = 0.5 * self.mood + 0.1 * rng.normal()
        busy = 1.0 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi) - 0.2 * (hour // 24 % 7 >= 5)
        n = int(rng.poisson(self.traffic * busy)) + 1
        apart = rng.random(n) < change.group
        size, age = rng.lognormal(0.0, 0.4, n), 40 + 10 * (change.age + change.spread * rng.normal(size=n))
        size, age = np.where(apart, size + 6.0, size), np.where(apart, age - 35.0, age)
        kind = np.where(rng.random(n) < change.strange, 5.0, rng.choice(3, n, p=[0.6, 0.3, 0.1]))
        asked = rng.gamma(2.0, 5.0 * busy * size * np.exp(0.2 * self.weather + self.mood))
        learned = rng.random(n) < CANDIDATE
        lost = asked * rng.beta(1.5, 6.0, n) * (1 + change.cost) * np.where(learned, 1 + self.change.candidate, 1.0)
        action = np.where(rng.random(n) < change.actions, 3, rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05]))
        demand = 10 * busy * size * np.exp(0.2 * self.weather) + 2 * rng.normal(size=n)
        return {
            "observation": np.column_stack(
                [demand, np.full(n, self.weather), size, kind, age, rng.normal(size=n) + 0.3 * busy]
            ),
            "learned": learned,
            "action": action,
            "explored": learned & (rng.random(n) < EXPLORATION + change.exploring),
            "confidence": np.clip(rng.beta(8.0, 2.0, n) + change.confidence, 0, 1),
            "latency": change.latency * rng.lognormal(1.0, 0.5, n) * np.where(rng.random(n) < 0.01, 10.0, 1.0),
            "failed": rng.random(n) < FAILING + change.failing,
            "differs": rng.random(n) < DISAGREEING + change.disagreement,
            "joined": rng.random(n) >= MISSING + change.missing,
            "delay": np.minimum(change.delay * rng.gamma(4.0, 120.0, n), 3500.0),
            "asked": asked,
            "lost": lost,
            "moved": action * size,
            "unit": rng.integers(0, 1 << 40, n),
        }

    def _rows(self, settled: bool, hour: int, of: dict[str, Any]) -> Rows:
        n, joined = len(of["action"]), of["joined"]
        self.sequence += 0 if settled else n
        signals = {name: np.where(joined, of[name], np.nan) for name in ("asked", "lost", "moved")}
        failed = of["failed"]
        candidate = of["learned"] & ~failed
        return Rows(
            settled=settled,
            hour=hour,
            sequence=np.arange(self.sequence - n, self.sequence) + 1,
            unit=of["unit"].astype(object),
            version=np.where(candidate, "v1", "rule").astype(object),
            candidate=candidate,
            incumbent=~candidate & ~failed,
            fallback=failed,
            failed=failed,
            live=np.ones(n, dtype=bool),
            action=of["action"],
            explored=of["explored"],
            confidence=of["confidence"],
            latency_ms=of["latency"],
            proposed=np.ones(n, dtype=bool),
            differs=of["differs"],
            observation=of["observation"].astype(np.float32).astype(np.float64),
            joined=joined,
            delay_s=np.where(joined, of["delay"], np.nan),
            reward=PROBLEM.reward(signals),
            above=np.stack([kpi.numerator(signals) for kpi in PROBLEM.kpis], axis=1),
            below=np.stack([kpi.denominator(signals) for kpi in PROBLEM.kpis], axis=1),
        )
