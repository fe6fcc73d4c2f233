"""A check counts for the sources it was made on, and training asks for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.design.reward.worlds import picker

from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.core.project import Project, load_project
from tenure.design.reward.check import RewardCheck, check_reward
from tenure.design.reward.history import changed_terms, read_history
from tenure.design.reward.record import (
    argument_of,
    current_pass,
    read_result,
    require_check,
    sources_of,
    write_result,
)

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def checked(project: Project, home: Path, at: datetime = AT) -> Path:
    """The result of a check, written."""
    return write_result(project, home, "check", check_reward(project).as_dict(project.problem), at, sources_of(project))


def test_training_needs_a_check(tmp_path: Path) -> None:
    project = picker(tmp_path)
    with pytest.raises(ProjectError, match="has not been checked") as raised:
        require_check(project, tmp_path / "home")
    assert raised.value.fix.startswith(f"run `tenure reward check {project.folder}`")
    checked(project, tmp_path / "home")
    require_check(project, tmp_path / "home")


def test_a_shipped_case_is_told_by_its_name() -> None:
    assert argument_of(load_project("bikes")) == "bikes"
    assert argument_of(Project(load_project("bikes").folder, "draft")) == "bikes:draft"


def test_a_check_that_failed_is_no_pass(tmp_path: Path) -> None:
    project = picker(tmp_path, draft="pays-picks")
    checked(project, tmp_path / "home")
    found = current_pass(project, tmp_path / "home")
    assert found.verdict is Verdict.FAIL
    assert "juggles" in found.reason
    with pytest.raises(ProjectError, match="fail: order"):
        require_check(project, tmp_path / "home")


CHANGES = {
    "the reward": ("problem.py", "-1.0", "-1.5"),
    "the problem": ("problem.py", "horizon=20", "horizon=21"),
    "the rules": ("problem.py", "incumbent: Policy = PickThen(DELIVER", "incumbent: Policy = PickThen(PUT"),
    "the scenarios": ("scenarios.py", "two parcels > one parcel", "one parcel > two parcels by a detour"),
    "the simulator": ("simulator.py", 'version = "1"', 'version = "2"'),
}


@pytest.mark.parametrize("where", ["helper.py", "parts/speed.py", "tenure.toml"])
def test_a_check_rests_on_every_file_of_code_or_settings(tmp_path: Path, where: str) -> None:
    before, after = picker(tmp_path / "before"), picker(tmp_path / "after")
    for project, text in ((before, "x = 1\n"), (after, "x = 2\n")):
        path = project.folder / where
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    checked(before, tmp_path / "home")
    assert current_pass(before, tmp_path / "home").verdict is Verdict.PASS
    found = current_pass(after, tmp_path / "home")
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, f"{where} changed since the last check")
    (before.folder / where).unlink()
    assert where in current_pass(before, tmp_path / "home").reason


def test_a_simulators_own_version_is_not_taken_at_its_word(tmp_path: Path) -> None:
    project = picker(tmp_path)
    checked(project, tmp_path / "home")
    file = project.folder / "simulator.py"
    file.write_text(f"{file.read_text()}\n# another world\n")
    assert current_pass(project, tmp_path / "home").reason == "simulator.py changed since the last check"


def test_data_and_hidden_folders_ask_for_no_new_check(tmp_path: Path) -> None:
    project = picker(tmp_path)
    checked(project, tmp_path / "home")
    (project.folder / "log.csv").write_text("a\n1\n")
    (project.folder / ".venv").mkdir()
    (project.folder / ".venv" / "library.py").write_text("")
    assert current_pass(project, tmp_path / "home").verdict is Verdict.PASS


def test_what_changes_while_it_is_looked_at_makes_the_result_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenure.cli import rewarding
    from tenure.cli.output import Output

    project = picker(tmp_path)

    def meddled(looked_at: Project) -> RewardCheck:
        found = check_reward(looked_at)
        (project.folder / "problem.py").write_text(f"{(project.folder / 'problem.py').read_text()}\n# another rule\n")
        return found

    monkeypatch.setattr(rewarding, "check_reward", meddled)
    rewarding.run_check(Output(json=True), str(project.folder), tmp_path / "home")
    found = current_pass(project, tmp_path / "home" / "picker")
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "the rules in problem.py changed since the last check",
    )


DAMAGES = {
    "no sources": {"sources": None},
    "sources are a word": {"sources": "x"},
    "sources are a list": {"sources": ["x"]},
    "findings are a word": {"findings": "x"},
    "a finding without its gate": {"findings": [{"verdict": "fail", "reason": "x"}]},
    "no moment": {"at": ...},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_result_with_wrong_parts_is_bad_input_and_says_what_to_run(tmp_path: Path, damage: dict[str, object]) -> None:
    project = picker(tmp_path)
    path = checked(project, tmp_path / "home")
    fields = {**json.loads(path.read_text()), **damage}
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not ...}))
    with pytest.raises(ProjectError) as raised:
        current_pass(project, tmp_path / "home")
    assert (raised.value.where, raised.value.exit_code) == (str(path), 2)
    assert raised.value.fix == "run `tenure reward check` again; it replaces the file"


@pytest.mark.parametrize(("source", "edit"), CHANGES.items(), ids=CHANGES)
def test_a_check_of_other_sources_is_stale_and_says_of_which(
    tmp_path: Path, source: str, edit: tuple[str, str, str]
) -> None:
    checked(picker(tmp_path / "before"), tmp_path / "home")
    found = current_pass(picker(tmp_path / "after", edit), tmp_path / "home")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert source in found.reason
    assert "changed since the last check" in found.reason


def test_a_damaged_result_is_named_and_never_a_pass(tmp_path: Path) -> None:
    project = picker(tmp_path)
    path = checked(project, tmp_path / "home")
    path.write_text(path.read_text()[:-40])
    with pytest.raises(ProjectError, match=r"check\.json"):
        require_check(project, tmp_path / "home")


def test_a_result_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = picker(tmp_path)
    path = checked(project, tmp_path / "home")
    before = path.read_text()

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        checked(project, tmp_path / "home", AT + timedelta(days=1))
    assert path.read_text() == before
    assert not list(path.parent.glob("*.half"))


def test_each_version_of_a_reward_is_remembered_once_with_what_changed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first, second = picker(tmp_path / "a"), picker(tmp_path / "b", ("problem.py", "-1.0", "-2.0"))
    for project, day in ((first, 0), (first, 1), (second, 2), (first, 3)):
        checked(project, home, AT + timedelta(days=day))
    seen = read_history(home / "reward" / "history.jsonl")
    assert [(each.version, each.at[:10]) for each in seen] == [
        (first.problem.reward_version, "2026-05-01"),
        (second.problem.reward_version, "2026-05-03"),
        (first.problem.reward_version, "2026-05-04"),
    ]
    assert seen[1].changes == ("metres: -1 points/metre became -2 points/metre",)


def test_a_damaged_history_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"version": "a"}\n')
    with pytest.raises(ProjectError, match=r"history\.jsonl"):
        read_history(path)


def test_a_change_of_words_alone_is_called_so() -> None:
    assert changed_terms({"a": "1 $/a"}, {"a": "1 $/a"}) == ("reasons, scales or trade-offs only",)
    assert changed_terms({"a": "1 $/a"}, {}) == ("a: left out, was 1 $/a",)


def test_a_result_says_when_and_on_what_it_was_made(tmp_path: Path) -> None:
    project = picker(tmp_path)
    checked(project, tmp_path / "home")
    found = read_result(tmp_path / "home", "check")
    assert found is not None
    assert found["at"].startswith("2026-05-01T12:00")
    assert found["sources"]["the reward"] == project.problem.reward_version
    assert json.dumps(found)
    assert read_result(tmp_path / "home", "audit") is None
