"""Worlds that each break one promise of the batch contract, and one that keeps them all."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tenure.core import Step
from tenure.core.arrays import Bools, Floats, Ints

from .worlds import EndlessWalk, Line


class Broken(EndlessWalk):
    """Breaks one promise of its step; everything else stays right (positions near 0)."""

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        return Line(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64))

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        return self.spoil(Step(replace(step.state, position=step.state.position % 5), step.signals, step.terminated))

    def spoil(self, step: Step) -> Step:
        return step


def with_signals(step: Step, **signals: Any) -> Step:
    return Step(step.state, {"place": np.zeros(len(step.terminated)), **dict(step.signals), **signals}, step.terminated)


class Sound(Broken):
    def spoil(self, step: Step) -> Step:
        return with_signals(step, place=step.state.position.astype(float))


class NanSignal(Sound):
    def spoil(self, step: Step) -> Step:
        moved = step.signals["moved"].copy()
        moved[3] = np.nan
        return with_signals(super().spoil(step), moved=moved)


class UndeclaredSignal(Sound):
    def spoil(self, step: Step) -> Step:
        return with_signals(super().spoil(step), mood=step.signals["moved"])


class MissingSignal(Sound):
    def spoil(self, step: Step) -> Step:
        return Step(step.state, {"moved": step.signals["moved"]}, step.terminated)


class WideSignal(Sound):
    def spoil(self, step: Step) -> Step:
        moved = step.signals["moved"].copy()
        moved[2] = 1.5
        return with_signals(super().spoil(step), moved=moved)


class IntegerSignal(Sound):
    def spoil(self, step: Step) -> Step:
        return with_signals(super().spoil(step), moved=step.signals["moved"].astype(int))


class SignalShape(Sound):
    def spoil(self, step: Step) -> Step:
        return with_signals(super().spoil(step), moved=step.signals["moved"][:, None])


class IntegerEnd(Sound):
    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        return Step(step.state, step.signals, step.terminated.astype(int))


class ScalarEnd(Sound):
    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        ended: Any = False
        return Step(step.state, step.signals, ended)


class Float64Observation(Sound):
    def observe(self, state: Line) -> Floats:
        return super().observe(state).astype(np.float64)


class ShortObservation(Sound):
    def observe(self, state: Line) -> Floats:
        return super().observe(state)[:, :1]


class WideObservation(Sound):
    def observe(self, state: Line) -> Floats:
        seen = super().observe(state)
        seen[1, 0] = 10
        return seen


class NanObservation(Sound):
    def observe(self, state: Line) -> Floats:
        seen = super().observe(state)
        seen[-1, 1] = np.nan
        return seen


class Mutating(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        state.walked[5] += 7
        return step


class MutatingView(Sound):
    def observe(self, state: Line) -> Floats:
        state.walked[4] += 1
        return super().observe(state)


class GlobalChance(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return super().step(state, np.random.randint(0, 3, len(action)), rng)


class OwnChance(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return super().step(state, np.random.default_rng().integers(0, 3, len(action)), rng)


class Crowd(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return super().step(state, np.full(len(action), action.max()), rng)


class CrowdedSignal(Sound):
    def spoil(self, step: Step) -> Step:
        return with_signals(super().spoil(step), moved=np.full(len(step.terminated), 1 / len(step.terminated)))


class CrowdedState(Sound):
    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        walked = step.state.walked + (len(step.terminated) > 1)
        return Step(replace(step.state, walked=walked % 50), step.signals, step.terminated)


class HiddenChance(Sound):
    def observe(self, state: Line) -> Floats:
        return super().observe(replace(state, walked=state.walked * 0))

    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        walked = np.random.default_rng().integers(0, 2**60, len(step.terminated))
        return Step(replace(step.state, walked=walked), step.signals, step.terminated)


class CrowdedView(Sound):
    def observe(self, state: Line) -> Floats:
        seen = super().observe(state)
        seen[:, 0] = seen[:, 0].max()
        return seen


class Shrinking(Sound):
    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        return Step(replace(step.state, walked=step.state.walked[1:]), step.signals, step.terminated)


class Raising(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        raise ZeroDivisionError("nothing to share")


class NoActionLeft(Sound):
    def mask(self, state: Line) -> Bools:
        return np.zeros((len(state.position), 3), dtype=bool)


class PythonChance(Sound):
    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return super().step(state, np.full(len(action), random.randint(0, 2)), rng)


class Remembering(Sound):
    """Adds up in the object what belongs into the state."""

    steps = 0

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        self.steps = 0
        return super().reset(n, rng, level)

    def spoil(self, step: Step) -> Step:
        self.steps += 1
        return with_signals(super().spoil(step), moved=np.full(len(step.terminated), self.steps % 7 / 7))


class NoisySound(Sound):
    """Draws one number for each world."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        return with_signals(super().step(state, action, rng), moved=rng.random(len(action)))


class NoisyCrowd(NoisySound):
    """Draws, and what one world does is felt by all."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        return with_signals(step, moved=step.signals["moved"] * action.mean() / 2)


class NoisyShare(NoisySound):
    """Draws, and worlds share what there is."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        return with_signals(step, moved=step.signals["moved"] / len(action))


class IntegerMask(Sound):
    def mask(self, state: Line) -> Any:
        return np.ones((len(state.position), 3), dtype=np.int8)


class NarrowMask(Sound):
    def mask(self, state: Line) -> Bools:
        return np.ones((len(state.position), 2), dtype=bool)


class EndsAtTheLimit(Sound):
    """Returns terminated where the problem's horizon, 5, cuts off; what is seen does not tell."""

    def observe(self, state: Line) -> Floats:
        return super().observe(replace(state, walked=state.walked * 0))

    def spoil(self, step: Step) -> Step:
        step = super().spoil(step)
        return Step(step.state, step.signals, step.state.walked >= 5)


class HardIsBroken(Sound):
    levels: Mapping[str, object] = {"normal": 0, "easy": 0, "hard": 1}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Line:
        state = super().reset(n, rng, level)
        return replace(state, position=state.position + 20 * (level == "hard"))


class NoNormal(Sound):
    levels: Mapping[str, object] = {"hard": 0}
