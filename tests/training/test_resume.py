"""A run whose worker or whose driver is killed goes on to the same numbers as one that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.ticking import ticking

from tenure.core.errors import ConflictError, ProjectError
from tenure.core.project import Project, load_project
from tenure.store import load_bundle
from tenure.training import Progress, RunRecord, resume, seeds, train
from tenure.training.backends import Where
from tenure.training.record import fresh_folder
from tenure.training.resume import held, read_plan
from tenure.training.watcher import load_graph

from .hot import hot_project
from .mortal import MORTAL, die_once
from .tiny import TINY, Tiny, project_with

ROOT = str(Path(__file__).parents[2])
SETTINGS = replace(TINY, steps=4096)
DRIVER = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.training.ticking import ticking
from tests.training.tiny import TINY
from tenure.core.project import load_project
from tenure.training import seeds

seen = []

def watch(progress):
    seen.append(progress)
    if len(seen) == 4:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    seeds.train_seed = ticking
    seeds.train(load_project(sys.argv[1]), replace(TINY, steps=4096), (1,), Path(sys.argv[2]), "stopped", watch)
"""


@dataclass(frozen=True)
class Whole:
    """A run that was never stopped."""

    project: Project
    home: Path
    record: RunRecord


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    base = tmp_path_factory.mktemp("whole")
    project = project_with(base / "project", MORTAL)
    return Whole(project, base / "home", train(project, SETTINGS, (1,), base / "home", "whole"))


@pytest.fixture(autouse=True)
def every_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "train_seed", ticking)
    monkeypatch.syspath_prepend(ROOT)  # where a worker finds `ticking`


def same(whole: Whole, again: RunRecord, home: Path) -> None:
    """The same counters, scores, last weights and exported answers, to the last bit."""
    curves = [[replace(point, seconds=0.0) for point in run.seeds[0].curve] for run in (whole.record, again)]
    assert curves[0] == curves[1]
    first, second = (
        load_graph(path / "runs" / name / "seed-1" / "last.pt")
        for path, name in ((whole.home, "whole"), (home, "stopped"))
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    same_log(*(path / "runs" / name / "seed-1" for path, name in ((whole.home, "whole"), (home, "stopped"))))
    problem = whole.project.problem
    seen = whole.project.simulator.observe(whole.project.simulator.reset(200, np.random.default_rng(9)))
    answers = [
        load_bundle(path / "bundles" / run.chosen, problem).answers(seen)
        for path, run in ((whole.home, whole.record), (home, again))
    ]
    assert np.array_equal(answers[0], answers[1])
    assert again.gain == whole.record.gain


def same_log(*folders: Path) -> None:
    """The learning log goes on: every row once, and what the learner said of itself the same."""
    first, second = (np.genfromtxt(folder / "progress.csv", delimiter=",", names=True) for folder in folders)
    assert first["timetotal_timesteps"].tolist() == second["timetotal_timesteps"].tolist()
    for name in ("trainloss", "selectionscore"):
        assert np.array_equal(first[name], second[name], equal_nan=True)


@pytest.mark.parametrize("draw", [1, 2])
def test_a_worker_killed_at_a_random_step_goes_on_to_the_same_weights(draw: int, whole: Whole, tmp_path: Path) -> None:
    die_once(whole.project, draw)
    with pytest.raises(ProjectError, match=r"killed by signal 9.*--resume --name stopped"):
        train(whole.project, SETTINGS, (1,), tmp_path, "stopped")
    again = resume(whole.project, tmp_path)
    assert 0 < again.seeds[0].resumed["steps"] < SETTINGS.steps
    same(whole, again, tmp_path)


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_trial_of_ray_killed_at_a_random_step_goes_on_by_itself_to_the_same_weights(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    die_once(whole.project, 3)
    again = train(whole.project, SETTINGS, (1,), tmp_path, "stopped", where=Where("ray", retries=1))
    assert 0 < again.seeds[0].resumed["steps"] < SETTINGS.steps
    same(whole, again, tmp_path)


def test_a_killed_driver_takes_its_workers_along_and_its_run_goes_on_to_the_same_weights(
    whole: Whole, tmp_path: Path
) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, script, whole.project.place, tmp_path], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    again = resume(whole.project, tmp_path, "stopped")
    assert again.seeds[0].resumed["steps"] > 0
    same(whole, again, tmp_path)


def test_finished_seeds_are_not_trained_again_and_the_curve_goes_on(whole: Whole, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.seed == 2 and progress.share > 0.5:
            raise KeyboardInterrupt

    settings, seen = replace(TINY, steps=2048), list[Progress]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)  # one seed after the other
        with pytest.raises(KeyboardInterrupt):
            train(whole.project, settings, (1, 2), tmp_path, "two", interrupt)
    bundles = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "bundles").iterdir()}
    again = resume(whole.project, tmp_path, "two", seen.append)
    assert {progress.seed for progress in seen} == {2}
    assert len(seen) < len(again.seeds[1].curve) == len(again.seeds[0].curve)
    assert [seed.seed for seed in again.seeds] == [1, 2]
    first = again.seeds[0].version
    assert (tmp_path / "bundles" / first).stat().st_mtime_ns == bundles[first]


def stopped(tmp_path: Path) -> Project:
    """A project with a run that was stopped at its first score."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    project = hot_project(tmp_path / "hot")
    settings = replace(TINY, steps=4096)
    with pytest.raises(KeyboardInterrupt):
        train(project, settings, (1,), tmp_path, "hot", interrupt)
    return project


def test_another_reward_is_refused_with_both_hashes(tmp_path: Path) -> None:
    before = stopped(tmp_path)
    (tmp_path / "paid").mkdir()
    for path in Path(before.folder).glob("*.py"):
        (tmp_path / "paid" / path.name).write_text(path.read_text().replace('Term("made", 1.0', 'Term("made", 2.0'))
    after = load_project(tmp_path / "paid")
    assert after.problem.reward_version != before.problem.reward_version
    with pytest.raises(ProjectError) as refused:
        resume(after, tmp_path)
    assert f"reward {before.problem.reward_version}" in refused.value.expected
    assert f"reward {after.problem.reward_version}" in refused.value.found
    assert "simulator" not in refused.value.expected
    assert refused.value.where == "run 'hot', which was begun with another problem and reward"


def test_another_simulator_is_refused(whole: Whole, tmp_path: Path) -> None:
    plan = read_plan(whole.home / "runs" / "whole")
    changed = replace(plan, hashes={**plan.hashes, "simulator": "before"})
    with pytest.raises(ProjectError, match="expected simulator before; found simulator "):
        changed.check(whole.project)
    plan.check(whole.project)


def test_a_finished_run_and_no_run_are_refused(whole: Whole, tmp_path: Path) -> None:
    for home, name in ((whole.home, "whole"), (whole.home, None), (tmp_path, None)):
        with pytest.raises(ProjectError, match="expected a run that was stopped"):
            resume(whole.project, home, name)


def test_a_run_that_is_trained_now_is_not_trained_twice(tmp_path: Path) -> None:
    with held(tmp_path, "one"), pytest.raises(ConflictError, match="nobody trains now"), held(tmp_path, "one"):
        pass
    with held(tmp_path, "one"), held(tmp_path, "another"):
        pass


def test_a_run_that_is_trained_now_is_not_replaced_by_one_of_its_name(tiny: Tiny, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    mine = fresh_folder(runs, "one") / "mine"
    mine.touch()
    with held(runs, "one"), pytest.raises(ConflictError, match="nobody trains now"):
        train(tiny.project, TINY, (1,), tmp_path, "one")
    assert mine.exists()
