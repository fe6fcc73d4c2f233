"""Worlds that end early: training, its record and the judgement read one KPI, per decision that was taken."""

from __future__ import annotations

import pytest
from tests.training.hot import FILES, hot_project

from tenure.cli.judge import judge, simulate
from tenure.cli.train import checked
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.project import Project
from tenure.training import read_record

from .test_main import as_json

STAYS, ENDS = "np.zeros(len(action), dtype=bool)", "state.x < 0.1"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The hot project with a chance of 0.1 per step that the world ends, checked."""
    project = hot_project(tmp_path_factory.mktemp("ending"))
    assert STAYS in FILES["simulator.py"]
    (project.folder / "simulator.py").write_text(FILES["simulator.py"].replace(STAYS, ENDS))
    made = open_workspace(str(project.folder), tmp_path_factory.mktemp("home"))
    checked(made)
    return made


def kpi_by_hand(project: Project) -> float:
    """What the incumbent loses per decision taken on the selection data."""
    trace = simulate(project, project.incumbent, project.simulator.panel("selection"))
    assert (trace.action < 0).any()
    return float(trace.signals["lost"].sum() / (trace.action >= 0).sum())


def test_a_judgement_gives_one_figure_for_one_policy(workspace: Workspace) -> None:
    project = workspace.project
    found = judge(project, [project.incumbent], "selection")
    by_hand = kpi_by_hand(project)
    assert (found.incumbent, found.candidate) == pytest.approx((by_hand, by_hand))
    assert found.comparison.kpis[0].incumbent == pytest.approx(by_hand)


def test_no_headroom_is_told_where_a_bound_per_decision_is_unknown(workspace: Workspace) -> None:
    found = judge(workspace.project, [workspace.project.incumbent], "selection")
    assert (found.bound, found.headroom) == (None, None)


def test_a_run_scores_checkpoints_and_incumbent_as_the_judgement_does(workspace: Workspace) -> None:
    home = workspace.home.parent
    code, told = as_json("train", str(workspace.project.folder), "--seeds", "1", "--name", "one", home=home)
    assert code == 0, told
    record = read_record(workspace.runs / "one")
    assert record.incumbent == pytest.approx(kpi_by_hand(workspace.project))
    found = judge(workspace.project, [workspace.bundle(record.chosen)], "selection")
    assert record.seeds[0].score == pytest.approx(found.comparison.kpis[0].candidate)
    assert record.bound is None
