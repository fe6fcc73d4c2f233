"""A tracker gets every point of every seed with all its figures, each seed as one run, closed at the end."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tenure.core.errors import ProjectError, SettingsError
from tenure.training.record import CurvePoint
from tenure.training.settings import TRACKERS
from tenure.training.tracking import BEGIN, both, figures, tracked
from tenure.training.workers import Progress

from .tiny import TINY

POINT = CurvePoint(100, 4, 1.0, 5.5, 0.25, 1.5, metrics={"kl": 0.02})
SENT = {"score": 5.5, "entropy": 1.5, "most_taken_share": 0.25, "kl": 0.02}


def sent(name: str, folder: Path) -> None:
    """Two seeds, the first with two points."""
    with tracked([name], "bikes", "one", folder) as send:
        for seed, steps in ((1, 100), (2, 100), (1, 200)):
            send(Progress(seed, 0.5, replace(POINT, steps=steps)))


def test_every_name_of_the_settings_has_a_tracker() -> None:
    assert tuple(BEGIN) == TRACKERS
    with pytest.raises(SettingsError, match="tracking"):
        replace(TINY, tracking=("notebook",))


def test_wandb_gets_a_run_per_seed_in_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def init(**said: Any) -> Any:
        name = said["name"]
        told.append((name, said["group"], said["project"]))
        return SimpleNamespace(
            log=lambda values, step: told.append((name, values, step)), finish=lambda: told.append((name, "done"))
        )

    fake = ModuleType("wandb")
    fake.init = init  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", fake)
    sent("wandb", tmp_path)
    first, second = "one-seed-1", "one-seed-2"
    assert told[:2] == [(first, "one", "bikes"), (first, SENT, 100)]
    assert told[2:5] == [(second, "one", "bikes"), (second, SENT, 100), (first, SENT, 200)]
    assert sorted(told[5:]) == [(first, "done"), (second, "done")]


def test_mlflow_gets_a_run_per_seed_in_the_problems_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Client:
        """What of MLflow's client is used; the experiment is there once it was made."""

        def get_experiment_by_name(self, name: str) -> Any:
            return SimpleNamespace(experiment_id="7") if ("experiment", name) in told else None

        def create_experiment(self, name: str) -> str:
            told.append(("experiment", name))
            return "7"

        def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
            told.append((experiment, run_name, tags))
            return SimpleNamespace(info=SimpleNamespace(run_id=run_name))

        def log_metric(self, run: str, name: str, value: float, step: int) -> None:
            told.append((run, name, value, step))

        def set_terminated(self, run: str) -> None:
            told.append((run, "done"))

    fake = ModuleType("mlflow")
    fake.MlflowClient = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    sent("mlflow", tmp_path)
    first, second = "one-seed-1", "one-seed-2"
    assert told[:2] == [("experiment", "bikes"), ("7", first, {"run": "one"})]
    assert told.count(("experiment", "bikes")) == 1
    assert {(name, value) for run, name, value, step in (t for t in told if len(t) == 4) if step == 200} == set(
        SENT.items()
    )
    assert sorted(told[-2:]) == [(first, "done"), (second, "done")]


def test_wandb_writes_its_own_files_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="W&B is an extra")
    monkeypatch.setenv("WANDB_MODE", "offline")
    sent("wandb", tmp_path)
    assert len(list(tmp_path.glob("wandb/offline-run-*/*.wandb"))) == 2


@pytest.mark.parametrize("name", TRACKERS)
def test_a_library_that_is_not_there_is_named_before_anything_trains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ProjectError, match=f"pip install {name}"), tracked([name], "bikes", "one", tmp_path):
        pass


def test_without_trackers_nobody_is_told_and_the_watch_goes_on(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with tracked((), "bikes", "one", tmp_path) as send:
        both(seen.append, send)(Progress(1, 0.5, POINT))
    assert len(seen) == 1
    assert figures(POINT) == SENT
