"""Jobs as trials of Ray Tune on one small Ray: watched, killed, gone on with, and nothing left running."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProjectError, SettingsError
from tenure.training import train
from tenure.training.backends import Where, run_jobs
from tenure.training.backends.cluster import on_ray, reserve
from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.workers import Job, Progress

from ..tiny import TINY, Tiny
from .ground import jobs_in, learner

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
SHARED = Where("ray", cpus_per_job=0.1, retries=2)
MANY = 64 if os.environ.get("TENURE_RAY") == "long" else 16


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """One Ray of our own for the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with on_ray() as session:
            yield session


@pytest.mark.usefixtures("ray")
def test_a_job_whose_process_is_killed_begins_again_and_comes_to_the_same(tmp_path: Path) -> None:
    plain, mark = learner("bikes"), tmp_path / "killed"

    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        def watched(point: CurvePoint) -> None:
            report(point)
            if job.seed == 1 and point.steps == 2 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        return plain(job, watched)

    seen = list[Progress]()
    records = run_jobs(work, jobs_in(tmp_path, 2), seen.append, SHARED)
    assert mark.exists()
    assert [point.point.steps for point in seen if point.seed == 1] == [1, 2, 1, 2, 3, 4]
    undisturbed = plain(jobs_in(tmp_path, 1)[0], lambda _: None)
    assert records[0].curve == undisturbed.curve
    assert [record.seed for record in records] == [1, 2]


@pytest.mark.usefixtures("ray")
def test_a_job_that_dies_each_time_is_a_clear_error(tmp_path: Path) -> None:
    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError(job, report)

    with pytest.raises(ProjectError, match="died more often than is survived") as failed:
        run_jobs(work, jobs_in(tmp_path, 1), print, replace(SHARED, retries=0))
    assert failed.value.where == "seed 1 of run 'one', on Ray"


@pytest.mark.usefixtures("ray")
def test_a_mistake_is_not_retried_stops_the_others_and_arrives_as_it_was(tmp_path: Path) -> None:
    tries, plain = tmp_path / "tries", learner("bikes")

    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        if job.seed == 1:
            with tries.open("a") as file:
                file.write("x")
            raise SettingsError(expected="a", found="b", where="c", fix="d")
        while True:
            plain(job, report)

    with pytest.raises(SettingsError, match="expected a; found b"):
        run_jobs(work, jobs_in(tmp_path, 2), lambda _: None, SHARED)
    assert tries.read_text() == "x"


@pytest.mark.usefixtures("ray")
def test_ctrl_c_in_the_watch_ends_the_run(tmp_path: Path) -> None:
    plain = learner("bikes")

    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        while True:
            plain(job, report)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs(work, jobs_in(tmp_path, 2), interrupt, SHARED)


def test_more_than_any_node_has_is_refused_at_once(ray: Any) -> None:
    with pytest.raises(SettingsError, match="a node with 1000 CPU for each job"):
        reserve(ray, {"CPU": 1000.0}, wait_s=600)


def test_what_others_hold_is_waited_for_and_then_told(ray: Any) -> None:
    everything = ray.cluster_resources()["CPU"]
    held = ray.util.placement_group([{"CPU": everything}])
    try:
        assert held.wait(60)
        with pytest.raises(ProjectError, match="others hold them"):
            reserve(ray, {"CPU": 1.0}, wait_s=0.2)
    finally:
        ray.util.remove_placement_group(held)
    reserve(ray, {"CPU": everything}, wait_s=60)  # given back, also after the refusal


def test_many_trials_without_torch_are_alive_at_once_and_all_finish(ray: Any, tmp_path: Path) -> None:
    """None goes on before all have come: sixteen on two processors, with TENURE_RAY=long sixty-four."""

    class Meeting:
        def __init__(self) -> None:
            self.here: set[int] = set()

        def come(self, seed: int) -> int:
            self.here.add(seed)
            return len(self.here)

    meeting, plain = ray.remote(num_cpus=0)(Meeting).remote(), learner("bikes")

    def work(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
        import ray

        while ray.get(meeting.come.remote(job.seed)) < MANY:
            import time

            time.sleep(0.05)  # in the trial, not in the test
        return plain(job, report)

    records = run_jobs(work, jobs_in(tmp_path, MANY), lambda _: None, replace(SHARED, cpus_per_job=0.03))
    assert [record.seed for record in records] == list(range(1, MANY + 1))
    assert len({record.version for record in records}) == MANY
    assert all(record.version.startswith("numpy-") for record in records)


@pytest.mark.usefixtures("ray")
def test_a_recipe_comes_to_the_same_bundles_on_ray_as_in_processes(tiny: Tiny, tmp_path: Path) -> None:
    here = tiny.record
    there = train(tiny.project, TINY, (1, 2), tmp_path / "home", "there", where=replace(SHARED, cpus_per_job=0.5))
    assert [seed.score for seed in there.seeds] == [seed.score for seed in here.seeds]
    assert there.gain == here.gain
    curves = [[replace(point, seconds=0.0) for point in seed.curve] for seed in (*here.seeds, *there.seeds)]
    assert curves[:2] == curves[2:]


DRIVER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.training.backends.ground import jobs_in, learner
from tenure.training.backends import Where, run_jobs

folder, plain, pid = Path(sys.argv[1]), learner("bikes"), os.getpid()
hang = sys.argv[2] == "hang"

def work(job, report):
    with (folder / f"begun-{job.seed}").open("a") as file:
        file.write("x")
    if hang and job.seed == 2:
        import time
        while not (folder / "runs" / "one" / "ray" / "seed-1.done").exists():
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        while True:
            time.sleep(1)
    return plain(job, report)

done = run_jobs(work, jobs_in(folder, 2), lambda _: None, Where("ray", cpus_per_job=0.1))
print(sorted(record.seed for record in done))
"""


def test_a_killed_driver_leaves_nothing_and_its_run_goes_on(tmp_path: Path) -> None:
    """Seed 1 is done when the driver is killed by SIGKILL, seed 2 is not: only that one begins again."""
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"} | {
        "TENURE_MARK": str(tmp_path)
    }
    root = str(Path(__file__).parents[3])

    def drive(how: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DRIVER, str(tmp_path), how, root]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert drive("hang").returncode == -signal.SIGKILL
    assert _outlive(_marked(str(tmp_path)), seconds=90) == []  # Ray's agents tell a store that is gone, for up to 60 s
    second = drive("finish")
    assert second.stdout.strip() == "[1, 2]", second.stderr
    assert (tmp_path / "begun-2").read_text() == "xx"
    assert (tmp_path / "begun-1").read_text() == "x"


def _marked(mark: str) -> list[int]:
    """Processes with our mark in their environment: all that a driver of this test ever started."""
    wanted, found = f"TENURE_MARK={mark}".encode(), []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _outlive(pids: list[int], seconds: float) -> list[int]:
    """Those that do not end within that time of their own."""
    left = []
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if not select.select([handle], [], [], seconds)[0]:
            left.append(pid)
        os.close(handle)
    return left
