"""A run may train on disturbed worlds; the settings say which, and the record says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.simulators.disturbances import ObservationDelay, disturbed
from tenure.training import PPOSettings, Settings, read_train_settings
from tenure.training.seeds import train
from tenure.training.worlds import check_seen, discounted, training_worlds


def settings(folder: Path, text: str) -> Settings:
    (folder / "tenure.toml").write_text(f"[train]\n{text}\n")
    return read_train_settings(folder / "tenure.toml")


def test_the_settings_file_disturbs_the_training_worlds(tmp_path: Path) -> None:
    project = load_project("bikes")
    found = settings(tmp_path, 'disturbances = [{ kind = "observation_delay", steps = 2, features = ["stock"] }]')
    expected = disturbed(project.problem, project.simulator, [ObservationDelay(2, ("stock",))])
    assert training_worlds(project, found).version == expected.version != project.simulator.version


def test_without_disturbances_a_run_trains_on_the_simulator_itself() -> None:
    project = load_project("bikes")
    assert training_worlds(project, PPOSettings()) is project.simulator


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('{ kind = "fog" }', "found 'fog'"),
        ('{ kind = "observation_delay", steps = 1, features = ["fog"] }', "found 'fog'"),
    ],
)
def test_a_run_with_a_wrong_disturbance_is_refused_before_any_process_starts(
    tmp_path: Path, entry: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        train(load_project("bikes"), settings(tmp_path, f"disturbances = [{entry}]"), (1,), tmp_path, "run")
    assert not (tmp_path / "runs").exists()


def test_the_settings_discount_goes_before_the_problems() -> None:
    problem = load_project("bikes").problem
    assert discounted(problem, PPOSettings(discount=0.5)).discount == 0.5
    assert discounted(problem, PPOSettings()) is problem


@pytest.mark.parametrize("hide", [("fog",), tuple(load_project("bikes").problem.feature_names)])
def test_what_cannot_be_hidden_is_refused(hide: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="hide some of the features"):
        check_seen(load_project("bikes").problem, PPOSettings(hide=hide))


def test_a_table_has_no_units_and_hides_nothing() -> None:
    from tenure.training.recipes.q_learning import QLearningSettings

    with pytest.raises(SettingsError, match="a network that learns in worlds"):
        check_seen(load_project("bikes").problem, QLearningSettings(scale="robust"))
