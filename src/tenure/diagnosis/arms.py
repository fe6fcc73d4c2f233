"""Arms of probes: a few short trainings with the same settings on common seeds; finished ones are kept."""

from __future__ import annotations

import hashlib
import json
import signal
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.clock import Clock, SystemClock
from tenure.core.project import load_project
from tenure.diagnosis.facts import part
from tenure.diagnosis.thresholds import LAST
from tenure.training.recipes import recipe_of
from tenure.training.record import CurvePoint
from tenure.training.settings import Settings

FOLDER = "probes"
"""Of a run's folder: finished trainings of probes, one small file each."""
PLAN = "plan.txt"
"""There: with which share of the run's decisions they were planned."""


@dataclass(frozen=True)
class Outcome:
    """One training of an arm.

    Args:
        score: first KPI on the selection data, half of the best checkpoint and half of the mean over the last third: a
            training that was good once by luck and then broke down is not as good as one that stays so.
        excess: how far that one exceeds a limit.
        seconds: it took.
        why: it came to no end: the reason; empty where it did.
    """

    score: float
    excess: float = 0.0
    seconds: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Arm:
    """What the trainings of one arm came to.

    Args:
        outcomes: one per seed, in order; None for a training there was no time for.
    """

    outcomes: tuple[Outcome | None, ...]

    @property
    def scores(self) -> Floats:
        """Of each seed, NaN where there is none."""
        return np.array([np.nan if one is None else one.score for one in self.outcomes])

    @property
    def excess(self) -> float:
        """Mean excess over seeds."""
        return float(np.mean([one.excess for one in self.outcomes if one is not None] or [0.0]))

    @property
    def seconds(self) -> float:
        """Mean seconds of a training."""
        return float(np.mean([one.seconds for one in self.outcomes if one is not None] or [0.0]))

    @property
    def why(self) -> str:
        """The first reason why a training came to no end; empty where all did."""
        return next((one.why for one in self.outcomes if one is not None and one.why), "")


class OutOfTime(Exception):
    """The time of a probe is over; a training stops at its next checkpoint."""


class Arms:
    """Trains arms, in this process or in a few that stay alive until the diagnosis ends.

    Args:
        place: of the project, as `load_project` takes it.
        kept: folder of finished trainings; those with the same settings, seed and hashes are taken as they are.
        hashes: of problem, reward and simulator.
        seeds: of every arm.
        processes: trainings at once; 1 trains here.
        clock: says how much time is left.
    """

    def __init__(
        self, place: str, kept: Path, hashes: str, seeds: tuple[int, ...], processes: int, clock: Clock
    ) -> None:
        self.place, self.kept, self.hashes, self.seeds = place, kept, hashes, seeds
        self.processes, self.clock = processes, clock
        self._pool = None if processes == 1 else ProcessPoolExecutor(processes, get_context("spawn"), _quietly)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave no process behind, however it ends."""
        if self._pool is None:
            return
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, settings: Settings, count: int, until: float, watch: Callable[[int], None]) -> Arm:
        """Train the first so many seeds, those that are not kept yet.

        Args:
            settings: of the arm.
            count: of seeds.
            until: moment of the clock at which trainings stop.
            watch: called with the number of seeds done.
        """
        found: dict[int, Outcome | None] = {seed: self._read(settings, seed) for seed in self.seeds[:count]}
        left = [seed for seed in found if found[seed] is None]
        trained = self._here(settings, left, until) if self._pool is None else self._there(settings, left, until)
        watch(len(found) - len(left))
        for seed, outcome in trained:
            found[seed] = outcome
            if outcome is not None:
                self._write(settings, seed, outcome)
            watch(sum(one is not None for one in found.values()))
        return Arm(tuple(found.values()))

    def plan(self, seconds: float) -> float | None:
        """Share of the run's decisions an arm was planned with before, for probes of so many seconds; None for none."""
        try:
            return float(json.loads((self.kept / PLAN).read_text())[f"{seconds:g}"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_plan(self, seconds: float, share: float) -> None:
        """Keep it for a diagnosis that goes on."""
        self.kept.mkdir(parents=True, exist_ok=True)
        (self.kept / PLAN).write_text(json.dumps({f"{seconds:g}": share}))

    def _here(self, settings: Settings, seeds: list[int], until: float) -> Any:
        for seed in seeds:
            yield seed, trained(self.place, settings, seed, until - self.clock.monotonic())

    def _there(self, settings: Settings, seeds: list[int], until: float) -> Any:
        assert self._pool is not None
        left = until - self.clock.monotonic()
        running = {self._pool.submit(trained, self.place, settings, seed, left): seed for seed in seeds}
        while running:
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(done), done.result()

    def _path(self, settings: Settings, seed: int) -> Path:
        said = json.dumps([settings.recipe, asdict(settings), seed, self.hashes], sort_keys=True)
        return self.kept / f"{hashlib.sha256(said.encode()).hexdigest()[:16]}.json"

    def _read(self, settings: Settings, seed: int) -> Outcome | None:
        try:
            return Outcome(**json.loads(self._path(settings, seed).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, settings: Settings, seed: int, outcome: Outcome) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        half = self.kept / ".half"
        half.write_text(json.dumps(asdict(outcome)))
        half.replace(self._path(settings, seed))


def _quietly() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process


def trained(place: str, settings: Settings, seed: int, seconds: float, clock: Clock | None = None) -> Outcome | None:
    """Train one seed in a folder that is thrown away; None where the time did not suffice.

    Args:
        place: of the project.
        settings: of the recipe.
        seed: of worlds, networks and exploration.
        seconds: that it may take.
        clock: says how many it took; None takes the machine's.
    """
    from tenure.training.ground import Ground
    from tenure.training.seeds import best_point

    clock = clock or SystemClock()
    began, project = clock.monotonic(), load_project(place)

    def report(_: CurvePoint) -> None:
        if clock.monotonic() - began > seconds:
            raise OutOfTime

    if seconds <= 0:
        return None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an arm has no reader; what matters is its score
        try:
            curve = recipe_of(settings.recipe).train(Ground(project, settings, seed, Path(folder), report)).curve
        except OutOfTime:
            return None
        except Exception as error:  # also a learner whose numbers ran away: that is an outcome of the arm
            return Outcome(float("nan"), seconds=clock.monotonic() - began, why=str(error))
    best = best_point(project.problem.kpis[0], curve)
    end = float(np.mean([point.score for point in curve[-part(curve, LAST) :]]))
    return Outcome((best.score + end) / 2, best.excess, clock.monotonic() - began)
