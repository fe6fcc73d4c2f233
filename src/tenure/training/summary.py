"""What is known of a run when all its seeds are trained: their gain on the selection data, and its doubt."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import reduce
from pathlib import Path

import numpy as np

from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.core.trace import DAY, bound_kpi
from tenure.evaluation import cluster_by, compare
from tenure.simulators.incidents import added, incidents_of
from tenure.simulators.rollout import run as simulate
from tenure.store import load_bundle
from tenure.training.record import RunRecord, SeedRecord, experiment_of, libraries
from tenure.training.settings import Settings
from tenure.training.worlds import training_worlds


def summary_of(
    project: Project, settings: Settings, seeds: tuple[SeedRecord, ...], run: str, bundles: Path, commit: str
) -> RunRecord:
    """The record over all seeds, with the gain on the selection data and its doubt."""
    problem, simulator = project.problem, project.simulator
    panel, kpi = simulator.panel("selection"), problem.kpis[0]
    incumbent = simulate(problem, simulator, project.incumbent, panel).trace
    per_seed = [
        simulate(problem, simulator, load_bundle(bundles / s.version, problem, project.incumbent), panel).trace
        for s in seeds
    ]
    period, cluster = cluster_by(panel, DAY, "day")
    gain = compare(problem, incumbent, per_seed, period, np.random.default_rng(0), cluster=cluster).gain
    best = project.bound(panel) if project.bound else None
    return RunRecord(
        run=run,
        problem=problem.name,
        problem_version=problem.version,
        reward_version=_trained_on(problem, settings).reward_version,
        simulator_version=simulator.version,
        trained_on=training_worlds(project, settings).version,
        settings=json.loads(json.dumps(asdict(settings))),
        seeds=seeds,
        chosen=max(seeds, key=lambda seed: seed.merit(kpi)).version,
        incumbent=incumbent.kpi(kpi),
        bound=None if best is None else bound_kpi(kpi, best, [incumbent, *per_seed]),
        gain=gain.as_dict(),
        recipe=settings.recipe,
        commit=commit,
        libraries=libraries(),
        experiment=experiment_of(settings.without),
        incidents=added([incidents_of(simulator), *(seed.incidents for seed in seeds)]),
    )


def _trained_on(problem: Problem, settings: Settings) -> Problem:
    return replace(problem, reward=reduce(Reward.without, settings.without, problem.reward))
