"""Actions that take effect later than they are decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tenure.core.arrays import Bools
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator, State, Step
from tenure.core.spaces import Discrete
from tenure.simulators.actions import Actions, allowed_actions, is_masked, nearest_allowed
from tenure.simulators.batch import size
from tenure.simulators.disturbances.wrapper import Disturbed, DisturbedSimulator, refused


@dataclass(frozen=True)
class Waiting:
    """Actions decided and not yet taken.

    Args:
        action: from the oldest to the newest, int64 [n, steps]; for a `Box` float [n, steps, numbers].
        fresh: nothing was decided in this world yet, bool [n].
    """

    action: Actions
    fresh: Bools


@dataclass(frozen=True)
class ActionDelay:
    """An action takes effect `steps` decisions after it was decided; until the first does, it is taken at once.

    So the action of step t is the one decided at step t - steps, and at the first steps the very first. Where it is
    not allowed any more, the nearest allowed one takes its place, by the world's true reading.

    Args:
        steps: how much later, at least 0.
    """

    steps: int
    layer: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise refused(self, "steps of at least 0", f"{self.steps}", "mend the setting")

    @property
    def idle(self) -> bool:
        """It delays by nothing."""
        return self.steps == 0

    def around(self, problem: Problem, simulator: Simulator) -> DisturbedSimulator:
        """The simulator under this disturbance."""
        return _Acted(problem, simulator, self)


class _Acted(DisturbedSimulator):
    def begin(self, world: State, rng: np.random.Generator) -> Waiting:  # noqa: ARG002
        n, steps, action = size(world), self.disturbance.steps, self.problem.action
        if isinstance(action, Discrete):
            return Waiting(np.zeros((n, steps), np.int64), np.ones(n, dtype=bool))
        return Waiting(np.zeros((n, steps, len(action.low))), np.ones(n, dtype=bool))

    def step(self, state: Disturbed, action: Any, rng: np.random.Generator) -> Step:
        waiting: Waiting = state.memory
        decided = np.asarray(action, dtype=waiting.action.dtype)
        queue = waiting.action.copy()
        queue[waiting.fresh] = decided[waiting.fresh, None]
        step = self.inner.step(state.world, self._legal(state.world, queue[:, 0]), rng)
        after = Waiting(np.concatenate([queue[:, 1:], decided[:, None]], axis=1), np.zeros(len(decided), dtype=bool))
        return Step(Disturbed(step.state, after), step.signals, step.terminated)

    def _legal(self, world: State, action: Actions) -> Actions:
        if not is_masked(self.problem, self.inner):
            return action
        allowed = allowed_actions(self.problem, self.inner, world, self.inner.observe(world))
        return action if allowed is None else nearest_allowed(action, allowed)
