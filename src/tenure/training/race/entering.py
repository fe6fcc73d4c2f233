"""One contestant of one round: trained, gone on with, or taken as it was trained before."""

from __future__ import annotations

import json
import math
import resource
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tenure.core.errors import ConflictError, ProjectError, StoreError, TenureError
from tenure.core.project import Project, load_project
from tenure.training.backends import LOCAL, Where
from tenure.training.race.scores import score
from tenure.training.race.standing import Standing
from tenure.training.record import RunRecord, read_record
from tenure.training.resume import hashes_of, read_plan
from tenure.training.seeds import resume, train
from tenure.training.settings import Settings
from tenure.training.workers import Progress

COST = "cost.json"
"""File of a run's folder that says what it took."""


@dataclass(frozen=True)
class Track:
    """Where a race is run.

    Args:
        project: what is trained for.
        seeds: of every contestant.
        home: where runs and bundles of the race lie.
        spent: processor seconds of all processes that ended so far.
        watch: called with a contestant's name and its progress.
        where: contestants one after the other in processes of this machine, or each a trial of Ray Tune.
    """

    project: Project
    seeds: tuple[int, ...]
    home: Path
    spent: Callable[[], float]
    watch: Callable[[str, Progress], None]
    where: Where = LOCAL

    @property
    def processors(self) -> float:
        """Reserved for a contestant on Ray, whose seeds train at once; above 1 a whole number."""
        wanted = self.where.cpus_per_job * len(self.seeds)
        return wanted if wanted <= 1 else float(math.ceil(wanted))


def enter_all(track: Track, entered: Mapping[str, Settings]) -> list[tuple[Standing, RunRecord | None]]:
    """Train contestants; on Ray as many at once as there are processors.

    Raises:
        StoreError: the race's folder cannot be written.
        ConflictError: another race is run there.
        ProjectError: a trial on Ray failed.
    """
    if track.where.backend != "ray":
        return [enter(track, name, settings) for name, settings in entered.items()]
    from tenure.training.backends.calls import Answer, called

    work = there(track)
    track.home.mkdir(parents=True, exist_ok=True)
    return called(lambda one: Answer(work(*one)), list(entered.items()), track.where, track.processors, track.home)


def there(track: Track) -> Callable[[str, Settings], tuple[Standing, RunRecord | None]]:
    """`enter` in another process, whose own processor time is counted; what can be sent of the track is sent."""
    place, seeds, home = str(track.project.place), track.seeds, track.home.resolve()

    def work(name: str, settings: Settings) -> tuple[Standing, RunRecord | None]:
        return enter(Track(load_project(place), seeds, home, core_seconds, lambda _, __: None), name, settings)

    return work


def core_seconds() -> float:
    """Processor seconds of every process of ours that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def enter(track: Track, name: str, settings: Settings) -> tuple[Standing, RunRecord | None]:
    """Train one contestant; one that cannot be trained is out of the race, with the reason.

    Raises:
        StoreError: the race's folder cannot be written.
        ConflictError: another race is run there.
    """
    try:
        record, core_s = _record(track, name, settings)
    except (StoreError, ConflictError):
        raise
    except TenureError as error:
        return Standing(name, settings.steps, why=str(error)), None
    return standing_of(track.project, name, settings.steps, record, core_s), record


def standing_of(project: Project, name: str, steps: int, record: RunRecord, core_s: float) -> Standing:
    """A contestant's standing from its run; gains are shares of the incumbent's first KPI, or plain where that is 0."""
    sign, size = project.problem.kpis[0].sign, abs(record.incumbent) or 1.0
    scores = tuple(seed.score for seed in record.seeds)
    gains = tuple(sign * (one - record.incumbent) / size for one in scores)
    taken = float(np.mean([seed.curve[-1].steps for seed in record.seeds]))
    excess = max(seed.excess for seed in record.seeds)
    return Standing(name, steps, taken, gains, score([np.array(gains)]), record.gain, scores, excess, core_s)


def _record(track: Track, name: str, settings: Settings) -> tuple[RunRecord, float]:
    run = f"{name}-{settings.steps}"
    folder = track.home / "runs" / run
    record = _finished(track, folder, settings)
    if record is not None:
        return record, _cost(folder)
    before = track.spent()
    record = _trained(track, name, run, settings)
    cost = track.spent() - before
    (folder / COST).write_text(json.dumps({"core_s": cost}))
    return record, cost


def _finished(track: Track, folder: Path, settings: Settings) -> RunRecord | None:
    """The run as it was trained before; None where there is none like it."""
    try:
        record = read_record(folder)
    except ProjectError:
        return None
    now = hashes_of(track.project, settings)
    then = {"problem": record.problem_version, "reward": record.reward_version, "simulator": record.trained_on}
    same = all(now[name] == version for name, version in then.items())
    alike = record.settings == _plain(settings) and {one.seed for one in record.seeds} == set(track.seeds)
    return record if same and alike else None


def _trained(track: Track, name: str, run: str, settings: Settings) -> RunRecord:
    """Go on with the run where it was stopped, if it is still the same one; else train it."""

    def watch(progress: Progress) -> None:
        track.watch(name, progress)

    if _stopped(track, track.home / "runs" / run, settings):
        return resume(track.project, track.home, run, watch)
    return train(track.project, settings, track.seeds, track.home, run, watch)


def _stopped(track: Track, folder: Path, settings: Settings) -> bool:
    """The run was begun like this and is not finished."""
    try:
        plan = read_plan(folder)
        plan.check(track.project)
    except ProjectError:
        return False
    alike = plan.settings == _plain(settings) and set(plan.seeds) == set(track.seeds)
    return alike and not (folder / "record.json").exists()


def _plain(settings: Settings) -> object:
    return json.loads(json.dumps(asdict(settings)))


def _cost(folder: Path) -> float:
    """What a run took; 0 where nobody wrote it down."""
    path = folder / COST
    return float(json.loads(path.read_text())["core_s"]) if path.exists() else 0.0
