"""Checkpoints as training goes on: scored on the selection data, the best one kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn

from tenure.core.errors import EvidenceError
from tenure.core.policy import Policy
from tenure.core.problem import Limit
from tenure.core.project import Project
from tenure.core.spaces import Box
from tenure.core.trace import Trace
from tenure.simulators.rollout import run
from tenure.training.checkpoints import saved
from tenure.training.duals import Duals
from tenure.training.record import CurvePoint
from tenure.training.utilisation import Meter
from tenure.training.vectors import cells

Report = Callable[[CurvePoint], None]
Measured = Callable[[nn.Module, Trace, Policy, int], dict[str, float]]
"""The metrics after so many decisions: of a graph, of its policy, and of that one's trace on the selection data."""
NO_LEVELS: Mapping[str, float] = MappingProxyType({})
"""Without a curriculum."""


def excess(limits: Sequence[Limit], trace: Trace) -> float:
    """How far the most broken limit is exceeded, as a share of it (plainly where it is 0); 0 where all are kept."""
    taken = max(int(trace.alive.sum()), 1)
    over = (float(trace.signals[limit.signal].sum()) / taken - limit.most for limit in limits)
    shares = [more / (abs(limit.most) or 1.0) for more, limit in zip(over, limits, strict=True)]
    return max([0.0, *shares])


class SelectionWatch:
    """Scores policies on the selection data as they learn, and keeps the last and the best one.

    Args:
        project: problem and simulator, whose selection data nothing is done to.
        duals: weights of the limits, written beside each score.
        folder: where `last.pt` and `best.pt` lie.
        report: called with every point of the curve.
        policy: from a learner's graph to the policy that is judged.
    """

    def __init__(
        self, project: Project, duals: Duals, folder: Path, report: Report, policy: Callable[[nn.Module], Policy]
    ) -> None:
        self.project, self.duals, self.folder, self.report = project, duals, folder, report
        self.policy = policy
        self.panel = project.simulator.panel("selection")
        self.curve: list[CurvePoint] = []
        self.last, self._best = b"", b""
        self.meter: Meter | None = None
        self.started = time.perf_counter()
        self.measured: Measured = lambda *_: {}
        self.by_log: Callable[[Policy], dict[str, Any]] | None = None
        """What a log says of a policy, fields of `ByLog`, where the log chooses and not the selection data."""

    def score(
        self, graph: nn.Module, steps: int, gradient_steps: int, levels: Mapping[str, float] = NO_LEVELS
    ) -> CurvePoint:
        """One checkpoint and one point of the curve.

        Args:
            graph: from raw observations to logits, or to vectors for a `Box`.
            steps: decisions so far.
            gradient_steps: network updates so far.
            levels: of a curriculum, the gain on each level so far.

        Raises:
            EvidenceError: the first KPI is not finite there.
        """
        point = replace(self._point(graph, steps, gradient_steps), levels=dict(levels))
        kpi = self.project.problem.kpis[0]
        self.last = self._write("last.pt", saved(graph))
        if not self.curve or point.merit(kpi) > max(before.merit(kpi) for before in self.curve):
            self._best = self._write("best.pt", self.last)
        self.curve.append(point)
        self.report(point)
        return point

    def best(self) -> nn.Module:
        """The graph of the best checkpoint, ready to answer."""
        return load_graph(self.folder / "best.pt")

    def state_dict(self) -> dict[str, Any]:
        """The curve, the best policy and the time it took so far."""
        seconds = time.perf_counter() - self.started
        return {"curve": [asdict(point) for point in self.curve], "best": self._best, "seconds": seconds}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on with a curve; a best policy of later than that is replaced."""
        self.curve = [CurvePoint(**point) for point in state["curve"]]
        self._best = self._write("best.pt", state["best"])
        self.started = time.perf_counter() - state["seconds"]

    def _write(self, name: str, content: bytes) -> bytes:
        """Whole or not at all."""
        half = self.folder / f".{name}"
        half.write_bytes(content)
        half.replace(self.folder / name)
        return content

    def _point(self, graph: nn.Module, steps: int, gradient_steps: int) -> CurvePoint:
        problem = self.project.problem
        policy = self.policy(graph.eval())
        trace = run(problem, self.project.simulator, policy, self.panel).trace
        taken, space = trace.action[trace.alive], problem.action
        shares = (cells(taken, space) if isinstance(space, Box) else np.bincount(taken)) / len(taken)
        return CurvePoint(
            steps=steps,
            gradient_steps=gradient_steps,
            seconds=time.perf_counter() - self.started,
            score=_finite(trace.kpi(problem.kpis[0]), problem.kpis[0].name, steps),
            most_taken_share=float(shares.max()),
            entropy=float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum()),
            excess=excess(problem.limits, trace),
            weights=dict(self.duals.weights),
            shares={} if self.meter is None else self.meter.lap(),
            by_log={} if self.by_log is None else self.by_log(policy),
            metrics=self.measured(graph, trace, policy, steps),
        )


def load_graph(path: Path) -> nn.Module:
    """A checkpoint's graph, ready to answer; the file is a pickle of our own: read none that somebody sent."""
    graph: nn.Module = torch.load(path, map_location="cpu", weights_only=False)
    return graph.eval()


def _finite(score: float, kpi: str, steps: int) -> float:
    if not np.isfinite(score):
        raise EvidenceError(
            expected=f"a finite {kpi} on the selection data, to choose the best checkpoint by",
            found=str(score),
            where=f"training, after {steps} steps",
            fix="take a first KPI that is defined on the selection data",
        )
    return score
