"""A small world drawn by seed: a depot that orders for the next hour, and the ways a simulator of it can be wrong.

Demand follows the hour, the day of the week, the weather and, in some drawn worlds, bursts. What is ordered arrives an
hour later, as far as the gate's capacity goes. Nothing that is ordered changes demand or weather, so a log of it can be
replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.simulator import Panel, Split, Step
from tenure.core.spaces import Discrete, Feature
from tenure.core.trajectories import Trajectories

STEPS = 7 * 24
START = datetime(2024, 1, 1, tzinfo=UTC)
ORDERS = (0.0, 4.0, 8.0, 12.0, 16.0)
WORLDS = {"train": 80, "selection": 20, "held_out": 80}
SEEDS = {"train": 1, "selection": 2, "held_out": 3}

problem = Problem(
    name="depot",
    about="How much to order for the next hour.",
    observation=(
        Feature("stock", "pieces", -100, 1000),
        Feature("usual", "pieces/hour", 0, 200),
        Feature("weather", "degrees", -20, 20),
        Feature("heat", "degrees", -50, 80),
        Feature("hour", "hour of day", 0, 23),
    ),
    action=Discrete(tuple(f"{order:g}" for order in ORDERS), unit="pieces"),
    signals=(
        Signal("demand", "pieces", 0, 1000),
        Signal("lost", "pieces", 0, 1000),
        Signal("arrived", "pieces", 0, 100),
        Signal("held", "piece hours", 0, 2000),
    ),
    reward=Reward(
        (
            Term("lost", -2.0, "$/piece", "a lost sale"),
            Term("arrived", -0.5, "$/piece", "freight"),
            Term("held", -0.1, "$/piece", "room"),
        )
    ),
    kpis=(
        KPI("cost", "$/hour", "lower", {"lost": 2.0, "arrived": 0.5, "held": 0.1}),
        KPI("service", "share", "higher", {"demand": 1, "lost": -1}, {"demand": 1}),
    ),
    horizon=STEPS,
)


@dataclass(frozen=True)
class World:
    """What a depot is like; every number is drawn by seed, or fitted, or wrong on purpose.

    Args:
        level: mean demand an hour, pieces.
        swing: share by which demand swings over the day, in (0, 1).
        peak: hour of the highest demand.
        weekend: factor of demand at weekends.
        warmth: demand's exponent on the weather.
        promotion: demand's exponent on promotions, which nobody tells the policy; 0 without any.
        bursts: share of hours with five times the demand.
        grain: dispersion of demand, variance over mean.
        memory: of the weather, from hour to hour.
        blur: standard deviation of the stock's sensor, pieces.
        late: hours by which the weather is known late.
        stuck: chance, each hour, that the heat's sensor stands still for a day.
        gate: pieces that fit through the gate in an hour.
    """

    level: float
    swing: float
    peak: float
    weekend: float
    warmth: float
    promotion: float
    bursts: float
    grain: float
    memory: float
    blur: float
    late: int
    stuck: float
    gate: float


def drawn(seed: int) -> World:
    """A depot by seed."""
    rng = np.random.default_rng([seed, 11])
    return World(
        level=rng.uniform(5, 7),
        swing=rng.uniform(0.3, 0.6),
        peak=rng.uniform(8, 18),
        weekend=rng.uniform(0.7, 1.2),
        warmth=rng.uniform(0.25, 0.4),
        promotion=0.0,
        bursts=0.0,
        grain=rng.uniform(1.5, 3),
        memory=rng.uniform(0.6, 0.85),
        blur=rng.uniform(0.0, 0.5),
        late=0,
        stuck=0.0,
        gate=rng.uniform(9, 13),
    )


@dataclass(frozen=True)
class Defect:
    """What the world has and the simulator has not.

    Args:
        names: fields of which one must be named by a finding that fails.
        real, wrong: from a drawn depot to the world's and to the simulator's.
    """

    names: tuple[str, ...]
    real: Callable[[World, float], World]
    wrong: Callable[[World, float], World]


def _same(world: World, size: float) -> World:
    return world


DEFECTS: Mapping[str, Defect] = {
    "wrong scale": Defect(("demand",), _same, lambda w, size: replace(w, level=w.level * (0.75 - 0.15 * size))),
    "missing noise": Defect(
        ("stock",), lambda w, size: replace(w, blur=3 + 2 * size), lambda w, _: replace(w, blur=0.0)
    ),
    "lag": Defect(("weather",), lambda w, size: replace(w, late=1 + (size > 0.5)), lambda w, _: replace(w, late=0)),
    "missing feature": Defect(("promotion",), lambda w, size: replace(w, promotion=0.6 + 0.4 * size), _same),
    "wrong seasonality": Defect(
        ("demand", "usual"), _same, lambda w, size: replace(w, peak=(w.peak + 5 + 3 * size) % 24)
    ),
    "wrong tail": Defect(("demand",), lambda w, size: replace(w, bursts=0.02 + 0.02 * size), _same),
    "frozen sensor": Defect(("heat",), lambda w, size: replace(w, stuck=0.01 + 0.01 * size), _same),
    "optimistic capacity": Defect(
        ("arrived", "stock"), lambda w, _: replace(w, gate=9.0), lambda w, size: replace(w, gate=13.0 + 3 * size)
    ),
}


def estimated(world: World, seed: int) -> World:
    """The same depot as an honest engineer would fit it: each figure a little off, none on purpose."""
    rng = np.random.default_rng([seed, 13])
    return replace(
        world,
        level=world.level * rng.normal(1, 0.015),
        swing=world.swing * rng.normal(1, 0.03),
        peak=world.peak + rng.normal(0, 0.15),
        weekend=world.weekend * rng.normal(1, 0.02),
        warmth=world.warmth * rng.normal(1, 0.03),
        grain=world.grain * rng.normal(1, 0.05),
        memory=world.memory + rng.normal(0, 0.01),
        blur=world.blur * rng.normal(1, 0.05),
    )


@dataclass(frozen=True)
class Depots:
    """n depots; the course of what nobody changes is drawn beforehand, [n, steps]."""

    time: Ints
    stock: Floats
    seen: Floats
    coming: Floats
    demand: Floats
    usual: Floats
    weather: Floats
    heat: Floats
    promotion: Floats
    start: Ints


class DepotSimulator:
    """A world, or a simulator of it."""

    levels: Mapping[str, Any] = {"normal": None}
    version = "depot"
    unaffected = ("usual", "weather", "heat", "hour", "demand")

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Depots:
        course = _course(self.world, n, rng)
        start = np.zeros(n, dtype=np.int64)
        return Depots(start, np.full(n, 10.0), np.full(n, 10.0), np.zeros(n), **course, start=start)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        state = self.reset(WORLDS[split], np.random.default_rng([self.seed, SEEDS[split]]))
        names = tuple(f"depot-{k}" for k in range(WORLDS[split]))
        return Panel(state, STEPS, names, START, timedelta(hours=1), independent=True)

    def replayed(self, log: Trajectories) -> Panel:
        first = np.flatnonzero(np.diff(log.episode, prepend=-1))
        shape = (log.episodes, STEPS)
        course = {name: log.feature(name).reshape(shape) for name in ("usual", "weather", "heat")}
        # What was seen late was there as late; the simulator shows it on time from the row it was seen in.
        stock = log.feature("stock")[first]
        zero = np.zeros(log.episodes, dtype=np.int64)
        state = Depots(
            zero, stock, stock, np.zeros(log.episodes), log.signals["demand"].reshape(shape), **course,
            promotion=np.zeros(shape), start=zero,
        )  # fmt: skip
        return Panel(state, STEPS, log.world, START, timedelta(hours=1), independent=True)

    def observe(self, state: Depots) -> Floats:
        n = np.arange(len(state.stock))
        at = np.minimum(state.time, STEPS - 1)
        columns = (state.seen, state.usual[n, at], state.weather[n, at], state.heat[n, at], at % 24)
        return np.stack(columns, axis=1).astype(np.float32)

    def step(self, state: Depots, action: Ints, rng: np.random.Generator) -> Step:
        n = np.arange(len(state.stock))
        demand = state.demand[n, np.minimum(state.time, STEPS - 1)]
        sold = np.minimum(demand, state.stock)
        left = state.stock - sold
        arrived = np.minimum(np.asarray(ORDERS)[action], self.world.gate)
        stock = left + arrived
        seen = stock + rng.normal(0, 1, len(stock)) * self.world.blur
        after = replace(state, time=state.time + 1, stock=stock, seen=seen, coming=arrived)
        signals = {"demand": demand, "lost": demand - sold, "arrived": arrived, "held": left}
        return Step(after, signals, np.zeros(len(stock), dtype=bool))


def _course(world: World, n: int, rng: np.random.Generator) -> dict[str, Floats]:
    hours = np.arange(STEPS)
    wave = 1 + world.swing * np.cos(2 * np.pi * (hours % 24 - world.peak) / 24)
    weekly = np.where((hours // 24) % 7 >= 5, world.weekend, 1.0)
    usual = np.broadcast_to(world.level * wave * weekly, (n, STEPS))
    true = _walk(world.memory, n, rng)
    promotion = (np.repeat(rng.random((n, STEPS // 12)), 12, axis=1) < 0.3).astype(float)
    mean = usual * np.exp(world.warmth * true - world.warmth**2 / 2)
    mean = mean * np.exp(world.promotion * (promotion - 0.3))
    mean = mean * np.where(rng.random((n, STEPS)) < world.bursts, 5.0, 1.0) / (1 + 4 * world.bursts)
    demand = rng.gamma(mean / world.grain, world.grain)
    weather = np.concatenate([true[:, :1].repeat(world.late, axis=1), true[:, : STEPS - world.late]], axis=1)
    heat = _frozen(20 + 3 * _walk(0.7, n, rng), world.stuck, rng)
    return {"demand": demand, "usual": usual.copy(), "weather": weather, "heat": heat, "promotion": promotion}


def _walk(memory: float, n: int, rng: np.random.Generator) -> Floats:
    steps, out = rng.normal(0, np.sqrt(1 - memory**2), (n, STEPS)), np.zeros((n, STEPS))
    out[:, 0] = rng.normal(0, 1, n)
    for k in range(1, STEPS):
        out[:, k] = memory * out[:, k - 1] + steps[:, k]
    return out


def _frozen(values: Floats, chance: float, rng: np.random.Generator) -> Floats:
    """Values that stand still for half a day from hours drawn with that chance."""
    out, left = values.copy(), np.zeros(len(values), dtype=np.int64)
    begins = rng.random(values.shape) < chance
    for k in range(1, values.shape[1]):
        left = np.where(begins[:, k], 12, np.maximum(left - 1, 0))
        out[:, k] = np.where(left > 0, out[:, k - 1], values[:, k])
    return out


@dataclass(frozen=True)
class OrderUpTo:
    """Orders up to so many usual hours of demand, as the weather says."""

    cover: float
    heed: float = 0.3
    version: str = "order-up-to"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        wanted = self.cover * observation[:, 1] * np.exp(self.heed * observation[:, 2]) - observation[:, 0]
        action = np.abs(np.asarray(ORDERS)[None, :] - wanted[:, None]).argmin(axis=1)
        return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent = OrderUpTo(1.6, 0.0, "incumbent")
learned = OrderUpTo(2.2, 0.3, "learned")
rules = {"lean": OrderUpTo(1.0, 0.0, "lean"), "full": OrderUpTo(4.0, 0.0, "full")}
