"""A full disk and a world that answers no number end a training with its last good checkpoint named, nothing lost."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.core.errors import StoreError
from tenure.core.project import Project
from tenure.simulators.faults import WorldFault
from tenure.training import checkpoints
from tenure.training.record import SeedRecord
from tenure.training.workers import Job

from .ticking import ticking
from .tiny import TINY, project_with

FEW = replace(TINY, steps=2048)
SPOILED = '''
"""The districts; while the file beside this is there, world 5 pays no number from its 70th step on."""

from pathlib import Path

import numpy as np
from tenure.cases.bikes.simulator import BikesSimulator

HERE, steps = Path(__file__).with_name("spoil"), [0]

class Spoiled(BikesSimulator):
    def step(self, state, action, rng):
        step = super().step(state, action, rng)
        if len(action) == 16 and HERE.exists():
            steps[0] += 1
            if steps[0] > 2 * 70:  # every world has a twin
                step.signals["bikes_moved"][5] = np.nan
        return step

simulator = Spoiled()
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_with(tmp_path / "project", SPOILED)


def job(project: Project, folder: Path) -> Job:
    folder.mkdir(parents=True)
    return Job(project.place, FEW, 1, folder, folder.parent / "bundles", "unknown")


def trained(job: Job) -> SeedRecord:
    return ticking(job, lambda _: None)


def test_a_world_that_pays_no_number_is_told_with_the_last_good_checkpoint(project: Project, tmp_path: Path) -> None:
    (project.folder / "spoil").touch()
    with pytest.raises(WorldFault) as failed:
        trained(job(project, tmp_path / "run"))
    told = json.loads((tmp_path / "run" / "seed-1" / "incident.json").read_text())
    place = tmp_path / "run" / "seed-1" / "checkpoints"
    assert (told["world"], told["seed"], told["level"], told["signal"]) == (5, 1, "normal", "bikes_moved")
    assert told["step"] == 71
    assert told["checkpoint"] == str(place / "8"), "two updates of 32 steps lie before the 71st"
    assert f"the last good checkpoint is {place / '8'}" in failed.value.found
    assert "incident.json" in failed.value.fix


def test_a_disk_that_fills_up_stops_the_training_and_loses_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, write = trained(job(project, tmp_path / "whole")), checkpoints.write_synced
    given = job(project, tmp_path / "full")

    def full(path: Path, content: bytes) -> None:
        if path.parent.name == ".12":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_synced", full)
        with pytest.raises(StoreError) as failed:
            trained(given)
    kept = given.run_folder / "seed-1" / "checkpoints" / "8"
    assert f"No space left on device; the last good checkpoint is {kept}, after 1,024 steps" in failed.value.found
    assert "--resume" in failed.value.fix
    again = trained(given)
    assert again.resumed["steps"] == 1024
    assert again.curve[-1].score == whole.curve[-1].score


def test_a_log_that_cannot_be_written_is_the_same_fault(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "progress.csv")

    monkeypatch.setattr("stable_baselines3.common.logger.CSVOutputFormat.write", full)
    with pytest.raises(StoreError, match="Disk quota exceeded; no checkpoint was written yet"):
        trained(job(project, tmp_path / "run"))


def test_other_errors_stay_what_they_are(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "gone")

    monkeypatch.setattr("stable_baselines3.common.logger.CSVOutputFormat.write", broken)
    with pytest.raises(FileNotFoundError, match="gone"):
        trained(job(project, tmp_path / "run"))
