"""The problem of a Gymnasium environment: features and actions from its spaces, the reward as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from tenure.core.errors import ProjectError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.simulators.gymnasium_makers import Source
from tenure.simulators.gymnasium_world import GymnasiumSimulator

INFINITE = float("inf")


def problem_of(
    source: Source | GymnasiumSimulator,
    name: str | None = None,
    *,
    about: str = "",
    features: Sequence[str | Feature] | None = None,
    labels: Sequence[str] | None = None,
    signals: Sequence[Signal] | None = None,
    reward: Reward | None = None,
    kpis: Sequence[KPI] | None = None,
    discount: float = 0.99,
) -> Problem:
    """A problem that fits an environment, to begin with; what is known better is given.

    Args:
        source: the environment, or the simulator made of it.
        name: of the problem; default the environment's, with what an address cannot hold replaced by `-`.
        about: what is decided; default the environment's name.
        features: names of the flattened observation's numbers, or whole features; default `observation_0`, ...
        labels: of the actions, or the names of a `Box`'s numbers; default `0`, `1`, ... and `action_0`, ...
        signals: default `reward`, without bounds, and `started`, 1 at the first step of an episode; needed where the
            environment gives signals of its own.
        reward: default the environment's own.
        kpis: default `return`, the environment's reward per episode.
        discount: weight of the next step's value.

    Raises:
        ProjectError: an action space that is neither `Discrete` nor a bounded `Box`, names that do not fit the
            space, no time limit, or signals of its own and nothing said about them.
    """
    world = source if isinstance(source, GymnasiumSimulator) else GymnasiumSimulator(source)
    known = _signals(world, signals, reward)
    default = KPI("return", "reward per episode", "higher", {"reward": 1.0}, {"started": 1.0})
    return Problem(
        name=name or re.sub(r"[^A-Za-z0-9_-]+", "-", world.name).strip("-"),
        about=about or f"The Gymnasium environment {world.name}.",
        observation=_features(world, features),
        action=_action(world, labels),
        signals=known,
        reward=reward or Reward((Term("reward", 1.0, "reward", "the environment's own reward"),)),
        kpis=(default,) if kpis is None else tuple(kpis),
        horizon=world.steps,
        discount=discount,
    )


def _features(world: GymnasiumSimulator, given: Sequence[str | Feature] | None) -> tuple[Feature, ...]:
    space = spaces.flatten_space(world.example.observation_space)
    if not isinstance(space, spaces.Box):
        raise _wrong(world, "an observation that can be flattened into numbers", str(space), "wrap it so that it can")
    low, high = space.low.ravel(), space.high.ravel()
    named: Sequence[str | Feature] = [f"observation_{index}" for index in range(len(low))] if given is None else given
    _check_count(world, "features", len(low), len(named))
    rows = zip(named, low, high, strict=True)
    return tuple(each if isinstance(each, Feature) else _feature(each, float(a), float(b)) for each, a, b in rows)


def _feature(name: str, low: float, high: float) -> Feature:
    # A number that never changes has no range of its own.
    return Feature(name, "", low, high) if low < high else Feature(name, "")


def _action(world: GymnasiumSimulator, labels: Sequence[str] | None) -> Discrete | Box:
    space = world.example.action_space
    if isinstance(space, spaces.Discrete):
        named = [str(int(space.start) + index) for index in range(int(space.n))] if labels is None else labels
        _check_count(world, "labels", int(space.n), len(named))
        return Discrete(tuple(named))
    if not isinstance(space, spaces.Box) or not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        fix = "wrap it: gymnasium.wrappers.RescaleAction bounds a Box, a TransformAction numbers the combinations"
        raise _wrong(world, "a Discrete or a bounded Box of actions", str(space), fix)
    low, high = space.low.ravel().tolist(), space.high.ravel().tolist()
    named = [f"action_{index}" for index in range(len(low))] if labels is None else labels
    _check_count(world, "labels", len(low), len(named))
    return Box(tuple(named), ("",) * len(low), tuple(low), tuple(high))


def _signals(world: GymnasiumSimulator, given: Sequence[Signal] | None, reward: Reward | None) -> tuple[Signal, ...]:
    if given is not None:
        return tuple(given)
    own = world.signals
    if not {"reward", "started"} <= own or reward is not None:
        fix = "give signals=(Signal(name, unit, low, high), ...), reward= and kpis="
        raise _wrong(world, "a word on every signal", f"signals {sorted(own)} and no `signals`", fix)
    return tuple(Signal(name, "", -INFINITE, INFINITE) for name in sorted(own))


def _check_count(world: GymnasiumSimulator, what: str, expected: int, found: int) -> None:
    if expected != found:
        raise _wrong(world, f"{expected} {what}", str(found), "name each number of the flattened space, in order")


def _wrong(world: GymnasiumSimulator, expected: str, found: str, fix: str) -> ProjectError:
    return ProjectError(expected=expected, found=found, where=f"problem_of {world.name}", fix=fix)
