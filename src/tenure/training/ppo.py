"""PPO by Stable-Baselines3 on a batch of worlds, read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import EvidenceError
from tenure.core.policy import Proposal
from tenure.core.project import Project
from tenure.core.simulator import Panel
from tenure.simulators.rollout import run
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.export import PolicyGraph, policy_graph
from tenure.training.normaliser import Normaliser, fit_normaliser
from tenure.training.record import CurvePoint
from tenure.training.settings import PPOSettings

Report = Callable[[CurvePoint], None]


@dataclass(frozen=True)
class TorchPolicy:
    """The network being trained, as a policy; greedy."""

    network: PolicyGraph
    version: str = "in-training"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        with torch.no_grad():
            logits = self.network(torch.as_tensor(observation)).numpy()
        if allowed is not None:
            logits = np.where(allowed, logits, -np.inf)
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Proposal(logits.argmax(axis=1), np.asarray(1.0 / weight.sum(axis=1)))


def train_ppo(
    project: Project, settings: PPOSettings, seed: int, folder: Path, report: Report
) -> tuple[PPO, Normaliser, list[CurvePoint]]:
    """Train one seed and give back its best checkpoint by cost on the selection data.

    Args:
        project: problem, incumbent and simulator.
        settings: see there.
        seed: of worlds, networks and exploration.
        folder: where checkpoints, the learning log and TensorBoard files go.
        report: called with every point of the learning curve.

    Returns:
        The best model, its normaliser, and the curve.
    """
    torch.set_num_threads(1)
    problem, simulator, incumbent = project.problem, project.simulator, project.incumbent
    normaliser = fit_normaliser(problem, simulator, incumbent, np.random.default_rng(seed))
    worlds = SimulatorVecEnv(
        problem,
        simulator,
        settings.worlds,
        seed,
        reward=_reward(project, settings),
        baseline=incumbent,
        scale=1.0 / normaliser.reward_std,
        transform=normaliser,
    )
    model = PPO(
        "MlpPolicy",
        worlds,
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=problem.discount,
        gae_lambda=settings.gae_lambda,
        learning_rate=lambda left: settings.learning_rate * max(left, 0.01),
        policy_kwargs={"net_arch": list(settings.net)},
        seed=seed,
        device="cpu",
    )
    logger = configure(str(folder), ["csv", "tensorboard"])
    model.set_logger(logger)
    watcher = SelectionWatcher(project, settings, normaliser, folder, report)
    model.learn(settings.steps, callback=watcher)
    watcher.score()
    model.dump_logs()  # the last update's values and the last score
    logger.close()
    best = PPO.load(folder / "best", device="cpu")
    return best, normaliser, watcher.curve


def _finite(score: float, kpi: str, steps: int) -> float:
    if not np.isfinite(score):
        raise EvidenceError(
            expected=f"a finite {kpi} on the selection data, to choose the best checkpoint by",
            found=str(score),
            where=f"training, after {steps} steps",
            fix="take a first KPI that is defined on the selection data",
        )
    return score


def _reward(project: Project, settings: PPOSettings) -> Any:
    reward = project.problem.reward
    for signal in settings.without:
        reward = reward.without(signal)
    return reward


class SelectionWatcher(BaseCallback):
    """Every so many gradient steps: checkpoint, score on the selection data, keep the best."""

    def __init__(
        self, project: Project, settings: PPOSettings, normaliser: Normaliser, folder: Path, report: Report
    ) -> None:
        super().__init__()
        self.project, self.settings, self.normaliser = project, settings, normaliser
        self.folder, self.report = folder, report
        self.panel: Panel = project.simulator.panel("selection")
        self.curve: list[CurvePoint] = []
        self.started = time.perf_counter()
        self.scored_at = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        every = self.settings.checkpoint_every
        if self._gradient_steps() // every > self.scored_at // every:
            self.score()

    def _gradient_steps(self) -> int:
        per_update = self.settings.worlds * self.settings.rollout // self.settings.batch * self.settings.epochs
        return self.num_timesteps // (self.settings.worlds * self.settings.rollout) * per_update

    def score(self) -> None:
        """One checkpoint and one point of the curve."""
        self.scored_at = self._gradient_steps()
        problem = self.project.problem
        policy = TorchPolicy(policy_graph(self.model.policy, self.normaliser))
        trace = run(problem, self.project.simulator, policy, self.panel).trace
        kpi, taken = problem.kpis[0], trace.action[trace.action >= 0]  # below 0 where a world has ended
        score = _finite(kpi.value(trace.signals), kpi.name, self.num_timesteps)
        shares = np.bincount(taken) / taken.size
        point = CurvePoint(
            steps=self.num_timesteps,
            gradient_steps=self.scored_at,
            seconds=time.perf_counter() - self.started,
            score=score,
            most_taken_share=float(shares.max()),
            entropy=float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()),
        )
        self.model.save(self.folder / "last")
        if kpi.sign * score > max((kpi.sign * point.score for point in self.curve), default=-np.inf):
            self.model.save(self.folder / "best")
        self.curve.append(point)
        self.logger.record("selection/score", score)
        self.report(point)
