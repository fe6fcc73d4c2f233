"""The process and the worlds it holds: which course has which place, and how a course is led back to where it was."""

from __future__ import annotations

import weakref
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.clock import Clock
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.simulators.bridge.answers import Hello, Reader, Seen
from tenure.simulators.bridge.courses import Course, Moment
from tenure.simulators.bridge.talk import Talk, Way


class Host:
    """One process at a time, and the places of worlds in it.

    A place is a number in one run of the process; after a restart no place is left and courses are led back when they
    are needed next. Where the process holds few worlds, those used longest ago give up their place.

    Args:
        problem: what answers are held against.
        way: how to reach the process.
        clock: measures the time-outs.
    """

    def __init__(self, problem: Problem, way: Way, clock: Clock) -> None:
        self._problem, self._way, self._clock = problem, way, clock
        self._reader = Reader(problem, way.name)
        self._talk: Talk | None = None
        self._hello: Hello | None = None
        self._run = self._next = 0
        self._held: dict[int, weakref.ref[Course]] = {}
        self._free: list[int] = []
        self.incidents: Counter[str] = Counter(restarts=0, led_back=0, strayed=0)

    @property
    def known(self) -> bool:
        """It answered once, so that a failure may be one of the moment."""
        return self._hello is not None

    @property
    def hello(self) -> Hello:
        """What the process said of itself; starts it when it does not run.

        Raises:
            Failure: it does not start or answer.
            ProjectError: it is not this problem's, or came back as another version.
        """
        self._started()
        assert self._hello is not None
        return self._hello

    def close(self) -> None:
        """End the process."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None
        self._run, self._held, self._free = self._run + 1, {}, []

    def drop(self) -> None:
        """End the process after a failure; counted."""
        if self._hello is not None:
            self.incidents["restarts"] += 1
        self.close()

    def course(self, seed: int, level: str) -> Course:
        """A course that has not begun."""
        return Course(seed, level, [], None, self._left)

    def step(self, courses: Sequence[Course], actions: Sequence[npt.NDArray[Any]]) -> list[Moment]:
        """One action in each of these worlds, wherever they are; each course once.

        Raises:
            Failure: the process failed; nothing has changed.
            ProjectError: it answered with something else.
        """
        self.hold(courses)
        moments = self._asked_step(courses, actions)
        for course, action, moment in zip(courses, actions, moments, strict=True):
            course.actions.append(np.array(action))
            course.last = moment
        return moments

    def hold(self, courses: Sequence[Course]) -> None:
        """Give each of these courses a place in the process, led to where it stands.

        Raises:
            Failure: the process failed.
            ProjectError: it cannot hold so many, or answered with something else.
        """
        self._started()
        self._check_room(len(courses))
        lost = [course for course in courses if not self._holds(course)]
        self._make_room(len(lost), courses)
        by_level: dict[str, list[Course]] = defaultdict(list)
        for course in lost:
            by_level[course.level].append(course)
        for level, group in by_level.items():
            self._begin(level, group)
        for course in courses:  # used now, so last to go
            place = course.place[1] if course.place else -1
            self._held[place] = self._held.pop(place)

    def _begin(self, level: str, courses: list[Course]) -> None:
        places = [self._new_place() for _ in courses]
        free, self._free = self._free, []
        fields = {"worlds": places, "seeds": [course.seed for course in courses], "level": level, "forget": free}
        moments = self._moments(self._line().ask("reset", fields), len(courses), stepped=False)
        for course, place in zip(courses, places, strict=True):
            course.place = (self._run, place)
            self._held[place] = weakref.ref(course)
        self._lead(courses, moments)

    def _lead(self, courses: list[Course], moments: list[Moment]) -> None:
        """Through the actions they have taken, all together; what then is seen is held against what was seen."""
        now = dict(enumerate(moments))
        for age in range(max(len(course.actions) for course in courses)):
            rows = [row for row, course in enumerate(courses) if len(course.actions) > age]
            chosen = [courses[row] for row in rows]
            now |= dict(zip(rows, self._asked_step(chosen, [each.actions[age] for each in chosen]), strict=True))
        for row, course in enumerate(courses):
            before, here = course.last, now[row]
            if before is not None:
                self.incidents["led_back"] += 1
                self.incidents["strayed"] += not np.array_equal(before.observation, here.observation)
            course.last = here

    def _asked_step(self, courses: Sequence[Course], actions: Sequence[npt.NDArray[Any]]) -> list[Moment]:
        places = [course.place[1] if course.place else -1 for course in courses]
        discrete = isinstance(self._problem.action, Discrete)
        told = [int(action) if discrete else np.asarray(action, dtype=float).tolist() for action in actions]
        free, self._free = self._free, []
        answer = self._line().ask("step", {"worlds": places, "actions": told, "forget": free})
        return self._moments(answer, len(courses), stepped=True)

    def _moments(self, answer: dict[str, Any], n: int, *, stepped: bool) -> list[Moment]:
        masks = self._hello is not None and self._hello.masks
        seen: Seen = self._reader.seen(answer, n, masks=masks, stepped=stepped)
        return [
            Moment(
                seen.observation[row],
                seen.allowed[row],
                {name: float(values[row]) for name, values in seen.signals.items()},
                bool(seen.terminated[row]),
            )
            for row in range(n)
        ]

    def _started(self) -> None:
        if self._talk is None:
            talk = Talk(self._way, self._clock)
            try:
                self._hello = self._agreed(self._reader.hello(talk.hello))
            except BaseException:
                talk.close()
                raise
            self._talk = talk

    def _agreed(self, hello: Hello) -> Hello:
        if self._hello is not None and hello.version != self._hello.version:
            raise ProjectError(
                expected=f"the process that was there, version {self._hello.version}",
                found=f"version {hello.version} after a restart",
                where=self._way.name,
                fix="begin the run again; figures of two simulators do not mix",
            )
        return hello

    def _line(self) -> Talk:
        assert self._talk is not None
        return self._talk

    def _holds(self, course: Course) -> bool:
        return course.place is not None and course.place[0] == self._run and course.place[1] in self._held

    def _left(self, place: tuple[int, int]) -> None:
        """Nobody needs this place any more; told to the process with the next request."""
        if place[0] == self._run and self._held.pop(place[1], None) is not None:
            self._free.append(place[1])

    def _new_place(self) -> int:
        self._next += 1
        return self._next

    def _check_room(self, n: int) -> None:
        most = self.hello.most_worlds
        if most is not None and n > most:
            raise ProjectError(
                expected=f"at most {most} worlds, as the process said",
                found=f"{n}",
                where=self._way.name,
                fix="ask for fewer worlds side by side, or run several processes",
            )

    def _make_room(self, new: int, needed: Sequence[Course]) -> None:
        most = self.hello.most_worlds
        if most is None:
            return
        needed_places = {course.place[1] for course in needed if course.place and self._holds(course)}
        others = [place for place in self._held if place not in needed_places]
        for place in others[: max(0, len(self._held) + new - most)]:
            self._held.pop(place)
            self._free.append(place)
