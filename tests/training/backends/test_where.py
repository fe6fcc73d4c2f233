"""What is asked for is checked before anything starts."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProjectError, SettingsError
from tenure.training.backends import LOCAL, Where, run_jobs
from tenure.training.backends import where as module
from tenure.training.backends.cluster import on_ray

from .ground import jobs_in, learner


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"backend": "dask"}, "one of the backends"),
        ({"cpus_per_job": 0.0}, "a share of one or a whole number"),
        ({"cpus_per_job": 1.5}, "a share of one or a whole number"),
        ({"cpus_per_job": float("nan")}, "a share of one or a whole number"),
        ({"population": 4}, "a population on --backend ray"),
        ({"backend": "ray", "population": 1}, "at least 2"),
        ({"backend": "rllib", "env_runners": -1}, "at least 0"),
        ({"backend": "ray", "wait_s": -1.0}, "at least 0"),
    ],
)
def test_what_cannot_be_is_refused(options: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Where(**options)


@pytest.mark.parametrize("cpus", [0.03, 1, 2])
def test_shares_and_whole_processors_may_be_asked_for(cpus: float) -> None:
    assert Where("ray", cpus_per_job=cpus).cpus_per_job == cpus


def test_local_jobs_go_to_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jobs = jobs_in(tmp_path, 2)
    monkeypatch.setattr(module, "in_processes", lambda work, jobs, watch: [work, jobs, watch])
    work = learner("bikes")
    assert run_jobs(work, jobs, print, LOCAL) == [work, jobs, print]


@pytest.mark.parametrize("where", [Where("ray"), Where("ray", population=2), Where("rllib")])
def test_without_ray_the_error_says_what_to_install(
    where: Where, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **more: Any) -> Any:
        if name.split(".")[0] == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return real(name, *arguments, **more)

    from tenure.training import PPOSettings

    jobs = [replace(job, settings=PPOSettings()) for job in jobs_in(tmp_path, 2)]
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ProjectError) as failed:
        run_jobs(learner("bikes"), jobs, print, where)
    assert failed.value.fix == "pip install 'tenure[ray]'"


def test_a_ray_client_is_refused_since_nothing_would_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(SettingsError, match="ray job submit"), on_ray():
        pass


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_cluster_that_is_not_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(ProjectError, match="RAY_ADDRESS=auto"), on_ray():
        pass
