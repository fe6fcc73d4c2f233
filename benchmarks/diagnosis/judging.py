"""One problem trained and diagnosed, or held against itself mended."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.building import drawn, mended_of, project_in, settings_of
from benchmarks.diagnosis.families import FAMILIES, Family
from tenure.core.trace import bound_kpi
from tenure.diagnosis import Allowance, diagnose
from tenure.diagnosis.arms import trained
from tenure.simulators.rollout import run as simulate
from tenure.training import train

SEEDS = (1, 2, 3)
SECONDS = 20.0
SILENT = "silent"


@dataclass(frozen=True)
class Row:
    """One run and what was said of it.

    Args:
        family, seed: which problem.
        cause: what is wrong with it; `silent` for nothing.
        named: the cause named first; `silent` for none.
        shape: of its curves.
        probed: causes with their verdicts.
        gain: of the run over the incumbent, as a share of its KPI.
        trained_s, diagnosed_s: wall clock.
    """

    family: str
    seed: int
    cause: str
    named: str
    shape: str
    probed: str
    gain: float
    trained_s: float
    diagnosed_s: float


def judged(name: str, seed: int) -> Row:
    """Train a fresh problem of a family and have it diagnosed by record and probes; every other one has no bound."""
    family = next(one for one in FAMILIES if one.name == name)
    with tempfile.TemporaryDirectory() as base:
        home, one = Path(base) / "home", drawn(family, seed)
        project = project_in(Path(base) / "project", one, bound=seed % 2 == 0)
        began = time.perf_counter()
        seeds = tuple(seed * 10 + number for number in SEEDS)
        record = train(project, settings_of(one), seeds, home, "run")
        middle = time.perf_counter()
        found = diagnose(project, record, home / "runs" / "run", Allowance(probes=3, seconds=SECONDS))
        ended = time.perf_counter()
    reached = float(np.mean([each.score for each in record.seeds]))
    way = record.incumbent
    return Row(
        family.name,
        seed,
        family.cause if family.broken else SILENT,
        SILENT if found.named is None else found.named.name,
        found.shape,
        "; ".join(f"{one.name} {one.verdict}" for one in found.causes),
        round((reached - record.incumbent) / (abs(way) or 1.0), 3),
        round(middle - began, 1),
        round(ended - middle, 1),
    )


def truth(family: Family, seed: int, count: int) -> str:
    """What the problem reaches as it is and mended, in shares of the way from the incumbent to the bound."""
    with tempfile.TemporaryDirectory() as base:
        one, found = drawn(family, seed), []
        for mended in (False, True) if family.broken else (False,):
            project = project_in(Path(base) / str(mended), one, mended=mended)
            settings = mended_of(one) if mended else settings_of(one)
            outcomes = [trained(project.place, settings, seed * 10 + number, 1e9) for number in range(count)]
            panel, kpi = project.simulator.panel("selection"), project.problem.kpis[0]
            incumbent = simulate(project.problem, project.simulator, project.incumbent, panel).trace
            assert project.bound is not None
            bound = bound_kpi(kpi, project.bound(panel), [incumbent])
            assert bound is not None
            low = incumbent.kpi(kpi)
            scores = [np.nan if outcome is None else outcome.score for outcome in outcomes]
            why = next((outcome.why for outcome in outcomes if outcome is not None and outcome.why), "")
            seconds = np.mean([outcome.seconds for outcome in outcomes if outcome is not None])
            shares = " ".join(f"{(score - low) / (bound - low):+.2f}" for score in scores)
            found.append(f"{'mended' if mended else 'as it is'} {shares} ({seconds:.1f} s) {why[:80]}")
    return "; ".join(found)
