"""A run may train on disturbed worlds; the settings say which, and the record says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.project import load_project
from tenure.simulators.disturbances import ObservationDelay, disturbed
from tenure.training import PPOSettings, Settings, read_train_settings
from tenure.training.seeds import train
from tenure.training.worlds import training_worlds


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
