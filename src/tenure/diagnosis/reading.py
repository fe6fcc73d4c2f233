"""Reading a run, however much of it there is: what can be diagnosed, and what cannot, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.clock import SystemClock
from tenure.core.errors import ProjectError, TenureError
from tenure.core.project import Project
from tenure.core.trace import bound_kpi
from tenure.simulators.rollout import run as simulate
from tenure.training.checkpoints import Checkpoints
from tenure.training.record import CurvePoint, RunRecord, SeedRecord, read_record, seed_record
from tenure.training.resume import DONE, PLAN, Plan, read_plan


@dataclass(frozen=True)
class Reading:
    """What could be read of a run.

    Args:
        record: of the run, perhaps pieced together; None where nothing can be diagnosed.
        missing: what is not there, a sentence each.
    """

    record: RunRecord | None
    missing: tuple[str, ...] = ()


def read_run(project: Project, folder: Path) -> Reading:
    """The record of a run; where it is missing or damaged, pieced together from its seeds and their checkpoints.

    Args:
        project: what was trained for.
        folder: of the run.
    """
    if not folder.is_dir():
        return Reading(None, (f"There is no run {folder.name!r}: {folder.parent} has {_names(folder.parent)}.",))
    try:
        return scored(read_record(folder))
    except ProjectError as error:
        why = _why(folder, error)
    try:
        plan = read_plan(folder)
    except ProjectError:
        return Reading(None, (why, f"It has no {PLAN} either, which says what was trained: nothing can be diagnosed."))
    found = [(seed, _seed(project, plan, folder / f"seed-{seed}")) for seed in plan.seeds]
    seeds = tuple(one for _, one in found if one is not None)
    lost = tuple(f"Seed {seed} has no checkpoint: it is left out." for seed, one in found if one is None)
    if not seeds:
        return Reading(None, (why, "It never came to a checkpoint: there is nothing to diagnose; train it further."))
    reading = scored(_pieced(project, plan, seeds))
    return replace(reading, missing=(why, *lost, *reading.missing))


def scored(record: RunRecord) -> Reading:
    """A record with the checkpoints that have a finite score; without any, nothing can be diagnosed."""
    cut = tuple(replace(seed, curve=tuple(one for one in seed.curve if _finite(one))) for seed in record.seeds)
    lost = sum(len(seed.curve) for seed in record.seeds) - sum(len(seed.curve) for seed in cut)
    seeds = tuple(seed for seed in cut if seed.curve)
    if not seeds or not np.isfinite(record.incumbent):
        told = "No checkpoint has a validation score: neither shape nor causes can be judged; train again."
        return Reading(None, (told,))
    missing = (f"{lost} checkpoint(s) have no validation score and are left out.",) if lost else ()
    return Reading(replace(record, seeds=seeds), missing)


def _finite(point: CurvePoint) -> bool:
    return isinstance(point.score, int | float) and bool(np.isfinite(point.score))


def _why(folder: Path, error: ProjectError) -> str:
    """Why there is no whole record."""
    if not (folder / "record.json").exists():
        return "The run is not finished (it has no record.json): what it came to so far is judged."
    return f"record.json cannot be read ({error.found}): what its seeds left is judged."


def _seed(project: Project, plan: Plan, folder: Path) -> SeedRecord | None:
    """A finished seed's record; else its curve up to the newest sound checkpoint; None without any."""
    try:
        return seed_record(json.loads((folder / DONE).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        pass
    try:
        kept = Checkpoints(folder / "checkpoints", project.problem.kpis[0], plan.settings_of().steps, SystemClock())
        newest, _ = kept.newest()
        curve = () if newest is None else tuple(_points(newest.state()))
    except TenureError:
        return None
    if not curve:
        return None
    best = max(curve, key=lambda point: point.merit(project.problem.kpis[0]))
    return SeedRecord(int(folder.name.rpartition("-")[2]), "", best.score, 0.0, curve, best.excess)


def _points(state: dict[str, Any]) -> list[CurvePoint]:
    return [CurvePoint(**point) for point in state["watch"]["curve"]]


def _pieced(project: Project, plan: Plan, seeds: tuple[SeedRecord, ...]) -> RunRecord:
    """A record of the seeds there are, beside incumbent and bound; its gain is nobody's."""
    problem, panel = project.problem, project.simulator.panel("selection")
    trace, kpi = simulate(problem, project.simulator, project.incumbent, panel).trace, problem.kpis[0]
    totals = project.bound(panel) if project.bound else None
    return RunRecord(
        run=plan.run,
        problem=problem.name,
        problem_version=plan.hashes.get("problem", ""),
        reward_version=plan.hashes.get("reward", ""),
        simulator_version=plan.hashes.get("simulator", ""),
        settings=plan.settings,
        seeds=seeds,
        chosen=max(seeds, key=lambda seed: seed.merit(kpi)).version,
        incumbent=trace.kpi(kpi),
        bound=None if totals is None else bound_kpi(kpi, totals, [trace]),
        gain={},
        commit=plan.commit,
        recipe=plan.recipe,
    )


def _names(runs: Path) -> str:
    found = sorted(path.name for path in runs.glob("[!.]*") if path.is_dir())
    return ", ".join(found) if found else "none"
