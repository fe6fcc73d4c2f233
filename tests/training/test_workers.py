"""However a training process ends, the parent learns of it at once and nothing is left running."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.core.errors import ProjectError, SettingsError, StoreError
from tenure.training import Progress, train
from tenure.training.workers import Job, failure_of

from .tiny import GUARDED, TINY, project_with

ENDLESS = replace(TINY, steps=500_000_000)
KILLED = """
import os, signal
from tenure.cases.bikes.simulator import BikesSimulator

class Killed(BikesSimulator):
    def reset(self, n, rng, level="normal"):
        os.kill(os.getpid(), signal.SIGKILL)

simulator = Killed()
"""
BROKEN = """
from tenure.cases.bikes.simulator import BikesSimulator

class Broken(BikesSimulator):
    def observe(self, state):
        return super().observe(state)[:, :5] / 0 if False else [][1]

simulator = Broken()
"""


def a_job(folder: Path) -> Job:
    return Job(str(folder), TINY, 7, folder / "runs" / "one", folder / "bundles", "unknown")


def test_a_killed_process_is_a_clear_error_and_stops_the_others(tmp_path: Path) -> None:
    project = project_with(tmp_path / "project", KILLED)
    with pytest.raises(ProjectError) as failed:
        train(project, ENDLESS, (1, 2, 3), tmp_path / "home", "killed")
    assert "killed by signal 9" in failed.value.found
    assert "of run 'killed'" in failed.value.where
    assert "memory" in failed.value.fix
    assert multiprocessing.active_children() == []
    assert not (tmp_path / "home" / "runs" / "killed" / "record.json").exists()


def test_an_error_in_a_simulator_names_its_file_and_line(tmp_path: Path) -> None:
    project = project_with(tmp_path / "project", BROKEN)
    with pytest.raises(ProjectError) as failed:
        train(project, TINY, (1,), tmp_path / "home", "broken")
    assert failed.value.found == "IndexError: list index out of range"
    assert failed.value.where == f"{project.folder / 'simulator.py'}, line 6, while training seed 1"


def test_ctrl_c_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    """Of three seeds without end one waits for a processor; it must not be started any more."""
    project, seen = project_with(tmp_path / "project", GUARDED), list[Progress]()

    def interrupt(progress: Progress) -> None:
        seen.append(progress)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(project, ENDLESS, (1, 2, 3), tmp_path / "home", "interrupted", interrupt)
    assert len(seen) == 1
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_closed_disk_is_told_from_a_defect(code: int, tmp_path: Path) -> None:
    failure = failure_of(OSError(code, os.strerror(code), "best.zip"), a_job(tmp_path))
    error = pickle.loads(pickle.dumps(failure)).error()
    assert isinstance(error, StoreError)
    assert (error.found, error.where) == (os.strerror(code), "best.zip")
    assert "free space" in error.fix


def test_an_error_of_ours_reaches_the_parent_as_it_was(tmp_path: Path) -> None:
    ours = SettingsError(expected="a", found="b", where="c", fix="d")
    error = pickle.loads(pickle.dumps(failure_of(ours, a_job(tmp_path)))).error()
    assert type(error) is SettingsError
    assert error.as_dict() == ours.as_dict()
