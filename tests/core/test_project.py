"""A project folder: its modules import each other, and what is wrong with it is said with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProblemError, ProjectError
from tenure.core.project import CASES, Project, line_of, load_project

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
    with pytest.raises(ProjectError, match=r"cases \['alarms', .*'bikes', .*'recommender'"):
        load_project(tmp_path / "none")


def test_a_name_of_neither_says_what_was_looked_for_where_and_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"'bkes', which is neither(.|\n)*bkes(.|\n)*did you mean 'bikes'") as caught:
        load_project("bkes")
    assert str(Path("bkes").absolute()) in caught.value.where
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(ProjectError, match=r"log\.csv', which is a file(.|\n)*tenure init NAME"):
        load_project(tmp_path / "log.csv")


def test_a_project_without_drafts_says_that_it_has_none() -> None:
    with pytest.raises(ProjectError, match=r"no drafts; found 'foo'(.|\n)*problem\.py"):
        _ = load_project("bikes:foo").problem


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


def test_what_is_wrong_in_a_problem_is_named_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace('Term("cost"', 'Term("costs"')
    with pytest.raises(ProblemError) as caught:
        _ = folder(tmp_path, text).problem
    line = int(caught.value.where.partition("problem.py:")[2].split(",")[0])
    assert 'Term("costs"' in text.splitlines()[line - 1]
    assert "reward term 'costs'" in caught.value.where


DRAFTS = """
drafts = {
    "dear": Reward((Term("cost", -9.0, "$/$", "hurts more"),)),
    "broken": Reward((Term("coast", -9.0, "$/$", "typo"),)),
}
"""


def test_a_draft_is_the_same_problem_with_another_reward_and_name(tmp_path: Path) -> None:
    own = folder(tmp_path, GOOD + DRAFTS)
    draft = load_project(f"{tmp_path}:dear")
    assert (own.problem.name, draft.problem.name) == ("toy", "toy-dear")
    assert draft.problem.reward.terms[0].weight == -9.0
    assert draft.problem.kpis == own.problem.kpis
    assert set(own.drafts) == {"dear", "broken"}


def test_the_place_of_a_project_loads_the_same_again(tmp_path: Path) -> None:
    own = folder(tmp_path, GOOD + DRAFTS)
    assert load_project(own.place).problem == own.problem
    draft = load_project(f"{tmp_path}:dear")
    assert load_project(draft.place).problem == draft.problem


def test_a_draft_that_does_not_exist_names_those_that_do(tmp_path: Path) -> None:
    folder(tmp_path, GOOD + DRAFTS)
    with pytest.raises(ProjectError, match=r"\['broken', 'dear'\]; found 'cheap'") as caught:
        _ = load_project(f"{tmp_path}:cheap").problem
    assert "problem.py:" in caught.value.where


def test_a_draft_over_an_unknown_signal_is_named_with_its_line(tmp_path: Path) -> None:
    folder(tmp_path, GOOD + DRAFTS)
    with pytest.raises(ProblemError, match="'coast'") as caught:
        _ = load_project(f"{tmp_path}:broken").problem
    line = int(caught.value.where.partition("problem.py:")[2].split(",")[0])
    assert 'Term("coast"' in (GOOD + DRAFTS).splitlines()[line - 1]


def test_a_file_that_a_project_may_leave_out_is_none_without_it(tmp_path: Path) -> None:
    project = folder(tmp_path, scenarios="orders = (1,)")
    assert project.optional("scenarios", "orders") == (1,)
    assert project.optional("scenarios", "behaviours") is None
    assert project.optional("bound", "bound") is None


def test_a_line_is_found_by_its_text_or_the_file_alone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_text("a\nb\nb\n")
    assert line_of(path, "b") == f"{path}:2"
    assert line_of(path, "c") == str(path)
    assert line_of(tmp_path / "none.py", "b") == str(tmp_path / "none.py")
