"""The first choice follows the spaces, and a wrong match says what would make it right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.training import RECIPES, train
from tenure.training.choose import advise, legal, refuse

BIKES, ARM = load_project("bikes").problem, load_project("arm").problem


def names(*arguments: object, **options: object) -> list[str]:
    return [one.recipe for one in advise(*arguments, **options)]  # type: ignore[arg-type]


def test_every_recipe_that_is_advised_exists_and_can_decide() -> None:
    for problem in (BIKES, ARM):
        for steps in (10_000, 1_000_000):
            found = names(problem, steps=steps)
            assert len(found) == len(set(found))
            assert all(legal(RECIPES[name], problem) for name in found)
    assert names(BIKES, steps=1, log_only=True) == ["iql", "cql", "cloning"]


def test_labels_begin_with_ppo_vectors_too_and_a_small_budget_reuses_decisions() -> None:
    assert names(BIKES, steps=1_000_000)[0] == "ppo"
    assert names(BIKES, steps=50_000)[0] == "qr_dqn"
    assert names(BIKES, steps=50_000, masked=True)[0] == "ppo"
    assert names(ARM, steps=1_000_000)[0] == "ppo"
    assert names(ARM, steps=50_000)[0] == "sac"


def test_one_step_is_a_bandits_and_what_is_tiny_a_tables() -> None:
    assert names(replace(BIKES, horizon=1), steps=1_000_000)[0] == "bandit"
    assert names(BIKES, steps=1_000_000, cells=400)[0] == "q_learning", "400 x 25 entries"
    assert "q_learning" not in names(BIKES, steps=1_000_000, cells=401)


def test_a_table_for_vectors_is_refused_with_its_cells_and_what_they_cost() -> None:
    with pytest.raises(SettingsError) as refused:
        refuse(RECIPES["q_learning"], ARM)
    said = str(refused.value)
    assert "a Box of 2 numbers" in said
    assert "5 cells in problem.py: 25 labels" in said
    # 12 features in 5 cells each: 5 ** 12 = 244,140,625 states, times 25, times 100 visits.
    assert "2.44e+08 x 25 = 6.1e+09 entries, 6.1e+11 decisions for 100 visits of each" in said


def test_vectors_for_labels_are_refused_with_what_to_take() -> None:
    with pytest.raises(SettingsError) as refused:
        refuse(RECIPES["sac"], BIKES)
    assert "found 25 labels" in str(refused.value)
    assert "'ppo'" in refused.value.fix
    assert "state it as a Box" in refused.value.fix
    refuse(RECIPES["ppo"], BIKES)


def test_a_run_refuses_before_it_writes_anything(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="labelled actions"):
        train(load_project("arm"), RECIPES["dqn"].settings(), (1,), tmp_path, "wrong")
    assert list(tmp_path.iterdir()) == []
