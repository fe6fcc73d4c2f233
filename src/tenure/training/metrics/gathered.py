"""All metrics of one seed, gathered at each point of its curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import nn

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.trace import Trace
from tenure.training.curriculum import Trials
from tenure.training.metrics.learner import LearnerMeter
from tenure.training.metrics.scores import kpi_metrics, unit_metrics
from tenure.training.metrics.updates import UpdateMeter
from tenure.training.metrics.worlds import Greedy, WorldMeter
from tenure.training.network import TorchPolicy
from tenure.training.settings import Settings
from tenure.training.worlds import reward_of, training_worlds

NO_DRAW = np.empty(0)
"""For a policy that draws nothing."""
TRAIN_EVERY = 10
"""Points of the curve between two scores on training worlds; the last has one."""
TRIED, FEWEST, MOST = 10_000, 64, 2048
"""Decisions of a score on training worlds, in so many worlds at least and at most."""


class Metrics:
    """What every point of a curve tells beside its score; a part of a checkpoint.

    Args:
        project: what is trained for.
        settings: of the recipe.
        problem: as the learner sees it.
        seed: of the run; decides which training worlds `train_score` is measured on.
    """

    def __init__(self, project: Project, settings: Settings, problem: Problem, seed: int) -> None:
        self.project, self.settings, self.problem = project, settings, problem
        self._meters: dict[str, WorldMeter | LearnerMeter | UpdateMeter] = {}
        worlds, episodes = training_worlds(project, settings), tried(project.problem.horizon)
        self._trials = Trials(project.problem, worlds, project.incumbent, seed, episodes)
        self._points = 0

    def of_worlds(self, greedy: Greedy | None = None, scaled: Callable[[Floats], Floats] | None = None) -> WorldMeter:
        """Measure what the training worlds go through from now on; who steps them calls its `update`.

        Args:
            greedy: what the policy's best is; None counts no exploration.
            scaled: raw observations in the learner's units before they are cut off; None for a learner that has none.
        """
        reward, n = reward_of(self.project, self.settings), self.settings.worlds
        meter = self._meters["worlds"] = WorldMeter(self.problem, reward, n, greedy, scaled)
        return meter

    def of_updates(self, optimiser: torch.optim.Optimizer) -> UpdateMeter:
        """Measure a learner's updates from now on; who makes them calls its `update`."""
        meter = self._meters["updates"] = UpdateMeter([optimiser])
        return meter

    def of_learner(self, learner: Any, graph: Callable[[], nn.Module]) -> LearnerMeter:
        """Measure a learner of Stable-Baselines3 from now on, as one of its callbacks, and how it explores.

        Args:
            learner: a `BaseAlgorithm` over the worlds that are measured.
            graph: of the learner as it is, from raw observations.
        """

        def greedy(seen: Floats, allowed: Bools | None) -> Any:
            return TorchPolicy(graph()).propose(seen, allowed, NO_DRAW).action

        worlds, meter = self._meters["worlds"], LearnerMeter(learner)
        assert isinstance(worlds, WorldMeter)
        worlds.greedy, self._meters["learner"] = greedy, meter
        return meter

    def at(self, graph: nn.Module, trace: Trace, policy: Policy, steps: int) -> dict[str, float]:
        """What was measured since the last point of the curve; what is not finite is left out.

        Args:
            graph: from raw observations to logits, or to vectors for a `Box`.
            trace: of its policy on the selection data.
            policy: that one.
            steps: decisions so far.
        """
        assert trace.observation is not None
        history = self.settings.history
        seen = trace.observation if history is None else history.windows(trace.observation)
        found = kpi_metrics(self.project.problem, trace) | unit_metrics(graph, seen)
        for meter in self._meters.values():
            found |= meter.take()
        self._points += 1
        due = self._points % TRAIN_EVERY == 0 or steps >= self.settings.steps
        if due and self.settings.curriculum is None:  # with one, `levels` say it of each
            found["train_score"] = self._trials.kpi(policy, self.settings.level)
        return {name: value for name, value in found.items() if isfinite(value)}

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints."""
        return {"points": self._points, **{name: meter.state_dict() for name, meter in self._meters.items()}}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint, with the same meters."""
        self._points = state["points"]
        for name, meter in self._meters.items():
            meter.load_state_dict(state[name])


def tried(horizon: int) -> int:
    """Training worlds a policy is scored on, each for one horizon.

    >>> tried(168), tried(1), tried(10_000)
    (64, 2048, 64)
    """
    return min(max(TRIED // horizon, FEWEST), MOST)
