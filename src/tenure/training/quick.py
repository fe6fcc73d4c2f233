"""A short training in memory: what a learner finds in a reward within a second, for audits and probes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from stable_baselines3.common.logger import Logger

from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.export import policy_graph
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import fit_normaliser
from tenure.training.recipes.ppo import PPOSettings, acting, new_ppo

QUICK = PPOSettings(steps=256 * 16, worlds=256, rollout=16, batch=1024, epochs=4, learning_rate=3e-3, net=(32, 32))
"""Many small updates: what counts is what is found early."""


def short_ppo(project: Project, reward: Reward, steps: int, seed: int) -> Policy:
    """A policy trained on a reward for so many steps; masked like a long training, and nothing is written.

    It sees training worlds of the level `normal` and plain rewards: no twins, no shaping, no learned penalties.

    Args:
        project: problem, incumbent and simulator.
        reward: what is paid, over the problem's signals.
        steps: decisions over all worlds; rounded up to whole updates of 4,096.
        seed: of worlds, network and exploration.
    """
    torch.set_num_threads(1)
    problem = replace(project.problem, reward=reward, shaping=None)
    normaliser = fit_normaliser(problem, project.simulator, project.incumbent, np.random.default_rng(seed))
    scale = 1.0 / normaliser.reward_std
    worlds = SimulatorVecEnv(problem, project.simulator, QUICK.worlds, seed, scale=scale, transform=normaliser)
    learner = new_ppo(worlds, QUICK, seed)
    learner.set_logger(Logger(None, []))
    learner.learn(steps)
    return TorchPolicy(policy_graph(*acting(learner.policy), normaliser, problem.action), f"short-ppo-{seed}")
