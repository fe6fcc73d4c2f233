"""What the tests of backends share: small jobs, a learner without torch, one Ray for a module."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tenure.core.project import load_project
from tenure.core.spaces import Discrete
from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.settings import Settings
from tenure.training.workers import Job

STEPS = 4


def jobs_in(folder: Path, count: int, project: str = "bikes") -> list[Job]:
    """Jobs of one run, seeds 1, 2, 3..."""
    run = folder / "runs" / "one"
    run.mkdir(parents=True, exist_ok=True)
    return [Job(project, Settings(steps=STEPS), seed, run, folder / "bundles", "none") for seed in range(1, count + 1)]


def point(step: int, score: float) -> CurvePoint:
    """A point of a curve that took no time."""
    return CurvePoint(step, step, 0.0, score, 0.5, 0.1)


def learner(project: str) -> Callable[[Job, Callable[[CurvePoint], None]], SeedRecord]:
    """Learns the mean reward of each action on our worlds with NumPy alone; torch is never imported.

    It is a closure, which Ray sends by value: workers need not find the tests.
    """

    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        loaded, rng = load_project(project), np.random.default_rng(job.seed)
        problem, simulator, worlds = loaded.problem, loaded.simulator, 32
        assert isinstance(problem.action, Discrete)
        sums = np.zeros(len(problem.action.labels))
        state, curve = simulator.reset(worlds, rng, "normal"), list[CurvePoint]()
        for step in range(1, STEPS + 1):
            action = rng.integers(len(sums), size=worlds)
            taken = simulator.step(state, action, rng)
            np.add.at(sums, action, problem.reward(taken.signals))
            state = taken.state
            curve.append(CurvePoint(step, step, 0.0, float(sums.max()), 0.5, 0.1))
            report(curve[-1])
        version = "torch" if "torch" in sys.modules else "numpy"
        return SeedRecord(job.seed, f"{version}-{os.getpid()}", curve[-1].score, 1.0, tuple(curve))

    return work
