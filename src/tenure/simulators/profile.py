"""Where a simulator's time and memory go, how it grows with the worlds, and what a plain loop would give."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from tenure.core.clock import Clock
from tenure.core.errors import EvidenceError
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State
from tenure.core.spaces import Discrete
from tenure.simulators.actions import Actions, allowed_actions, random_actions
from tenure.simulators.batch import fields_of, put
from tenure.simulators.gym_env import SimulatorEnv
from tenure.simulators.gymnasium_world import GymnasiumSimulator
from tenure.simulators.python_loops import MANY, Loop, python_loop
from tenure.simulators.room import most_worlds, room_for
from tenure.simulators.throughput import steps_per_second

WORLDS = (1, 4, 16, 64, 256, 1024, 4096)
USUAL = 1024
"""Worlds at which shares and memory are taken, where so many were measured."""

BLOCK_S = 0.4
"""Seconds given to each figure."""

LONGEST_S = 2.0
"""A batch step that would take longer is not tried."""


@dataclass(frozen=True)
class Rate:
    """World steps per second with so many worlds side by side, in one process."""

    worlds: int
    steps_per_s: float


@dataclass(frozen=True)
class Profile:
    """What a simulator costs.

    Args:
        version: the simulator's.
        rates: at each number of worlds that could be measured, growing.
        shares: of the time of a step, by part: dynamics, observation, mask, reward; they sum to 1.
        state_bytes: memory of one world's state.
        working_bytes: most memory one world's step needed besides, in passing.
        gymnasium_steps_per_s: the same world in a plain Gymnasium loop, one world, in the same run.
        loop: the Python line that runs once or more for each world; None where there is none.
        at: worlds at which shares and memory were taken.
        most_worlds: that it can hold at once; None for any number.
    """

    version: str
    rates: tuple[Rate, ...]
    shares: dict[str, float]
    state_bytes: float
    working_bytes: float
    gymnasium_steps_per_s: float
    loop: Loop | None
    at: int
    most_worlds: int | None = None

    @property
    def steps_per_s(self) -> float:
        """World steps per second at `at` worlds."""
        return next(rate.steps_per_s for rate in self.rates if rate.worlds == self.at)

    @property
    def hints(self) -> list[str]:
        """What would make it faster."""
        loop = self.loop
        if loop is None:
            return []
        gain = self.steps_per_s / self.rates[0].steps_per_s
        return [
            f"a Python loop runs over the worlds at {loop.where}: every further world adds {loop.lines_per_world:.0f} "
            f"lines of Python to a step, and {self.at} worlds together are only {gain:.1f} times as fast as one; write "
            "it with arrays over the worlds"
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "steps_per_s": self.steps_per_s,
            "worlds": self.at,
            "most_worlds": self.most_worlds,
            "scaling": [{"worlds": rate.worlds, "steps_per_s": rate.steps_per_s} for rate in self.rates],
            "shares": self.shares,
            "state_bytes_per_world": self.state_bytes,
            "working_bytes_per_world": self.working_bytes,
            "gymnasium_steps_per_s": self.gymnasium_steps_per_s,
            "python_loop": None if self.loop is None else self.loop.where,
            "hints": self.hints,
            "simulator_version": self.version,
        }


def profile(
    problem: Problem, simulator: Simulator, clock: Clock, worlds: tuple[int, ...] = WORLDS, block_s: float = BLOCK_S
) -> Profile:
    """Measure a simulator under random allowed actions, at the level `normal`.

    Args:
        problem: states actions and reward.
        simulator: what to measure.
        clock: measures the time.
        worlds: how many side by side, growing; stops where a single batch step would take over two seconds, and at
            the most that the simulator can hold.
        block_s: seconds for each figure.

    Raises:
        EvidenceError: the clock does not move.
    """
    most = most_worlds(simulator)
    rates = _rates(problem, simulator, clock, _within(worlds, most), block_s)
    at = max((rate.worlds for rate in rates if rate.worlds <= USUAL), default=rates[0].worlds)
    return Profile(
        simulator.version,
        rates,
        _shares(problem, simulator, clock, at, block_s),
        *_memory(problem, simulator, at),
        gymnasium_loop(problem, simulator, clock, block_s),
        python_loop(lambda n: _one_step(problem, simulator, n), room_for(simulator, MANY)),
        at,
        most,
    )


def _within(worlds: tuple[int, ...], most: int | None) -> tuple[int, ...]:
    """Those numbers of worlds for which there is room, and the most itself where one is beyond it.

    >>> _within((1, 4, 16), 10)
    (1, 4, 10)
    """
    if most is None or most >= max(worlds):
        return worlds
    return (*(n for n in worlds if n < most), most)


def _rates(
    problem: Problem, simulator: Simulator, clock: Clock, worlds: tuple[int, ...], block_s: float
) -> tuple[Rate, ...]:
    rates: list[Rate] = []
    for n in worlds:
        # As slow as the last for each world, at worst.
        if rates and n / rates[-1].steps_per_s > LONGEST_S:
            break
        first = steps_per_second(problem, simulator, n, 2, clock)
        steps = int(np.clip(block_s * first / n, 2, 2000))
        rates.append(Rate(n, max(steps_per_second(problem, simulator, n, steps, clock), first)))
    return tuple(rates)


class _Parts:
    """Seconds spent in each part of a step."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.seconds = clock, dict.fromkeys(("dynamics", "observation", "mask", "reward"), 0.0)

    def timed(self, part: str, call: Callable[..., Any], *args: Any) -> Any:
        """Call, and count the time for that part."""
        started = self._clock.monotonic()
        given = call(*args)
        self.seconds[part] += self._clock.monotonic() - started
        return given


def _shares(problem: Problem, simulator: Simulator, clock: Clock, n: int, block_s: float) -> dict[str, float]:
    """Share of the time in each part of a step; drawing actions and fresh worlds is not counted."""
    rng, parts = np.random.default_rng(0), _Parts(clock)
    state, started = simulator.reset(n, rng), clock.monotonic()
    for _ in range(2000):
        seen = parts.timed("observation", simulator.observe, state)
        allowed = parts.timed("mask", allowed_actions, problem, simulator, state, seen)
        step = parts.timed("dynamics", simulator.step, state, random_actions(problem, n, rng, allowed), rng)
        parts.timed("reward", problem.reward, step.signals)
        state = _renewed(simulator, step, rng)
        if clock.monotonic() - started > block_s:
            break
    total = sum(parts.seconds.values())
    if total <= 0:
        raise EvidenceError(
            expected="a measurable time",
            found=f"{total} s",
            where="profile",
            fix="take a clock that moves, or more worlds",
        )
    return {part: value / total for part, value in parts.seconds.items()}


def _memory(problem: Problem, simulator: Simulator, n: int) -> tuple[float, float]:
    """Bytes of one world's state, and the most that one world's step took in passing."""
    state, action, rng = _ready(problem, simulator, n)
    simulator.step(state, action, rng)
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    simulator.step(state, action, rng)
    peak = tracemalloc.get_traced_memory()[1]
    if not tracing:
        tracemalloc.stop()
    return sum(values.nbytes for values in fields_of(state).values()) / n, max(peak - before, 0) / n


def gymnasium_loop(problem: Problem, simulator: Simulator, clock: Clock, block_s: float = BLOCK_S) -> float:
    """Steps per second of one world as a Gymnasium environment, in the loop that every tutorial shows.

    Raises:
        EvidenceError: the clock does not move.
    """
    env: gymnasium.Env[Any, Any] = (
        simulator.fresh() if isinstance(simulator, GymnasiumSimulator) else SimulatorEnv(problem, simulator)
    )
    env.action_space.seed(0)
    _looped(env, problem.horizon, clock, block_s, 20)  # the first steps pay for what is loaded on first use
    steps, elapsed = _looped(env, problem.horizon, clock, block_s, 100_000)
    env.close()  # type: ignore[no-untyped-call]
    if elapsed <= 0:
        found, fix = f"{elapsed} s", "take a clock that moves"
        raise EvidenceError(expected="a measurable time", found=found, where="gymnasium_loop", fix=fix)
    return steps / elapsed


def _looped(env: gymnasium.Env[Any, Any], horizon: int, clock: Clock, block_s: float, most: int) -> tuple[int, float]:
    """Steps taken and seconds they took."""
    _, info = env.reset(seed=0)
    started, steps, age = clock.monotonic(), 0, 0
    while (elapsed := clock.monotonic() - started) < block_s and steps < most:
        masked = {"mask": info["action_mask"]} if "action_mask" in info else {}
        _, _, terminated, truncated, info = env.step(env.action_space.sample(**masked))
        steps, age = steps + 1, age + 1
        if terminated or truncated or age >= horizon:
            _, info = env.reset()
            age = 0
    return steps, elapsed


def _one_step(problem: Problem, simulator: Simulator, n: int) -> Callable[[], object]:
    state, action, rng = _ready(problem, simulator, n)
    mask = getattr(simulator, "mask", None) if isinstance(problem.action, Discrete) else None

    def step() -> None:
        simulator.observe(state)
        if mask is not None:
            mask(state)
        simulator.step(state, action, rng)

    step()  # what is loaded or worked out on first use is no part of a step
    return step


def _ready(problem: Problem, simulator: Simulator, n: int) -> tuple[State, Actions, np.random.Generator]:
    rng = np.random.default_rng(0)
    state = simulator.reset(n, rng)
    allowed = allowed_actions(problem, simulator, state, simulator.observe(state))
    return state, random_actions(problem, n, rng, allowed), rng


def _renewed(simulator: Simulator, step: Any, rng: np.random.Generator) -> State:
    ended = np.flatnonzero(step.terminated)
    return put(step.state, ended, simulator.reset(len(ended), rng)) if len(ended) else step.state
