"""PPO by Stable-Baselines3 on a batch of worlds, read from top to bottom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from stable_baselines3.common.logger import configure

from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.duals import DualAscent, Duals, natural_rates
from tenure.training.network import Learner, new_learner
from tenure.training.normaliser import Normaliser, fit_normaliser
from tenure.training.record import CurvePoint
from tenure.training.scout import Scouting, scout
from tenure.training.settings import PPOSettings
from tenure.training.watcher import Report, SelectionWatcher
from tenure.training.worlds import training_worlds


def train_ppo(
    project: Project, settings: PPOSettings, seed: int, folder: Path, report: Report
) -> tuple[Learner, Normaliser, list[CurvePoint]]:
    """Train one seed and give back its best checkpoint on the selection data.

    Forbidden actions are never tried, limits held by `lagrange` get their weights as training goes on, and the
    problem's shaping is paid on the way.

    Args:
        project: problem, incumbent and simulator.
        settings: see there.
        seed: of worlds, networks and exploration.
        folder: where checkpoints, the learning log and TensorBoard files go.
        report: called with every point of the learning curve.

    Returns:
        The best model (the best first KPI among those that keep every limit, else the least broken one), its
        normaliser, and the curve.
    """
    torch.set_num_threads(1)
    problem, simulator, incumbent = project.problem, training_worlds(project, settings), project.incumbent
    normaliser = fit_normaliser(problem, simulator, incumbent, np.random.default_rng(seed), settings.level)
    scouted = scout(problem, simulator, incumbent, np.random.default_rng([seed, 1]), settings.level)
    duals = _duals(problem, settings, normaliser, scouted)
    worlds = SimulatorVecEnv(
        problem,
        simulator,
        settings.worlds,
        seed,
        level=settings.level,
        reward=duals.priced(_reward(project, settings)),
        baseline=incumbent if settings.baseline and not scouted.ends else None,
        scale=1.0 / normaliser.reward_std,
        transform=normaliser,
    )
    model = new_learner(worlds, settings, seed)
    logger = configure(str(folder), ["csv", "tensorboard"])
    model.set_logger(logger)
    watcher = SelectionWatcher(project, settings, normaliser, duals, folder, report)
    model.learn(settings.steps, callback=[DualAscent(duals, worlds), watcher])
    watcher.score()
    model.dump_logs()  # the last update's values and the last score
    logger.close()
    best = type(model).load(folder / "best", device="cpu")
    return best, normaliser, watcher.curve


def _duals(problem: Problem, settings: PPOSettings, normaliser: Normaliser, scouted: Scouting) -> Duals:
    learned = [limit for limit in problem.limits if limit.held_by == "lagrange"]
    rates = natural_rates(learned, settings.dual_rate, normaliser.reward_std, scouted.deviation)
    return Duals(learned, rates)


def _reward(project: Project, settings: PPOSettings) -> Reward:
    reward = project.problem.reward
    for signal in settings.without:
        reward = reward.without(signal)
    return reward
