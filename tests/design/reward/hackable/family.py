"""What the worlds share: a project without a folder, rules by hand, and the disguise a seed gives to a world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Limit, Problem
from tenure.core.project import Project
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.simulator import Panel, Split, State, Step
from tenure.core.spaces import Discrete

HORIZON = 40
"""Decisions of an episode, in every world."""


@dataclass(frozen=True)
class Rule:
    """A rule by hand, from observations [n, features] in the world's own order to its own actions [n]."""

    decide: Callable[[Floats], Ints]
    version: str = "rule"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(self.decide(observation).astype(np.int64), np.ones(len(observation)))


class Tiny:
    """What every tiny simulator has: one level, and no split of its data."""

    version = "tiny"
    levels: Mapping[str, Any] = {"normal": None}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> State:
        raise NotImplementedError

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        state = self.reset(8, np.random.default_rng([len(split), first_day, days or 0]))
        start = datetime(2000, 1, 1, tzinfo=UTC)
        return Panel(state, HORIZON, tuple("abcdefgh"), start, timedelta(hours=1), independent=True)


@dataclass(frozen=True)
class World:
    """A tiny world, rewards that can be gamed in it, and their repaired twins.

    Args:
        problem: without its reward's rights and wrongs; any reward.
        simulator: the world.
        incumbent: a decent honest rule.
        exploiting: the rule that games the first hackable reward.
        idle: a rule that earns less by that reward; mixed with the exploiting one it earns as much as the incumbent.
        hackable: rewards by name, that can be gamed.
        repaired: rewards by name, that cannot.
    """

    problem: Problem
    simulator: Any
    incumbent: Policy
    exploiting: Policy
    idle: Policy
    hackable: Mapping[str, Reward]
    repaired: Mapping[str, Reward]

    def project(self, reward: Reward) -> Project:
        """The world as a project with one of its rewards."""
        parts = Parts(replace(self.problem, reward=reward), self.simulator, self.incumbent)
        return Built(Path("nowhere"), parts=parts)


@dataclass(frozen=True)
class Parts:
    """What a project without a folder is made of."""

    problem: Problem
    simulator: Any
    incumbent: Policy


@dataclass(frozen=True)
class Built(Project):
    """A project that was built in memory; it has neither scenarios nor further rules."""

    parts: Parts = field(kw_only=True)

    @property
    def problem(self) -> Problem:
        return self.parts.problem

    @property
    def simulator(self) -> Any:
        return self.parts.simulator

    @property
    def incumbent(self) -> Policy:
        return self.parts.incumbent

    @property
    def rules(self) -> dict[str, Policy]:
        return {}

    def optional(self, module: str, name: str) -> Any:
        return None


def terms(unit: str = "points", **weights: float) -> Reward:
    """A reward of one term for each signal named."""
    return Reward(tuple(Term(name, weight, unit, "as drafted") for name, weight in weights.items()))


def draw(build: Callable[[np.random.Generator], World], seed: int) -> World:
    """The world of a seed, disguised: features, actions, signals and terms in another order, signals renamed."""
    rng = np.random.default_rng(seed)
    return _disguised(build(rng), rng)


@dataclass(frozen=True)
class _Disguise:
    columns: Ints
    actions: Ints
    names: Mapping[str, str]

    def policy(self, policy: Policy) -> Policy:
        back, order = np.argsort(self.columns), np.argsort(self.actions)

        def decide(observation: Floats) -> Ints:
            n = len(observation)
            return np.asarray(order[policy.propose(observation[:, back], None, np.zeros(n)).action])

        return Rule(decide, policy.version)

    def weights(self, weights: Mapping[str, float] | None) -> dict[str, float] | None:
        return None if weights is None else {self.names[name]: weight for name, weight in weights.items()}

    def reward(self, reward: Reward) -> Reward:
        renamed = [replace(term, signal=self.names[term.signal]) for term in reward.terms]
        return Reward(tuple(sorted(renamed, key=lambda term: term.signal)))


class _Disguised(Tiny):
    def __init__(self, inner: Any, disguise: _Disguise) -> None:
        self.inner, self.disguise = inner, disguise

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> State:
        return self.inner.reset(n, rng, level)

    def observe(self, state: State) -> Floats:
        return np.asarray(self.inner.observe(state)[:, self.disguise.columns], dtype=np.float32)

    def step(self, state: State, action: Ints, rng: np.random.Generator) -> Step:
        step: Step = self.inner.step(state, self.disguise.actions[action], rng)
        names = self.disguise.names
        return replace(step, signals={names[name]: values for name, values in step.signals.items()})


def _disguised(world: World, rng: np.random.Generator) -> World:
    problem = world.problem
    assert isinstance(problem.action, Discrete)
    marks = rng.permutation(len(problem.signals))
    names = {signal.name: f"s{mark}_{signal.name}" for signal, mark in zip(problem.signals, marks, strict=True)}
    columns, actions = rng.permutation(len(problem.observation)), rng.permutation(problem.action.size)
    disguise = _Disguise(columns, actions, names)
    return World(
        _renamed(problem, disguise),
        _Disguised(world.simulator, disguise),
        disguise.policy(world.incumbent),
        disguise.policy(world.exploiting),
        disguise.policy(world.idle),
        {name: disguise.reward(reward) for name, reward in world.hackable.items()},
        {name: disguise.reward(reward) for name, reward in world.repaired.items()},
    )


def _renamed(problem: Problem, disguise: _Disguise) -> Problem:
    assert isinstance(problem.action, Discrete)

    def kpi(one: KPI) -> KPI:
        return replace(one, of=disguise.weights(one.of) or {}, per=disguise.weights(one.per))

    def signal(one: Signal) -> Signal:
        return replace(one, name=disguise.names[one.name])

    def limit(one: Limit) -> Limit:
        return replace(one, signal=disguise.names[one.signal])

    return replace(
        problem,
        observation=tuple(problem.observation[column] for column in disguise.columns),
        action=Discrete(tuple(problem.action.labels[action] for action in disguise.actions)),
        signals=tuple(signal(one) for one in sorted(problem.signals, key=lambda one: disguise.names[one.name])),
        reward=disguise.reward(problem.reward),
        kpis=tuple(kpi(one) for one in problem.kpis),
        limits=tuple(limit(one) for one in problem.limits),
    )
