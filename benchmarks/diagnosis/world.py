"""One small world in three kinds, made from a table of parameters; what a fault changes is a parameter or a setting.

`context`: features are drawn, each action pays a squashed linear function of them. `chain`: an action leads one place
on, the others back to the start; the end pays. `cue`: what is shown at the start says which action pays all along.
Payments lie in [0, 1] times `unit`, so that the best there is can be worked out by hand: `bound`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from tenure import KPI, Discrete, Feature, Panel, Problem, Proposal, Reward, Signal, Step, Term
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.simulator import Split

WORLDS = 128
SEEDS = {"train": 11, "selection": 12, "held_out": 13}


class Params(msgspec.Struct, frozen=True):
    """What a world is made from.

    Args:
        kind: of world.
        horizon: decisions of an episode.
        matrix: of `context`, payment's weights of the features and 1; [actions, features + 1].
        actions: how many.
        length: of `chain`, places to the end.
        right: of `chain`, the action that leads on.
        rest: of `chain`, what the first of the other actions pays at once.
        shown: of `cue`, decisions at which the cue can be seen; 0 for all.
        slow: of `context`, features stay as they are through an episode.
        turns: features are seen by turns, the even ones at even decisions; others then read 0.
        blur: deviation of what is added to each feature as it is seen.
        idle: further features that mean nothing.
        units: what each feature seen is multiplied by.
        unit: of payments.
        noise: deviation of what is added to every payment, beside the KPI.
        rare: chance that this noise is a thousand times as large.
        hint: a further feature that says which action pays most: not there, in training worlds alone, or everywhere.
        vanity: what each action earns of something that is no part of the KPI; empty for nothing.
        weights: of the reward: payment, noise and vanity.
        discount: of the problem.
        skill: chance that the incumbent takes the best action, else any.
    """

    kind: Literal["context", "chain", "cue"]
    horizon: int
    actions: int
    matrix: tuple[tuple[float, ...], ...] = ()
    length: int = 0
    right: int = 0
    rest: float = 0.0
    shown: int = 0
    slow: bool = False
    turns: bool = False
    blur: float = 0.0
    idle: int = 0
    units: tuple[float, ...] = ()
    unit: float = 1.0
    noise: float = 0.0
    rare: float = 0.0
    hint: Literal["none", "training", "all"] = "none"
    vanity: tuple[float, ...] = ()
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    discount: float = 0.9
    skill: float = 0.5

    @property
    def facts(self) -> int:
        """Features that decide."""
        return {"context": len(self.matrix[0]) - 1 if self.matrix else 0, "chain": 1, "cue": self.actions}[self.kind]

    @property
    def features(self) -> int:
        """How many are seen."""
        return self.facts + self.idle + (self.hint != "none") + 1


def params_of(file: str) -> Params:
    """The parameters beside a project's file."""
    return msgspec.json.decode(Path(file).with_name("params.json").read_bytes(), type=Params)


def problem_of(params: Params) -> Problem:
    """The problem; its names tell nothing."""
    labels = tuple(f"action-{number}" for number in range(params.actions))
    top = 1e3 * max(params.unit, params.noise, 1.0)
    named = (("paid", "$"), ("noise", "$"), ("other", "points"))
    return Problem(
        name="small-world",
        about="Choose well.",
        observation=tuple(Feature(f"x{number}", "1", -1e9, 1e9) for number in range(params.features)),
        action=Discrete(labels),
        signals=tuple(Signal(name, unit, -1e3 * top, 1e3 * top) for name, unit in named),
        reward=Reward(
            tuple(Term(name, w, f"points/{unit}", "as given") for (name, unit), w in zip(named, params.weights))  # noqa: B905
        ),
        kpis=(KPI("paid", "$", "higher", {"paid": 1.0}),),
        horizon=params.horizon,
        discount=params.discount,
    )


@dataclass(frozen=True)
class State:
    """n worlds: the decision, what decides, the place on the chain, and whether the world is one of training."""

    time: Ints
    facts: Floats
    place: Ints
    training: Bools
    shade: Floats


@dataclass(frozen=True)
class World:
    """The simulator of a table of parameters."""

    params: Params
    version: str = "small-world-1"
    levels: Mapping[str, Any] = field(default_factory=lambda: {"normal": None})

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> State:  # noqa: ARG002
        """n worlds of training."""
        p = self.params
        steps = p.horizon + 1
        if p.kind == "cue":
            facts = np.eye(p.actions)[rng.integers(p.actions, size=n)][:, None, :].repeat(steps, axis=1)
        else:
            facts = rng.normal(size=(n, steps, max(p.facts, 1)))
            facts = facts[:, :1].repeat(steps, axis=1) if p.slow else facts
        zeros = np.zeros(n, dtype=np.int64)
        shade = rng.normal(size=(n, steps, p.features))
        return State(zeros, facts, zeros, np.ones(n, dtype=bool), shade)

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:  # noqa: ARG002
        """Worlds that are none of training; their names say so."""
        made = self.reset(WORLDS, np.random.default_rng(SEEDS[split]))
        state = replace(made, training=np.zeros(WORLDS, dtype=bool))
        names = tuple(str(number) for number in range(WORLDS))
        start = datetime(2000, 1, 1, tzinfo=UTC)
        return Panel(state, self.params.horizon, names, start, timedelta(hours=1), independent=True)

    def observe(self, state: State) -> Floats:
        """Facts as far as they are seen, idle features, the hint, the time."""
        p, rows = self.params, np.arange(len(state.time))
        now = state.time % (p.horizon + 1)
        shade = state.shade[rows, now]
        shown = state.facts[rows, now] if p.kind != "chain" else state.place[:, None] / p.length
        if p.kind == "cue" and p.shown:
            shown = np.where((state.time < p.shown)[:, None], shown, 0.0)
        if p.turns:
            shown = np.where((np.arange(shown.shape[1]) % 2)[None] == (state.time % 2)[:, None], shown, 0.0)
        shown = shown + p.blur * shade[:, : p.facts]
        columns = [shown, shade[:, p.facts : p.facts + p.idle]]
        if p.hint != "none":
            told = (self.payments(state).argmax(axis=1) == 0) * 2.0 - 1.0
            blind = np.where(shade[:, -2] > 0, 1.0, -1.0)
            columns.append(np.where(state.training | (p.hint == "all"), told, blind)[:, None])
        seen = np.column_stack([*columns, state.time / p.horizon])
        return (seen * (np.array(p.units) if p.units else 1.0)).astype(np.float32)

    def payments(self, state: State) -> Floats:
        """What each action pays now, before units; [n, actions]."""
        p, rows = self.params, np.arange(len(state.time))
        facts = state.facts[rows, state.time % (p.horizon + 1)]
        if p.kind == "context":
            weights = np.array(p.matrix)
            return np.asarray(1 / (1 + np.exp(-2 * (facts @ weights[:, :-1].T + weights[:, -1]))))
        if p.kind == "cue":
            return np.asarray(facts * (state.time >= p.shown)[:, None])
        paid = np.zeros((len(state.time), p.actions))
        paid[:, p.right] = state.place + 1 == p.length
        if p.rest:
            paid[:, (p.right + 1) % p.actions] = p.rest
        return paid

    def step(self, state: State, action: Ints, rng: np.random.Generator) -> Step:
        """One decision."""
        p, rows = self.params, np.arange(len(state.time))
        paid = self.payments(state)[rows, action]
        on = np.where(action == p.right, (state.place + 1) % max(p.length, 1), 0)
        loud = p.noise * rng.normal(size=len(rows)) * np.where(rng.random(len(rows)) < p.rare, 1e3, 1.0)
        vanity = np.array(p.vanity)[action] if p.vanity else np.zeros(len(rows))
        signals = {"paid": p.unit * paid, "noise": p.unit * loud, "other": p.unit * vanity}
        after = replace(state, time=state.time + 1, place=on if p.kind == "chain" else state.place)
        return Step(after, signals, np.zeros(len(rows), dtype=bool))


@dataclass(frozen=True)
class Incumbent:
    """Takes the best action now and then, which it is told by the facts themselves; else any."""

    params: Params
    version: str = "incumbent-1"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """By the draw: its first part says whether it is a good moment, the rest which action else."""
        p, n = self.params, len(observation)
        seen = observation / (np.array(p.units) if p.units else 1.0)
        best = np.full(n, p.right)
        if p.kind == "context":
            weights = np.array(p.matrix)
            best = (seen[:, : p.facts] @ weights[:, :-1].T + weights[:, -1]).argmax(axis=1)
        if p.kind == "cue":
            best = seen[:, : p.actions].argmax(axis=1)
        other = np.minimum(((draw - p.skill) / max(1 - p.skill, 1e-9) * p.actions).astype(np.int64), p.actions - 1)
        return Proposal(np.where(draw < p.skill, best, other), np.ones(n))


def bound_of(params: Params, panel: Panel) -> dict[str, Floats]:
    """Totals of the best there is in each world."""
    world, state, p = World(params), panel.state, params
    n = len(panel.worlds)
    if p.kind == "chain":
        rounds, left = divmod(p.horizon, p.length)
        paid = np.full(n, rounds + left * p.rest, dtype=float)
        paid = np.maximum(paid, p.horizon * p.rest)
    else:
        times = [replace(state, time=np.full(n, time)) for time in range(p.horizon)]
        paid = np.sum([world.payments(one).max(axis=1) for one in times], axis=0)
    zeros = np.zeros(n)
    return {"paid": p.unit * paid, "noise": zeros, "other": zeros}
