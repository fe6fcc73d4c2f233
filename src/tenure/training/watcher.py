"""Checkpoints as training goes on: scored on the selection data, the best one kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from tenure.core.errors import EvidenceError
from tenure.core.problem import Limit
from tenure.core.project import Project
from tenure.core.spaces import Box
from tenure.core.trace import Trace
from tenure.simulators.rollout import run
from tenure.training.duals import Duals
from tenure.training.export import policy_graph
from tenure.training.network import TorchPolicy
from tenure.training.normaliser import Normaliser
from tenure.training.record import CurvePoint
from tenure.training.settings import PPOSettings
from tenure.training.vectors import cells

Report = Callable[[CurvePoint], None]


def excess(limits: Sequence[Limit], trace: Trace) -> float:
    """How far the most broken limit is exceeded, as a share of it (plainly where it is 0); 0 where all are kept."""
    taken = max(int(trace.alive.sum()), 1)
    over = (float(trace.signals[limit.signal].sum()) / taken - limit.most for limit in limits)
    shares = [more / (abs(limit.most) or 1.0) for more, limit in zip(over, limits, strict=True)]
    return max([0.0, *shares])


class SelectionWatcher(BaseCallback):
    """Every so many gradient steps: checkpoint, score on the selection data, keep the best."""

    def __init__(
        self,
        project: Project,
        settings: PPOSettings,
        normaliser: Normaliser,
        duals: Duals,
        folder: Path,
        report: Report,
    ) -> None:
        super().__init__()
        self.project, self.settings, self.normaliser, self.duals = project, settings, normaliser, duals
        self.folder, self.report = folder, report
        self.panel = project.simulator.panel("selection")
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
        point, kpi = self._point(), self.project.problem.kpis[0]
        self.model.save(self.folder / "last")
        if not self.curve or point.merit(kpi) > max(before.merit(kpi) for before in self.curve):
            self.model.save(self.folder / "best")
        self.curve.append(point)
        self.logger.record("selection/score", point.score)
        self.report(point)

    def _point(self) -> CurvePoint:
        problem = self.project.problem
        policy = TorchPolicy(policy_graph(self.model.policy, self.normaliser, problem.action))
        trace = run(problem, self.project.simulator, policy, self.panel).trace
        taken, space = trace.action[trace.alive], problem.action
        shares = (cells(taken, space) if isinstance(space, Box) else np.bincount(taken)) / len(taken)
        return CurvePoint(
            steps=self.num_timesteps,
            gradient_steps=self.scored_at,
            seconds=time.perf_counter() - self.started,
            score=_finite(trace.kpi(problem.kpis[0]), problem.kpis[0].name, self.num_timesteps),
            most_taken_share=float(shares.max()),
            entropy=float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()),
            excess=excess(problem.limits, trace),
            weights=dict(self.duals.weights),
        )


def _finite(score: float, kpi: str, steps: int) -> float:
    if not np.isfinite(score):
        raise EvidenceError(
            expected=f"a finite {kpi} on the selection data, to choose the best checkpoint by",
            found=str(score),
            where=f"training, after {steps} steps",
            fix="take a first KPI that is defined on the selection data",
        )
    return score
