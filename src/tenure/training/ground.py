"""What a recipe stands on: one seed's worlds in the learner's units, its limits, its checkpoints, its best policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from tenure.core.history import History, Newest
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.residual import Adjusting, Residual
from tenure.core.reward import Reward
from tenure.core.simulator import Simulator
from tenure.core.spaces import Box
from tenure.simulators.actions import is_masked
from tenure.simulators.remembering import RememberingWorlds
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.bandit_graph import BanditGraph
from tenure.training.curriculum import Climb, Trials
from tenure.training.duals import DualAscent, Duals, natural_rates
from tenure.training.export import PolicyGraph, policy_graph
from tenure.training.history import mixing
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import fit_normaliser
from tenure.training.record import CurvePoint
from tenure.training.residual import AdjustedWorlds, NoAdjustment
from tenure.training.scout import scout
from tenure.training.settings import Settings
from tenure.training.vectors import UnitVectors
from tenure.training.watcher import Report, SelectionWatch
from tenure.training.worlds import training_worlds


@dataclass(frozen=True)
class Trained:
    """What a recipe gives back.

    Args:
        graph: from raw observations to logits, or to vectors for a `Box`: the best checkpoint's (the best first KPI
            among those that keep every limit, else the least broken one).
        curve: every checkpoint on the selection data.
    """

    graph: nn.Module
    curve: list[CurvePoint]


class Ground:
    """One seed of a run, apart from the algorithm.

    Args:
        project: problem, incumbent and simulator.
        settings: of the recipe.
        seed: of worlds, networks and exploration.
        folder: where checkpoints, the learning log and TensorBoard files go.
        report: called with every point of the learning curve.
    """

    def __init__(self, project: Project, settings: Settings, seed: int, folder: Path, report: Report) -> None:
        torch.set_num_threads(1)
        self.project, self.settings, self.seed, self.folder = project, settings, seed, folder
        self.problem: Problem = project.problem
        self.simulator: Simulator = training_worlds(project, settings)
        self.incumbent: Policy = project.incumbent
        if settings.residual is not None:
            self._adjust(settings.residual)
        if settings.history is not None:
            self._remember(settings.history)
        chance, level = np.random.default_rng(seed), settings.hardest
        self.normaliser = fit_normaliser(self.problem, self.simulator, self.incumbent, chance, level)
        if settings.history is not None:
            mix = mixing(settings.history, len(project.problem.observation))
            self.normaliser = replace(self.normaliser, mix=mix)
        rng = np.random.default_rng([seed, 1])
        self.scouted = scout(self.problem, self.simulator, self.incumbent, rng, level)
        learned = [limit for limit in self.problem.limits if limit.held_by == "lagrange"]
        spread = self.normaliser.reward_std
        self.duals = Duals(learned, natural_rates(learned, settings.dual_rate, spread, self.scouted.deviation))
        self.watch = SelectionWatch(project, self.duals, folder, report, self.policy)

    def policy(self, graph: nn.Module) -> Policy:
        """A graph of the learner's as a policy over the project's own actions."""
        learner: Policy = (
            graph.bandit if isinstance(graph, BanditGraph) else TorchPolicy(graph, history=self.settings.history)
        )
        residual = self.settings.residual
        if residual is None:
            return learner
        return Adjusting(learner, self.project.incumbent, residual, self.project.problem.action)

    def _adjust(self, residual: Residual) -> None:
        """Make adjustments the learner's actions."""
        real = self.problem
        self.simulator = AdjustedWorlds(real, self.simulator, self.incumbent, residual)
        self.problem, self.incumbent = residual.problem(real), NoAdjustment(residual, real.action)

    def _remember(self, history: History) -> None:
        """Make windows the learner's observations."""
        plain = self.problem
        self.simulator = RememberingWorlds(plain, self.simulator, history)
        self.problem, self.incumbent = history.problem(plain), Newest(self.incumbent, len(plain.observation))

    @property
    def masked(self) -> bool:
        """Actions may be forbidden here."""
        return is_masked(self.problem, self.simulator)

    @cached_property
    def worlds(self) -> SimulatorVecEnv:
        """The training worlds: observations and rewards in the learner's units, limits priced, twins where wanted."""
        settings = self.settings
        return SimulatorVecEnv(
            self.problem,
            self.simulator,
            settings.worlds,
            self.seed,
            level=settings.level if settings.curriculum is None else settings.curriculum.levels[0],
            reward=self.duals.priced(reward_of(self.project, settings)),
            baseline=self.incumbent if settings.baseline and not self.scouted.ends else None,
            scale=1.0 / self.normaliser.reward_std,
            transform=self.normaliser,
        )

    @property
    def vectors(self) -> VecEnv:
        """The training worlds as learners of Stable-Baselines3 take them: vectors of a `Box` in [-1, 1]."""
        space = self.problem.action
        return UnitVectors(self.worlds, space) if isinstance(space, Box) else self.worlds

    def learn(
        self,
        model: Any,
        acting: Callable[[Any], tuple[nn.Module, nn.Module]],
        gradient_steps: Callable[[], int],
        dual_every: int = 0,
    ) -> Trained:
        """Run a learner of Stable-Baselines3 over its steps, with limits, checkpoints and logs.

        Args:
            model: a `BaseAlgorithm` over `worlds`.
            acting: from its policy to the layers that act: a body, and a head to logits or to means in [-1, 1].
            gradient_steps: how many it has taken so far.
            dual_every: least decisions between two moves of the learned weights of limits; 0 moves them with each
                update.
        """

        def graph() -> PolicyGraph:
            return policy_graph(*acting(model.policy), self.normaliser, self.problem.action)

        logger = configure(str(self.folder), ["csv", "tensorboard"])
        model.set_logger(logger)
        checkpoints = Checkpoints(self, graph, gradient_steps)
        model.learn(self.settings.steps, callback=[DualAscent(self.duals, self.worlds, dual_every), checkpoints])
        checkpoints.score()
        model.dump_logs()  # the last update's values and the last score
        logger.close()
        return self.trained()

    def score(self, graph: nn.Module, steps: int, gradient_steps: int) -> CurvePoint:
        """One checkpoint: on the selection data, and on the levels of a curriculum, which may then go on."""
        levels = {} if self.climb is None else self.climb.look(self.policy(graph.eval()), steps / self.settings.steps)
        return self.watch.score(graph, steps, gradient_steps, levels)

    @cached_property
    def climb(self) -> Climb | None:
        """The curriculum, with the worlds on its first level; None without one."""
        curriculum, project = self.settings.curriculum, self.project
        if curriculum is None:
            return None
        plain = training_worlds(project, self.settings)
        trials = Trials(project.problem, plain, project.incumbent, self.seed)
        return Climb(curriculum, trials, lambda level: setattr(self.worlds, "level", level))

    def trained(self) -> Trained:
        """The best checkpoint so far, and the curve."""
        return Trained(self.watch.best(), self.watch.curve)


class Checkpoints(BaseCallback):
    """Scores the learner at the first update after every so many gradient steps."""

    def __init__(self, ground: Ground, graph: Callable[[], PolicyGraph], gradient_steps: Callable[[], int]) -> None:
        super().__init__()
        self.ground, self.graph, self.gradient_steps = ground, graph, gradient_steps
        self.every = ground.settings.checkpoint_every
        self.scored_at = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.gradient_steps() // self.every > self.scored_at // self.every:
            self.score()

    def score(self) -> None:
        """One checkpoint and one point of the curve."""
        self.scored_at = self.gradient_steps()
        point = self.ground.score(self.graph(), self.num_timesteps, self.scored_at)
        self.logger.record("selection/score", point.score)


def reward_of(project: Project, settings: Settings) -> Reward:
    """The problem's reward without the terms the settings leave out."""
    reward = project.problem.reward
    for signal in settings.without:
        reward = reward.without(signal)
    return reward
