"""The suite that judges the diagnosis: enough families, drawn by seed, a bound nobody passes, an honest matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from benchmarks.diagnosis.__main__ import matrix, remaining, wanted
from benchmarks.diagnosis.building import drawn, mended_of, project_in, settings_of
from benchmarks.diagnosis.families import FAMILIES, Family
from benchmarks.diagnosis.judging import SILENT, Row

from tenure.core.trace import bound_kpi
from tenure.diagnosis.findings import Cause
from tenure.simulators.rollout import run as simulate

BROKEN = [family for family in FAMILIES if family.broken]


def test_every_cause_has_three_broken_and_three_healthy_families() -> None:
    counts = Counter((family.cause, family.broken) for family in FAMILIES)
    assert {cause for cause, _ in counts} == {cause.value for cause in Cause}
    assert min(counts[cause.value, broken] for cause in Cause for broken in (True, False)) >= 3
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_a_seed_draws_the_same_problem_whose_bound_nobody_passes(family: Family, tmp_path: Path) -> None:
    one = drawn(family, 7)
    assert drawn(family, 7) == one
    project = project_in(tmp_path, one)
    panel, kpi = project.simulator.panel("selection"), project.problem.kpis[0]
    trace = simulate(project.problem, project.simulator, project.incumbent, panel).trace
    assert project.bound is not None
    best = bound_kpi(kpi, project.bound(panel), [trace])
    assert best is not None
    assert trace.kpi(kpi) <= best + 1e-9


@pytest.mark.parametrize("family", BROKEN, ids=[family.name for family in BROKEN])
def test_a_broken_problem_says_what_mends_it(family: Family) -> None:
    one = drawn(family, 7)
    assert bool(one.mend) != bool(one.mended)
    if one.mend and "recipe" not in one.mend:
        before, after = asdict(settings_of(one)), asdict(mended_of(one))
        assert {name for name in before if before[name] != after[name]} == set(one.mend)


def test_healthy_problems_need_no_mending() -> None:
    assert not any(drawn(family, 7).mend or drawn(family, 7).mended for family in FAMILIES if not family.broken)


def test_every_run_has_a_fresh_seed_and_every_family_its_turn() -> None:
    runs = list(wanted(10_000, 36))
    assert len({seed for _, seed in runs}) == 72
    assert Counter(family.broken for family, _ in runs) == {True: 36, False: 36}
    assert len({family.name for family, _ in runs}) == min(72, len(FAMILIES))


def row(cause: str, named: str) -> Row:
    return Row("some", 1, cause, named, "flat", "", 0.0, 1.0, 2.0)


def test_the_matrix_counts_what_was_named_first_and_the_false_alarms() -> None:
    rows = [row("leak", "leak"), row("leak", SILENT), row(SILENT, SILENT), row(SILENT, "leak"), row(SILENT, SILENT)]
    said = matrix(rows)
    assert "1 of 2 causes named first; 1 false alarms in 3 healthy runs" in said
    line = next(line for line in said.splitlines() if line.startswith("| leak |"))
    assert sorted(cell.strip() for cell in line.split("|")[2:-1] if cell.strip()) == ["1", "1"]


def test_what_is_judged_is_not_judged_again() -> None:
    family, seed = next(iter(wanted(10_000, 3)))
    done = Row(family.name, seed, family.cause, SILENT, "flat", "", 0.0, 1.0, 2.0)
    left = remaining([done], 10_000, 3)
    assert len(left) == 5
    assert (family.name, seed) not in left
    assert (family.name, seed + 1) not in left  # nor was it to be
