"""Q-learning in a table, with NumPy alone: cells instead of features, worlds side by side, no torch.

Promises: what is forbidden is never tried and never counted on; a time limit is no end; equal seeds give equal tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import SettingsError
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State
from tenure.core.spaces import Discrete
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put
from tenure.training.exploration import Decay, ValueDifference
from tenure.training.metrics.worlds import Stepped

MOST_ENTRIES = 2_000_000
"""Values a table may hold, cells times actions: 16 MB, and at 100 visits each the work of an hour."""
SAMPLE_WORLDS, SAMPLE_STEPS = 256, 48
"""Size of the walk that cells are cut by."""


@dataclass(frozen=True, eq=False)
class Cells:
    """From observations to numbers of cells, each feature's place counted in a mixed radix.

    Args:
        edges: of each feature, rising; float32 [edges of it]; a value counts the edges it has reached. A feature
            without edges tells nothing.
    """

    edges: tuple[Floats, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Cells of each feature."""
        return tuple(len(edges) + 1 for edges in self.edges)

    @property
    def count(self) -> int:
        """Cells in all."""
        return int(np.prod(self.sizes, dtype=np.int64))

    def __call__(self, observation: Floats) -> Ints:
        """Numbers in [0, count) of raw observations [n, features]; int64 [n]."""
        number = np.zeros(len(observation), dtype=np.int64)
        for column, edges in enumerate(self.edges):
            seen = np.asarray(observation[:, column], dtype=np.float32)
            number = number * (len(edges) + 1) + np.searchsorted(edges, seen, side="right")
        return number


Bounds = Mapping[int, tuple[float, float]]
"""Lowest and highest value of a column."""


def cut(sample: Floats, most: Mapping[int, int], bounds: Bounds = MappingProxyType({})) -> Cells:
    """Cells of what was seen: one per value where there are few enough, else equally wide, or equally full.

    Args:
        sample: observations; [rows, features].
        most: cells of each column at most, at least 1; a column that is not named gets one.
        bounds: of columns whose cells are to be equally wide between them; others have equally many rows in each.
    """
    columns = (_edges(sample[:, column], most.get(column, 1), bounds.get(column)) for column in range(sample.shape[1]))
    return Cells(tuple(columns))


def _edges(seen: Floats, most: int, bounds: tuple[float, float] | None) -> Floats:
    values = np.unique(np.asarray(seen, dtype=np.float32))
    if most < 2:
        return values[:0]
    if len(values) <= most:
        return np.asarray((values[1:] + values[:-1]) / 2, dtype=np.float32)
    share = np.arange(1, most) / most
    inner = np.quantile(seen, share) if bounds is None else bounds[0] + share * (bounds[1] - bounds[0])
    return np.unique(np.asarray(inner, dtype=np.float32))


def sample_of(problem: Problem, simulator: Simulator, rng: np.random.Generator, level: str = "normal") -> Floats:
    """Observations of a random walk through training worlds; worlds that end start again; float32 [rows, features]."""
    state, seen = simulator.reset(SAMPLE_WORLDS, rng, level), []
    for step in range(max(SAMPLE_STEPS, problem.horizon)):
        observation = simulator.observe(state)
        seen.append(observation)
        allowed = allowed_actions(problem, simulator, state, observation)
        taken = simulator.step(state, random_actions(problem, SAMPLE_WORLDS, rng, allowed), rng)
        over = taken.terminated | ((step + 1) % problem.horizon == 0)
        state = restarted(simulator, taken.state, over, rng, level)
    return np.concatenate(seen)


class QTable:
    """What is known of each action in each cell.

    Args:
        cells: from observations to cells.
        actions: how many there are.

    Raises:
        SettingsError: the table would be larger than `MOST_ENTRIES`.
    """

    def __init__(self, cells: Cells, actions: int) -> None:
        if cells.count * actions > MOST_ENTRIES:
            raise _too_large(cells, actions)
        self.cells = cells
        self.values = np.zeros((cells.count, actions))
        self.visits = np.zeros((cells.count, actions), dtype=np.int64)

    def ahead(self, cell: Ints, allowed: Bools | None) -> Floats:
        """Value of the best allowed action in each cell; [n]."""
        return np.asarray(self._masked(cell, allowed).max(axis=1))

    def greedy(self, cell: Ints, allowed: Bools | None) -> Ints:
        """The best allowed action in each cell; [n]."""
        return np.asarray(self._masked(cell, allowed).argmax(axis=1))

    def update(self, cell: Ints, action: Ints, target: Floats, power: float) -> Floats:
        """Move values towards targets; rows of one cell and action count as one after the other.

        Gives how far each row's value moved; [n].

        Each visit moves by visits ** -power; k at once by 1 - (1 - rate) ** k towards their mean.

        Args:
            cell, action: [n].
            target: reward and what is ahead; [n].
            power: of the visits, in (0.5, 1].

        Source: Watkins and Dayan (1992); the rate, Even-Dar and Mansour (2003), "Learning rates for Q-learning".
        """
        entry, group = np.unique(cell * self.values.shape[1] + action, return_inverse=True)
        count = np.bincount(group)
        mean = np.bincount(group, weights=target) / count
        values, visits = self.values.ravel(), self.visits.ravel()
        visits[entry] += count
        rate = 1.0 - (1.0 - visits[entry] ** -power) ** count
        moved = rate * (mean - values[entry])
        values[entry] += moved
        return np.abs(moved)[group]

    def answers(self) -> Floats:
        """Values to act by; [cells, actions].

        An action that was never tried in a cell ranks below those that were; a cell that was never met answers with
        the mean of all others, weighted by their visits.
        """
        tried = self.visits > 0
        weight = np.maximum(self.visits.sum(axis=0), 1)
        usual = (self.values * self.visits).sum(axis=0) / weight
        worst = np.where(tried, self.values, np.inf).min(axis=1, keepdims=True)
        known = np.where(tried, self.values, worst - 1.0)
        return np.asarray(np.where(tried.any(axis=1, keepdims=True), known, usual))

    def _masked(self, cell: Ints, allowed: Bools | None) -> Floats:
        values = self.values[cell]
        return values if allowed is None else np.where(allowed, values, -np.inf)


@dataclass(frozen=True)
class Schedule:
    """How long and how a table learns.

    Args:
        steps: decisions over all worlds.
        worlds: stepped side by side.
        epsilon: share of random actions.
        power: of the visits in the learning rate.
        level: of the simulator.
        adaptive: takes the place of `epsilon` where there is one.
    """

    steps: int
    worlds: int = 256
    epsilon: Decay = field(default_factory=Decay)
    power: float = 0.8
    level: str = "normal"
    adaptive: ValueDifference | None = None

    def random(self, done: int, cell: Ints) -> float | Floats:
        """Share of random actions in these cells after so many decisions: one for all, or [n]."""
        return self.epsilon(done / self.steps) if self.adaptive is None else self.adaptive(cell)


Reward = Callable[[Mapping[str, Floats]], Floats]
"""From the signals of a step, [n] each, to rewards [n]."""


@dataclass
class Course:
    """Where the worlds of a table stand.

    Args:
        state: of the worlds.
        age: steps each has taken; [worlds].
        done: decisions so far.
    """

    state: State
    age: Ints
    done: int = 0


def begun(problem: Problem, simulator: Simulator, schedule: Schedule, rng: np.random.Generator) -> Course:
    """Fresh worlds at random ages, so that they do not all end at once."""
    state = simulator.reset(schedule.worlds, rng, schedule.level)
    return Course(state, rng.integers(0, problem.horizon, schedule.worlds))


def learn(
    problem: Problem,
    simulator: Simulator,
    table: QTable,
    schedule: Schedule,
    rng: np.random.Generator,
    reward: Reward | None = None,
    after_step: Callable[[int, Mapping[str, Floats]], None] = lambda _, __: None,
    course: Course | None = None,
    count: Callable[[Stepped], None] = lambda _: None,
) -> QTable:
    """Q-learning over batches of worlds; the table is changed and given back.

    A world that ends by itself has nothing ahead; one that reaches the horizon has, and starts again. The problem's
    shaping is added, as `SimulatorVecEnv` adds it.

    Args:
        problem: actions, constraints, horizon and discount.
        simulator: steps the worlds.
        table: to begin from.
        schedule: how long.
        rng: all chance.
        reward: trained on instead of the problem's own.
        after_step: for checkpoints; called with the decisions so far and the step's signals.
        course: to go on from; None begins.
        count: called with each step before the table learns from it.
    """
    pay, n = problem.reward if reward is None else reward, schedule.worlds
    course = begun(problem, simulator, schedule, rng) if course is None else course
    while course.done < schedule.steps:
        state, age = course.state, course.age
        seen = simulator.observe(state)
        cell, allowed = table.cells(seen), allowed_actions(problem, simulator, state, seen)
        random = rng.random(n) < schedule.random(course.done, cell)
        action = np.where(random, random_actions(problem, n, rng, allowed), table.greedy(cell, allowed))
        step = simulator.step(state, action, rng)
        count(Stepped(seen, allowed, action, step.signals, step.terminated | (age + 1 >= problem.horizon)))
        # An ended world starts again before it is looked at: its own last state may have no mask.
        state = restarted(simulator, step.state, step.terminated, rng, schedule.level)
        following = simulator.observe(state)
        may = allowed_actions(problem, simulator, state, following)
        ahead = np.where(step.terminated, 0.0, table.ahead(table.cells(following), may))
        earned = pay(step.signals) + _shaped(problem, seen, following, step.terminated)
        moved = table.update(cell, action, earned + problem.discount * ahead, schedule.power)
        if schedule.adaptive is not None:
            schedule.adaptive.update(cell, moved)
        age = np.where(step.terminated, 0, age + 1)
        course.state = restarted(simulator, state, age >= problem.horizon, rng, schedule.level)
        course.age, course.done = age % problem.horizon, course.done + n
        after_step(course.done, step.signals)
    return table


def new_table(
    problem: Problem,
    simulator: Simulator,
    most: Mapping[int, int],
    rng: np.random.Generator,
    bounds: Bounds = MappingProxyType({}),
) -> QTable:
    """An empty table over cells cut by a random walk; `most` and `bounds` are those of `cut`.

    Raises:
        SettingsError: the actions have no labels, or the table would be too large.
    """
    if not isinstance(problem.action, Discrete):
        raise SettingsError(
            expected="labelled actions, Discrete",
            found=type(problem.action).__name__,
            where=f"problem {problem.name!r}, action",
            fix="state the action as labels, or take a recipe for vectors",
        )
    return QTable(cut(sample_of(problem, simulator, rng), most, bounds), problem.action.size)


def restarted(simulator: Simulator, state: State, over: Bools, rng: np.random.Generator, level: str) -> State:
    """The same worlds, fresh ones of a level in place of those that are over; `over` is bool [n]."""
    ended = np.flatnonzero(over)
    return put(state, ended, simulator.reset(len(ended), rng, level)) if len(ended) else state


def _shaped(problem: Problem, before: Floats, after: Floats, terminated: Bools) -> Floats:
    if problem.shaping is None:
        return np.zeros(len(before))
    ahead = np.where(terminated, 0.0, problem.shaping.potential(after))
    return np.asarray(problem.discount * ahead - problem.shaping.potential(before))


def _too_large(cells: Cells, actions: int) -> SettingsError:
    sizes = " x ".join(str(size) for size in cells.sizes if size > 1)
    return SettingsError(
        expected=f"a table of at most {MOST_ENTRIES:,} values",
        found=f"{cells.count * actions:,}: cells {sizes}, with {actions} actions in each",
        where="Q-learning",
        fix="name fewer `features` or fewer `cells` of each, or take a recipe with a network (dqn, ppo)",
    )
