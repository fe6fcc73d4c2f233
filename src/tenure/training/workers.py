"""One process per seed: its progress, its result and its death all reach the parent, and none outlives it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from tenure.core.errors import ProjectError, TenureError
from tenure.training.record import CurvePoint, SeedRecord, unwritable
from tenure.training.settings import Settings

DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENOTDIR})
"""Errors of a file system that is full or must not be written."""


@dataclass(frozen=True)
class Progress:
    """A point of one seed's curve, as it happens."""

    seed: int
    share: float
    point: CurvePoint


@dataclass(frozen=True)
class Job:
    """What one process needs to train one seed; `project` is what `load_project` takes."""

    project: str
    settings: Settings
    seed: int
    run_folder: Path
    bundles: Path
    commit: str


@dataclass(frozen=True)
class Failure:
    """An error of ours as plain fields: errors with keyword arguments do not survive pickling."""

    kind: type[TenureError]
    expected: str
    found: str
    where: str
    fix: str

    def error(self) -> TenureError:
        return self.kind(expected=self.expected, found=self.found, where=self.where, fix=self.fix)


def progress_of(job: Job, point: CurvePoint) -> Progress:
    """A point of a job's curve with the share of its steps that are done."""
    return Progress(job.seed, min(point.steps / job.settings.steps, 1.0), point)


Work = Callable[[Job, Callable[[CurvePoint], None]], SeedRecord]
"""What a process does with its job; it reports every point of the curve."""


def in_processes(work: Work, jobs: list[Job], watch: Callable[[Progress], None]) -> list[SeedRecord]:
    """Do every job in a process of its own, as many at once as there are processors.

    However this ends (done, a failed seed, Ctrl-C), no process is left running.

    Args:
        work: a module-level function.
        jobs: one per seed.
        watch: called in this process.

    Raises:
        TenureError: the first failure; a process that was killed is one.
    """
    waiting, records = list(jobs), list[SeedRecord]()
    running: dict[Connection, tuple[Job, SpawnProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                job = waiting.pop(0)
                running |= _start(work, job)
            for pipe in wait(list(running)):
                assert isinstance(pipe, Connection)
                message = _message(pipe, *running[pipe])
                if isinstance(message, SeedRecord):
                    records.append(message)
                    _stop(pipe, running.pop(pipe)[1])
                else:
                    watch(message)
    finally:
        for pipe, (_, process) in running.items():
            process.kill()
            _stop(pipe, process)
    return records


def _start(work: Work, job: Job) -> dict[Connection, tuple[Job, SpawnProcess]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_worker, args=(work, job, theirs), name=f"seed-{job.seed}", daemon=True)
    process.start()
    theirs.close()  # so that the worker's death ends our reading
    return {ours: (job, process)}


def _stop(pipe: Connection, process: SpawnProcess) -> None:
    process.join()
    process.close()
    pipe.close()


def _message(pipe: Connection, job: Job, process: SpawnProcess) -> Progress | SeedRecord:
    try:
        message: Progress | SeedRecord | Failure = pipe.recv()
    except (EOFError, OSError) as error:
        process.join()
        raise _died(job, process.exitcode) from error
    if isinstance(message, Failure):
        raise message.error()
    return message


def _died(job: Job, code: int | None) -> ProjectError:
    killed = code is not None and code < 0
    return ProjectError(
        expected="a training process that runs to its end",
        found=f"killed by signal {-code}" if code is not None and killed else f"ended with exit code {code}",
        where=f"seed {job.seed} of run {job.run_folder.name!r}",
        fix="train fewer seeds at once: memory may have run out"
        if killed
        else 'if `train` is called from a script, call it under `if __name__ == "__main__":`',
    )


def _worker(work: Work, job: Job, pipe: Connection) -> None:
    """Runs in the process of one seed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # a worker has no reader; the parent reports what matters
    sys.stdout = sys.stderr  # a simulator that prints would spoil the parent's --json

    def report(point: CurvePoint) -> None:
        pipe.send(progress_of(job, point))

    try:
        pipe.send(work(job, report))
    except Exception as error:
        pipe.send(failure_of(error, job))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def failure_of(error: Exception, job: Job) -> Failure:
    """An error of a job, told so that it can be mended; errors of ours stay as they are."""
    if isinstance(error, OSError) and error.errno in DISK:
        error = unwritable(job.run_folder, error)
    if not isinstance(error, TenureError):
        last = traceback.extract_tb(error.__traceback__)[-1]
        error = ProjectError(
            expected="a seed that trains to its end",
            found=f"{type(error).__name__}: {error}",
            where=f"{last.filename}, line {last.lineno}, while training seed {job.seed}",
            fix="mend what stands there; `check_simulator` tests the simulator's promises",
        )
    return Failure(type(error), **_fields(error))


def _fields(error: TenureError) -> dict[str, Any]:
    return {"expected": error.expected, "found": error.found, "where": error.where, "fix": error.fix}
