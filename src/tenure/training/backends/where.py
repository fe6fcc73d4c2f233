"""The choice of a place to train in, and the one function that does jobs there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tenure.core.errors import SettingsError
from tenure.training.record import SeedRecord
from tenure.training.workers import Job, Progress, Work, in_processes

BACKENDS = ("local", "ray", "rllib")
"""Processes of this machine; trials of Ray Tune; one run at a time with RLlib's environment runners."""


@dataclass(frozen=True)
class Where:
    """Where to train, and with what.

    Args:
        backend: one of `BACKENDS`.
        cpus_per_job: processors reserved for each job on Ray; a share of one is allowed, as for 64 jobs on two.
        population: with `ray`, members that copy the better ones and vary their settings; 0 trains without.
        env_runners: with `rllib`, processes that step worlds; 0 steps them in the learner's own.
        retries: with `ray` and `rllib`, deaths of a process that are survived, by job.
        wait_s: how long to wait for resources that others hold, or that an autoscaler is bringing.

    Raises:
        SettingsError: no such backend, a number out of its range, or an option of another backend.
    """

    backend: str = "local"
    cpus_per_job: float = 1.0
    population: int = 0
    env_runners: int = 1
    retries: int = 3
    wait_s: float = 300.0

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise _wrong(f"one of the backends {list(BACKENDS)}", repr(self.backend), "name one of these")
        if not 0 < self.cpus_per_job < math.inf or (self.cpus_per_job > 1 and self.cpus_per_job % 1):
            expected = "processors of each job above 0, a share of one or a whole number"
            raise _wrong(expected, f"{self.cpus_per_job:g}", "give 0.5, 1 or 2, say")
        if self.population and self.backend != "ray":
            raise _wrong("a population on --backend ray", f"--backend {self.backend}", "add --backend ray")
        if self.population < 0 or self.population == 1:
            raise _wrong("a population of at least 2", str(self.population), "leave it out for seeds on their own")
        if self.env_runners < 0 or self.retries < 0 or self.wait_s < 0:
            found = f"env_runners={self.env_runners}, retries={self.retries}, wait_s={self.wait_s:g}"
            raise _wrong("numbers of at least 0", found, "take the defaults")


LOCAL = Where()
"""A process of this machine for each seed."""


def run_jobs(work: Work, jobs: list[Job], watch: Callable[[Progress], None], where: Where = LOCAL) -> list[SeedRecord]:
    """Do every job where it was asked for, and give back their records in any order.

    On Ray, jobs that an earlier driver left unfinished in the same run folder go on.

    Args:
        work: what a job does; with `rllib` and with a population the backend's own learner takes its place.
        jobs: at least one.
        watch: called in this process with every point of every curve.
        where: processes, or Ray.

    Raises:
        TenureError: the first failure; the other jobs are stopped.
    """
    if where.backend == "local":
        return in_processes(work, jobs, watch)
    if where.backend == "rllib":
        from tenure.training.backends.rllib import on_rllib

        return on_rllib(jobs, watch, where)
    if where.population:
        from tenure.training.backends.population import as_population

        return as_population(jobs, watch, where)
    from tenure.training.backends.trials import as_trials

    return as_trials(work, jobs, watch, where)


def _wrong(expected: str, found: str, fix: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="where to train", fix=fix)
