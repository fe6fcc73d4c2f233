"""The record of a run: what was asked, what came out, and everything needed to do it again."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tenure.core.errors import ProjectError, SettingsError, StoreError
from tenure.core.reward import KPI


@dataclass(frozen=True)
class CurvePoint:
    """One checkpoint of a learning curve.

    Args:
        steps: decisions so far.
        gradient_steps: network updates so far.
        seconds: wall clock since the start, scoring included.
        score: first KPI on the selection data, in its unit.
        most_taken_share: share of its most frequent action there, in [0, 1]; near 1 is a warning. Vectors count as
            one action where every number lies in the same tenth of its range.
        entropy: of its actions there, in nats.
        excess: how far the most broken limit is exceeded there, as a share of it; 0 where every limit is kept.
        weights: learned so far, of each limit held by `lagrange`, in reward per unit of its signal.
        levels: of a curriculum, the gain over the incumbent on training worlds of each level so far, as a share of its
            first KPI.
        by_log: what the log it learns from says of it, fields of `ByLog`; empty where the selection data chooses.
        shares: of the time since the point before, by what took it; no part of what makes two points equal.
        metrics: what was measured since the point before, by names of `METRICS`; what a recipe has not is absent.
    """

    steps: int
    gradient_steps: int
    seconds: float
    score: float
    most_taken_share: float
    entropy: float
    excess: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)
    levels: dict[str, float] = field(default_factory=dict)
    by_log: dict[str, Any] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict, compare=False)
    metrics: dict[str, float] = field(default_factory=dict)

    def merit(self, kpi: KPI) -> tuple[float, float]:
        """What checkpoints are ranked by, the higher the better: keeping the limits first, then the first KPI.

        Where the log chooses, by its estimate; checkpoints without one rank last, and among them the later first.
        """
        if self.by_log:
            value: float | None = self.by_log["value"]
            return (-1.0, float(self.steps)) if value is None else (0.0, value)
        return -self.excess, kpi.sign * self.score


@dataclass(frozen=True)
class SeedRecord:
    """One seed of a run: its bundle, its best checkpoint's score and excess on the selection data, its curve.

    `weights` are those of limits held by `lagrange` at that checkpoint, in reward per unit of the limit's signal,
    `incidents` what a simulator in another process mended while it trained. `resumed`, where it was stopped and went
    on: `steps` and `checkpoint` from which it last did, and `damaged`, what was wrong with newer ones. `utilisation`:
    what its process used and what took the time (docs/checkpoints.md).
    """

    seed: int
    version: str
    score: float
    steps_per_s: float
    curve: tuple[CurvePoint, ...]
    excess: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)
    incidents: dict[str, int] = field(default_factory=dict)
    resumed: dict[str, Any] = field(default_factory=dict)
    utilisation: dict[str, Any] = field(default_factory=dict)

    def merit(self, kpi: KPI) -> tuple[float, float]:
        """What seeds are ranked by, as checkpoints are."""
        if self.curve and self.curve[0].by_log:
            return max(point.merit(kpi) for point in self.curve)
        return -self.excess, kpi.sign * self.score


@dataclass(frozen=True)
class RunRecord:
    """One run over all its seeds.

    Args:
        run: its name; also its folder.
        problem: name of the problem.
        problem_version, reward_version, simulator_version: hashes of what it was trained on.
        settings: the recipe's settings.
        seeds: one record per seed.
        chosen: version of the seed that is best on the selection data.
        incumbent, bound: first KPI of the incumbent and of the bound on the selection data; no bound is None.
        gain: over seeds, on the selection data; an `Estimate` as plain fields.
        commit: of the source tree, or `unknown`.
        libraries: versions of what decides the result.
        experiment: why it is no candidate: it was trained on a reward that nobody checked; empty for a run that is one.
        trained_on: version of the simulator with the disturbances of the settings; without any, of the simulator.
        recipe: name of the recipe.
        incidents: what a simulator in another process mended, of all seeds and of the comparison; empty for others.
        log: what was learned from, and how its own policy did in the part held back; empty where worlds were.
    """

    run: str
    problem: str
    problem_version: str
    reward_version: str
    simulator_version: str
    settings: dict[str, Any]
    seeds: tuple[SeedRecord, ...]
    chosen: str
    incumbent: float
    bound: float | None
    gain: dict[str, Any]
    commit: str
    libraries: dict[str, str] = field(default_factory=dict)
    experiment: str = ""
    trained_on: str = ""
    recipe: str = "ppo"
    incidents: dict[str, int] = field(default_factory=dict)
    log: dict[str, Any] = field(default_factory=dict)

    @property
    def steps_per_s(self) -> float:
        """Decisions per second of one seed, scoring included; mean over seeds."""
        return sum(seed.steps_per_s for seed in self.seeds) / len(self.seeds)


def experiment_of(without: Sequence[str]) -> str:
    """Why a run is an experiment, where terms were left out of its reward; empty where none were.

    >>> experiment_of(["waited"])
    'trained on the reward without waited, which no check and no audit has seen'
    """
    return (
        f"trained on the reward without {', '.join(without)}, which no check and no audit has seen" if without else ""
    )


def folder_of(runs: Path, run: str) -> Path:
    """Where a run of that name lies.

    Raises:
        SettingsError: the name is no folder's name.
    """
    if not re.fullmatch(r"\w[\w.-]*", run):
        raise SettingsError(
            expected="a name of letters, digits, '.', '_' and '-', not beginning with '.' or '-'",
            found=repr(run),
            where="the name of a training run",
            fix="choose such a name; it becomes a folder",
        )
    return runs / run


def fresh_folder(runs: Path, run: str) -> Path:
    """An empty folder for a run; what an earlier run of that name left is removed.

    Raises:
        SettingsError: the name is no folder's name.
        StoreError: the folder cannot be made.
    """
    folder = folder_of(runs, run)
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def write_record(record: RunRecord, folder: Path) -> None:
    """Write it as record.json, whole or not at all: a run with that file is a finished one.

    Raises:
        StoreError: the folder cannot be written.
    """
    half = folder / ".record.json"
    try:
        half.write_text(json.dumps(asdict(record), indent=1))
        half.replace(folder / "record.json")
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> StoreError:
    """What to say when a run's folder cannot be written."""
    return StoreError(
        expected="a run folder with room that may be written",
        found=error.strerror or str(error),
        where=str(error.filename or folder),
        fix="free space or set the right to write there, then train again",
    )


def read_record(folder: Path) -> RunRecord:
    """The record in a run's folder.

    Raises:
        ProjectError: there is none, or it is damaged.
    """
    path = folder / "record.json"
    if not path.exists():
        raise ProjectError(
            expected="a finished run with a record.json",
            found="none",
            where=str(path),
            fix="run `tenure train` first, or name one of the folders beside it",
        )
    try:
        fields = json.loads(path.read_text())
        seeds = tuple(seed_record(seed) for seed in fields.pop("seeds"))
        return RunRecord(**fields, seeds=seeds)
    except (ValueError, TypeError, KeyError) as error:
        raise ProjectError(
            expected="the record of a training run",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix="restore the file, or train again",
        ) from error


def seed_record(fields: dict[str, Any]) -> SeedRecord:
    """A seed's record from its plain fields.

    Raises:
        TypeError, KeyError: they are not such fields.
    """
    return SeedRecord(**{**fields, "curve": tuple(CurvePoint(**point) for point in fields["curve"])})


def latest_run(runs: Path) -> RunRecord:
    """The newest finished run.

    Raises:
        ProjectError: there is none yet.
    """
    finished = sorted(runs.glob("*/record.json"), key=lambda path: path.stat().st_mtime)
    return read_record(finished[-1].parent if finished else runs / "none")


def lineage_of_tree(folder: Path) -> str:
    """Commit of the tree a project lies in, with `+` where it was changed; `unknown` outside git."""

    def git(*arguments: str) -> str:
        try:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
        except OSError:  # git is not installed
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short", "HEAD")
    return f"{commit}{'+' if git('status', '--porcelain') else ''}" if commit else "unknown"


def libraries() -> dict[str, str]:
    """Versions of what decides a training result."""
    names = ("tenure", "torch", "stable-baselines3", "sb3-contrib", "gymnasium", "numpy", "onnxruntime")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # installed under another name, such as onnxruntime-gpu, or from a bare tree
        return "unknown"
