"""A project folder: its modules import each other, and what is wrong with it is said with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProblemError, ProjectError
from tenure.core.project import CASES, Project, load_project

GOOD = """
from tenure import KPI, Discrete, Feature, Problem, Reward, Signal, Term
from .numbers import WEIGHT

problem = Problem(
    name="toy", about="for tests", observation=(Feature("x", "m"),), action=Discrete(("a", "b")),
    signals=(Signal("cost", "$", 0, 1),), reward=Reward((Term("cost", WEIGHT, "$", "it is paid"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1}),),
)
incumbent = "the rule"
"""


def folder(path: Path, text: str = GOOD, **modules: str) -> Project:
    """A project folder with these modules, loaded."""
    for name, content in {"problem": text, "numbers": "WEIGHT = -2.0", **modules}.items():
        (path / f"{name}.py").write_text(content)
    return load_project(path)


def test_the_modules_of_a_folder_import_each_other(tmp_path: Path) -> None:
    project = folder(tmp_path, simulator="from .numbers import WEIGHT\nsimulator = WEIGHT", bound="bound = 7")
    assert project.problem.reward.terms[0].weight == -2.0
    loaded: list[Any] = [project.incumbent, project.simulator, project.bound]
    assert loaded == ["the rule", -2.0, 7]
    assert project.rules == {}
    assert project.settings_path == tmp_path / "tenure.toml"


def test_two_folders_with_the_same_names_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = folder(tmp_path / "a", GOOD)
    second = folder(tmp_path / "b", GOOD.replace('name="toy"', 'name="other"'))
    assert (first.problem.name, second.problem.name) == ("toy", "other")


def test_a_shipped_case_is_found_by_name_and_a_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_project("bikes").folder == CASES / "bikes"
    (tmp_path / "bikes").mkdir()
    folder(tmp_path / "bikes")
    assert load_project("bikes").folder == tmp_path / "bikes"


def test_a_folder_without_a_bound_has_none(tmp_path: Path) -> None:
    assert folder(tmp_path).bound is None


def test_no_such_folder_names_the_shipped_cases(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"\['bikes', 'recommender'\]"):
        load_project(tmp_path / "none")


def test_a_folder_without_problem_py_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"a problem\.py; found no problem\.py") as caught:
        load_project(tmp_path)
    assert str(tmp_path) in caught.value.where
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("\n\nraise RuntimeError('boom')", "RuntimeError: boom", 3),
        ("import nothing_of_this_name", "ModuleNotFoundError", 1),
        ("\nproblem = (", "SyntaxError", 2),
        ("from .broken import x", "ZeroDivisionError", 2),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_line(
    tmp_path: Path, text: str, says: str, line: int
) -> None:
    project = folder(tmp_path, text, broken="\nx = 1 / 0")
    for _ in range(2):  # the second try must not find the half-made module of the first
        with pytest.raises(ProjectError, match=says) as caught:
            _ = project.problem
        assert caught.value.where.endswith(f".py:{line}")
        assert str(tmp_path) in caught.value.where


def test_a_mended_module_is_read_again(tmp_path: Path) -> None:
    project = folder(tmp_path, "problem = 1 / 0")
    with pytest.raises(ProjectError):
        _ = project.problem
    assert folder(tmp_path, GOOD).problem.name == "toy"


@pytest.mark.parametrize(("text", "found"), [("x = 1", "none"), ("problem = {}", "dict")])
def test_a_module_without_its_problem_says_what_it_has(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(ProjectError, match=f"found {found}"):
        _ = folder(tmp_path, text).problem


def test_a_missing_simulator_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"a file simulator\.py"):
        _ = folder(tmp_path).simulator


def test_a_reward_of_an_unknown_signal_stays_a_problem_error(tmp_path: Path) -> None:
    text = GOOD.replace('Term("cost"', 'Term("costs"')
    with pytest.raises(ProblemError, match=r"\['cost'\]; found 'costs'"):
        _ = folder(tmp_path, text).problem
