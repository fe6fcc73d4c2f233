"""Learned penalties: the weight of a limit held by `lagrange` rises while the limit is broken, and falls while not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from tenure.core.arrays import Floats
from tenure.core.problem import Limit
from tenure.simulators.vec_env import SimulatorVecEnv


class Duals:
    """The weights, moved by dual ascent: weight += rate * (mean - most), never below 0, from 0 on.

    The policy that is best under the final weights keeps the limits as well as any can, where a policy that mixes is
    allowed; the greedy one that is exported may fall to either side, which is why checkpoints are chosen by the limits
    first.

    Args:
        limits: those whose weights are learned.
        rates: of each, in reward per squared unit of its signal.

    Source: Tessler, Mankowitz and Mannor (2019), "Reward constrained policy optimization".
    """

    def __init__(self, limits: Sequence[Limit], rates: Sequence[float]) -> None:
        self.limits, self.rates = tuple(limits), tuple(rates)
        self.weights = {limit.name: 0.0 for limit in limits}
        """Reward per unit of each limit's signal, by the limit's name."""

    def update(self, means: Mapping[str, float]) -> None:
        """One ascent step.

        Args:
            means: mean per decision of each limited signal, under the policy as it is.
        """
        for limit, rate in zip(self.limits, self.rates, strict=True):
            moved = self.weights[limit.name] + rate * (means[limit.signal] - limit.most)
            self.weights[limit.name] = max(moved, 0.0)

    def priced(self, reward: Callable[[Mapping[str, Floats]], Floats]) -> Callable[[Mapping[str, Floats]], Floats]:
        """The reward less each limited signal at its current weight; trained on and nowhere else."""

        def less(signals: Mapping[str, Floats]) -> Floats:
            price = sum(self.weights[limit.name] * signals[limit.signal] for limit in self.limits)
            return np.asarray(reward(signals) - price)

        return less if self.limits else reward


def natural_rates(
    limits: Sequence[Limit], rate: float, reward_std: float, deviation: Mapping[str, float]
) -> list[float]:
    """Rates that do not depend on units: a breach of one deviation moves a weight by `rate` reward deviations per one.

    Args:
        limits: those to be learned.
        rate: without unit.
        reward_std: standard deviation of one step's reward.
        deviation: of each signal, in its unit.
    """
    return [rate * reward_std / deviation[limit.signal] ** 2 for limit in limits]


class DualAscent(BaseCallback):
    """Moves the weights after every rollout, by what its own decisions did; or after several short ones.

    Args:
        duals: the weights.
        worlds: whose signals are read.
        least: decisions between two moves.
    """

    def __init__(self, duals: Duals, worlds: SimulatorVecEnv, least: int = 0) -> None:
        super().__init__()
        self.duals, self.worlds, self.least = duals, worlds, least
        self.seen: dict[str, list[float]] = {}

    def _on_rollout_start(self) -> None:
        if not self.seen:
            self.seen = {limit.signal: [] for limit in self.duals.limits}

    def _on_step(self) -> bool:
        for name, means in self.seen.items():
            means.append(float(self.worlds.signals[name].mean()))
        return True

    def _on_rollout_end(self) -> None:
        steps = len(next(iter(self.seen.values()), ()))
        if not self.seen or steps * self.worlds.num_envs < self.least:
            return
        self.duals.update({name: float(np.mean(means)) for name, means in self.seen.items()})
        self.seen = {}
        for name, weight in self.duals.weights.items():
            self.logger.record(f"limits/{name}", weight)
