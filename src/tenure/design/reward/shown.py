"""A stretch of one world as people read it: what was seen, done, measured and paid, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.design.reward.conduct import Conduct

SHOWN = 16
"""Steps that are shown: enough for a loop to repeat itself, few enough to read."""


@dataclass(frozen=True)
class ShownStep:
    """One decision: the features seen, the action's label, the signals that followed and the reward by term."""

    step: int
    features: Mapping[str, float]
    action: str
    signals: Mapping[str, float]
    reward: Mapping[str, float]


def shown_steps(problem: Problem, conduct: Conduct, reference: Conduct, signal: str) -> tuple[ShownStep, ...]:
    """The stretch in which a behaviour differs most from the incumbent in one signal, in the world where it gains most.

    Args:
        problem: names features, actions and signals.
        conduct: the behaviour.
        reference: the incumbent, in the same worlds.
        signal: what to look for.
    """
    gain = conduct.returns(problem.reward) - reference.returns(problem.reward)
    world = int(gain.argmax())
    apart = np.abs(conduct.trace.signals[signal][:, world] - reference.trace.signals[signal][:, world])
    alive = int(conduct.trace.alive[:, world].sum())
    summed = np.concatenate([[0.0], np.cumsum(apart[:alive])])
    length = min(SHOWN, alive)
    first = int((summed[length:] - summed[: alive - length + 1]).argmax())
    return tuple(_shown(problem, conduct, world, step) for step in range(first, first + length))


def _shown(problem: Problem, conduct: Conduct, world: int, step: int) -> ShownStep:
    trace = conduct.trace
    signals = {signal.name: trace.signals[signal.name][step, world] for signal in problem.signals}
    seen = () if trace.observation is None else trace.observation[step, world]
    action = int(trace.action[step, world])
    label = problem.action.labels[action] if isinstance(problem.action, Discrete) else str(action)
    paid = problem.reward.by_term({name: np.asarray(value) for name, value in signals.items()})
    return ShownStep(
        step=step,
        features=dict(zip(problem.feature_names, map(float, seen), strict=False)),
        action=label,
        signals={name: float(value) for name, value in signals.items()},
        reward={name: float(value) for name, value in paid.items()},
    )
