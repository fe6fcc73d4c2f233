"""The recipe of the table on problems solved by hand, its limits, and the way out to a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.hot import MOST, hot_project

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.training.recipes import RECIPES
from tenure.training.recipes.q_learning import QLearningSettings, train_q_learning
from tenure.training.table_graph import TableGraph
from tenure.training.tabular import QTable, cut

from .grounds import ground, parted

SETTINGS = QLearningSettings(steps=1_600_000, worlds=128, cells=20, checkpoint_every=500, dual_rate=0.1)


def test_the_table_runs_fast_where_it_pays_most_and_keeps_the_limit(tmp_path: Path) -> None:
    project = hot_project(tmp_path / "hot")
    trained = train_q_learning(ground(project, SETTINGS, tmp_path / "seed"))
    best = max(trained.curve, key=lambda point: point.merit(project.problem.kpis[0]))
    # By hand: the mean of x is 1/2, of which 0.32 is made at a mean heat of 0.4, so 0.18 is lost. Cells of 1/20.
    assert best.excess == 0.0
    assert best.score == pytest.approx(0.5 - 0.32, abs=0.015)
    assert MOST == 0.4
    assert parted(project, trained) == 0


def test_a_feature_the_problem_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"features=\['y'\]"):
        train_q_learning(ground(hot_project(tmp_path / "hot"), replace(SETTINGS, features=("y",)), tmp_path / "seed"))


def test_equally_wide_cells_need_bounds(tmp_path: Path) -> None:
    project = hot_project(tmp_path / "hot")
    wide = replace(SETTINGS, cut="bounds", steps=1_000, worlds=100)
    assert train_q_learning(ground(project, wide, tmp_path / "one")).curve
    text = (tmp_path / "hot" / "problem.py").read_text().replace('"units", 0, 1),),', '"units"),),')
    (tmp_path / "endless").mkdir()
    for path in (tmp_path / "hot").glob("*.py"):
        (tmp_path / "endless" / path.name).write_text(text if path.name == "problem.py" else path.read_text())
    endless = load_project(tmp_path / "endless")
    with pytest.raises(SettingsError, match="finite bounds"):
        train_q_learning(ground(endless, wide, tmp_path / "two"))


@pytest.mark.parametrize("wrong", [{"cells": 0}, {"first_epsilon": 1.1}, {"last_epsilon": -0.1}, {"rate_power": 0.5}])
def test_settings_out_of_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="settings of recipe 'q_learning'"):
        QLearningSettings(**wrong)  # type: ignore[arg-type]


def test_the_graph_answers_what_the_table_does_at_the_edges_too() -> None:
    rng = np.random.default_rng(0)
    sample = np.column_stack([rng.integers(0, 4, 500), rng.random(500), rng.random(500)]).astype(np.float32)
    table = QTable(cut(sample, {0: 6, 1: 7}), 3)
    table.values[:] = rng.normal(size=table.values.shape)
    table.visits[:] = 1
    rows = np.concatenate([sample, np.tile(table.cells.edges[1][:, None], (1, 3))])
    with torch.no_grad():
        answers = TableGraph(table)(torch.as_tensor(rows)).numpy()
    assert np.array_equal(answers, table.values[table.cells(rows)].astype(np.float32))


def test_the_recipe_is_one_of_the_table_and_says_it_never_tries_what_is_forbidden() -> None:
    assert RECIPES["q_learning"].masks
    assert RECIPES["q_learning"].actions == "discrete"
