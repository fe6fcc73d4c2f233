"""Any Gymnasium environment as a `Simulator`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import ProjectError
from tenure.core.simulator import Panel, Split, Step
from tenure.simulators.actions import Actions
from tenure.simulators.gymnasium_courses import Course, Env, Measure, Moment, Pool, measured
from tenure.simulators.gymnasium_makers import Source, maker_of, version_of
from tenure.simulators.seeded import TRAINING, panel_of_seeds


@dataclass(frozen=True)
class Worlds:
    """n environments, each somewhere on its course.

    Args:
        course: what was done in each world since its seed; objects, [n].
        age: how many actions of the course were taken; int64 [n].
        observation: what is seen; float32 [n, features].
        allowed: actions allowed next; bool [n, actions], no columns for a `Box`.
    """

    course: npt.NDArray[np.object_]
    age: Ints
    observation: Floats
    allowed: Bools


class GymnasiumSimulator:
    """Worlds that are Gymnasium environments.

    Gymnasium keeps a world's state inside the environment. Here the state is the world's seed and the actions since,
    so that any state can be stepped again, as the contract asks: stepped from the newest state an environment moves
    on; from an older one it is set up once more by seed and actions, which takes as many steps as there were actions.
    The worlds are stepped one after another, at the environment's own speed.

    Signals are `info["signals"]` where the environment gives them, else `reward`, and `started`, which is 1 in the
    first step of an episode; `info["cost"]` is the signal `cost`, `info["action_mask"]` the mask. All chance comes
    from the environment's seed, drawn at `reset`. The problem that fits is made by `gymnasium_problem.problem_of`.
    A world that ended stays as it is: stepped on, its signals are 0.

    Args:
        source: a registered id, a factory of environments, or an `Env` or `VectorEnv` object, whose worlds are made
            anew by its registration, its factories, or as copies of it.
        horizon: its time limit in steps; default that of the registration. A truncation before it is an error.
        levels: keyword arguments of the environment for each level; `normal` has none unless given.
        worlds: worlds side by side in a panel, each with a seed of its own.
        interval: time between two decisions.
        measure: from the reward and info of a step, and how many steps went before it, to its signals; default as
            above.

    Raises:
        ProjectError: no such id, or no single worlds can be made of it.
    """

    def __init__(
        self,
        source: Source,
        *,
        horizon: int | None = None,
        levels: Mapping[str, Mapping[str, Any]] | None = None,
        worlds: int = 64,
        interval: timedelta = timedelta(seconds=1),
        measure: Measure = measured,
    ) -> None:
        self._maker = maker_of(source)
        self.name = self._maker.name
        self.horizon = self._maker.horizon if horizon is None else horizon
        self.levels: Mapping[str, Mapping[str, Any]] = {"normal": {}, **(levels or {})}
        self.worlds, self.interval, self.measure = worlds, interval, measure
        self._pools: dict[str, Pool] = {}

    @cached_property
    def version(self) -> str:
        """Hash of the environment's code, its registration, Gymnasium's version and the levels."""
        return version_of(self._maker, self.levels, self.example)

    @cached_property
    def example(self) -> Env:
        """One environment, for its spaces; nobody steps it."""
        return self.fresh()

    def fresh(self) -> Env:
        """A new environment of the level `normal`, by itself."""
        return self._maker.make(**self.levels["normal"])

    @cached_property
    def signals(self) -> frozenset[str]:
        """Names of the signals of a first step."""
        fresh, space = self.seeded([0]), self.example.action_space
        first = fresh.allowed[0].argmax() if isinstance(space, spaces.Discrete) else np.zeros(space.shape or ())
        action = np.array([first])
        return frozenset(self.step(fresh, action, np.random.default_rng(0)).signals)

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Worlds:
        """n fresh worlds, each by a seed drawn here."""
        return self.seeded([int(seed) for seed in rng.integers(TRAINING, size=n)], level)

    def seeded(self, seeds: list[int], level: str = "normal") -> Worlds:
        """Fresh worlds of these seeds."""
        pool = self._pool(level)
        courses = [Course(pool, seed) for seed in seeds]
        return self._worlds(courses, [0] * len(courses), [course.last for course in courses])

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """Worlds of seeds that `reset` never draws, over one episode; a day is an episode's length, with its own seeds.

        Raises:
            DataError: a day before the first, or more than one.
            ProjectError: no time limit is known.
        """
        place = (self.name, split, first_day, days)
        return panel_of_seeds(*place, worlds=self.worlds, steps=self.steps, interval=self.interval, seeded=self.seeded)

    @property
    def steps(self) -> int:
        """Steps of an episode.

        Raises:
            ProjectError: no time limit is known.
        """
        if self.horizon is None:
            raise ProjectError(
                expected="a time limit",
                found="none in the environment's registration",
                where=f"GymnasiumSimulator of {self.name}",
                fix="give one: gymnasium.register(..., max_episode_steps=200), or GymnasiumSimulator(..., horizon=200)",
            )
        return self.horizon

    def observe(self, state: Worlds) -> Floats:
        """What is seen, flattened; float32 [n, features]."""
        return state.observation.copy()

    def mask(self, state: Worlds) -> Bools:
        """`info["action_mask"]`, or everything; bool [n, actions]."""
        return state.allowed.copy()

    def step(self, state: Worlds, action: Actions, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One decision in each world, one after another.

        Raises:
            ProjectError: the environment is not decided by its seed, truncates before the time limit, or gives other
                signals in one world than in the next.
        """
        rows = zip(state.course, state.age, action, state.observation, strict=True)
        stepped = [course.step(int(age), act, seen) for course, age, act, seen in rows]
        moments = [moment for *_, moment in stepped]
        after = self._worlds([course for course, *_ in stepped], [age for _, age, _ in stepped], moments)
        return Step(after, self._signals(moments), np.array([moment.terminated for moment in moments], dtype=bool))

    @property
    def made(self) -> int:
        """How many environments were made so far, at all levels."""
        return sum(pool.made for pool in self._pools.values())

    def close(self) -> None:
        """Close the environments that no state needs."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, level: str) -> Pool:
        if level not in self._pools:
            settings = self.levels[level]
            self._pools[level] = Pool(lambda: self._maker.make(**settings), self.measure, self.horizon)
        return self._pools[level]

    def _worlds(self, courses: list[Course], ages: list[int], moments: list[Moment]) -> Worlds:
        kept = np.empty(len(courses), dtype=object)
        kept[:] = courses
        seen = np.array([moment.observation for moment in moments], dtype=np.float32)
        allowed = np.array([moment.allowed for moment in moments], dtype=bool)
        return Worlds(kept, np.array(ages, dtype=np.int64), seen, allowed)

    def _signals(self, moments: list[Moment]) -> dict[str, Floats]:
        names = list(moments[0].signals) if moments else []
        for world, moment in enumerate(moments):
            if moment.signals.keys() != set(names):
                raise ProjectError(
                    expected=f"the signals {names} of world 0 in every world and step",
                    found=f"{list(moment.signals)} in world {world}",
                    where=f"the environment {self.name}",
                    fix="give every signal at every step, 0 where nothing happened",
                )
        return {name: np.array([moment.signals[name] for moment in moments], dtype=np.float64) for name in names}
