"""A simulator in another process, as a `Simulator`."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Split, Step
from tenure.simulators.actions import Actions
from tenure.simulators.bridge.answers import Hello
from tenure.simulators.bridge.courses import Course, Moment
from tenure.simulators.bridge.failures import Failure
from tenure.simulators.bridge.host import Host
from tenure.simulators.bridge.talk import Way
from tenure.simulators.room import room_for
from tenure.simulators.seeded import TRAINING, panel_of_seeds

T = TypeVar("T")

log = logging.getLogger("tenure.bridge")


@dataclass(frozen=True)
class BridgeWorlds:
    """n worlds in another process, each somewhere on its course.

    Args:
        course: the world's seed and the actions since; objects, [n].
        age: how many of the actions were taken; int64 [n].
        observation: what is seen; float32 [n, features].
        allowed: actions allowed next; bool [n, actions], no columns for a `Box`.
    """

    course: npt.NDArray[np.object_]
    age: Ints
    observation: Floats
    allowed: Bools


class BridgeSimulator:
    """Worlds in a process that speaks the bridge's protocol (docs/simulators.md), started when first needed.

    A state is a seed and the actions since, so any state can be stepped again: the process begins a world of that
    seed and is led through the actions. The same saves a run when the process fails: it is started again and every
    world is led back to where it stood. `incidents` counts that. All chance is the process's, by the seeds it is given.

    Args:
        problem: its features, actions and signals must be the process's, in the same order.
        command: starts the process; it is asked over its standard input and answers over its standard output.
        address: host and port of a process that listens; instead of `command`.
        folder: in which the command starts.
        timeout_s: seconds for each answer.
        start_s: seconds for the first answer after a start.
        restarts: how often in a row it is started again before the failure is an error.
        most_restarts: how often over a whole run; a process that fails now and then is told of, not nursed for ever.
        max_line_bytes: longest line either way.
        worlds: worlds side by side in a panel, each with a seed of its own; no more than the process can hold.
        interval: time between two decisions.
        clock: measures the time-outs.

    Raises:
        ProjectError: neither a command nor an address, or both.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        command: Sequence[str] | None = None,
        address: tuple[str, int] | None = None,
        folder: Path | None = None,
        timeout_s: float = 10.0,
        start_s: float = 30.0,
        restarts: int = 3,
        most_restarts: int = 100,
        max_line_bytes: int = 1 << 24,
        worlds: int = 64,
        interval: timedelta = timedelta(seconds=1),
        clock: Clock | None = None,
    ) -> None:
        if (command is None) == (address is None):
            found = "neither" if command is None else "both"
            fix = "give the command that starts the process, or the address where it listens"
            raise ProjectError(expected="a command or an address", found=found, where="BridgeSimulator", fix=fix)
        way = Way(command, address, folder, timeout_s, start_s, max_line_bytes)
        self.problem, self.name, self.restarts, self.most_restarts = problem, way.name, restarts, most_restarts
        self.worlds, self.interval = worlds, interval
        self._host = Host(problem, way, clock or SystemClock())
        self._end = weakref.finalize(self, self._host.close)

    @property
    def hello(self) -> Hello:
        """What the process says of itself.

        Raises:
            ProjectError: it cannot be started, or is not this problem's.
        """
        return self._tried(lambda: self._host.hello)

    @property
    def version(self) -> str:
        """Hash of what the process says of itself, its own version among it."""
        return self.hello.version

    @property
    def levels(self) -> Mapping[str, str]:
        """The process's parameter sets, by name."""
        return {name: name for name in self.hello.levels}

    @property
    def most_worlds(self) -> int | None:
        """How many worlds the process can hold at once, by its own word; None for any number."""
        return self.hello.most_worlds

    @property
    def incidents(self) -> dict[str, int]:
        """What went wrong and was mended: `restarts` of the process, `led_back` worlds of those it held, and
        `strayed`, worlds that did not come back to what had been seen of them, so their seed does not decide them."""
        return dict(self._host.incidents)

    def close(self) -> None:
        """End the process; the next use starts it again."""
        self._host.close()

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> BridgeWorlds:
        """n fresh worlds, each by a seed drawn here."""
        return self.seeded([int(seed) for seed in rng.integers(TRAINING, size=n)], level)

    def seeded(self, seeds: list[int], level: str = "normal") -> BridgeWorlds:
        """Fresh worlds of these seeds."""
        courses = [self._host.course(seed, level) for seed in seeds]
        self._tried(lambda: self._host.hold(courses))
        return _worlds(self.problem, courses, [0] * len(courses), [course.moment for course in courses])

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """Worlds of seeds that `reset` never draws, over one episode; a day is an episode with seeds of its own.

        Raises:
            DataError: a day before the first, or more than one.
        """
        place, steps = (self.name, split, first_day, days), self.problem.horizon
        worlds = room_for(self, self.worlds)
        return panel_of_seeds(*place, worlds=worlds, steps=steps, interval=self.interval, seeded=self.seeded)

    def observe(self, state: BridgeWorlds) -> Floats:
        """What is seen; float32 [n, features]."""
        return state.observation.copy()

    def mask(self, state: BridgeWorlds) -> Bools:
        """What the process allows, or everything; bool [n, actions]."""
        return state.allowed.copy()

    def step(self, state: BridgeWorlds, action: Actions, rng: np.random.Generator) -> Step:  # noqa: ARG002
        """One decision in each world, all in one request; an ended world stays as it is, its signals 0.

        Raises:
            ProjectError: the process keeps failing, or answers with something that is no step of this problem.
        """
        stepped = self._tried(lambda: self._stepped(state, action))
        moments = [moment for *_, moment in stepped]
        after = _worlds(self.problem, [course for course, *_ in stepped], [age for _, age, _ in stepped], moments)
        signals = {
            name: np.array([each.signals[name] for each in moments]) for name in sorted(self.problem.signal_names)
        }
        return Step(after, signals, np.array([each.terminated for each in moments], dtype=bool))

    def _stepped(self, state: BridgeWorlds, action: Actions) -> list[tuple[Course, int, Moment]]:
        """For each world its course, its age after the step, and what came."""
        came: dict[int, tuple[Course, int, Moment]] = {}
        moving: dict[int, Course] = {}
        for row, (course, age) in enumerate(zip(state.course, map(int, state.age), strict=True)):
            newest = age == len(course.actions)
            if newest and course.moment.terminated:
                came[row] = (course, age, _still(course.moment))
            elif age + 1 == len(course.actions) and np.array_equal(action[row], course.actions[-1]):
                came[row] = (course, age + 1, course.moment)
            elif newest and all(course is not other for other in moving.values()):
                moving[row] = course
            else:
                seen = Moment(state.observation[row], state.allowed[row], {}, terminated=False)
                moving[row] = course.beginning(age, seen)
        courses = list(moving.values())
        moments = self._host.step(courses, [action[row] for row in moving]) if courses else []
        for row, course, moment in zip(moving, courses, moments, strict=True):
            came[row] = (course, len(course.actions), moment)
        return [came[row] for row in range(len(state.age))]

    def _tried(self, ask: Callable[[], T]) -> T:
        """Ask, starting the process again where it fails, up to `restarts` times."""
        left = self.restarts
        while True:
            try:
                return ask()
            except Failure as failure:
                self._host.drop()
                worn = self._host.incidents["restarts"] > self.most_restarts
                if not left or worn or not self._host.known:
                    raise self._given_up(failure) from failure
                left -= 1
                log.warning("%s: %s; it is started again (%d more times)", self.name, failure.found, left)
            except ProjectError:
                # What it did cannot be taken back, so where it stands is no longer known.
                self._host.close()
                raise

    def _given_up(self, failure: Failure) -> ProjectError:
        done = self._host.incidents["restarts"]
        tried = f" (and {self.restarts} times before, each after a restart)" if self._host.known else ""
        tried = f", after {done - 1} restarts in this run" if done > self.most_restarts else tried
        expected = "an answer to every request"
        return ProjectError(expected=expected, found=failure.found + tried, where=self.name, fix=failure.fix)


def _still(moment: Moment) -> Moment:
    return Moment(moment.observation, moment.allowed, dict.fromkeys(moment.signals, 0.0), terminated=True)


def _worlds(problem: Problem, courses: list[Course], ages: list[int], moments: list[Moment]) -> BridgeWorlds:
    kept = np.empty(len(courses), dtype=object)
    kept[:] = courses
    seen = np.array([each.observation for each in moments], dtype=np.float32).reshape(-1, len(problem.observation))
    allowed = np.array([each.allowed for each in moments], dtype=bool).reshape(len(moments), -1)
    return BridgeWorlds(kept, np.array(ages, dtype=np.int64), seen, allowed)
