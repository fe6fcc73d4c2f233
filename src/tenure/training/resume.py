"""The plan of a run, written before it begins, so that a run that was stopped can go on as what it was."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from tenure.core.errors import ConflictError, ProjectError, TenureError
from tenure.core.project import Project
from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes import recipe_of
from tenure.training.record import SeedRecord, folder_of, seed_record, unwritable
from tenure.training.settings import Settings
from tenure.training.worlds import training_worlds

PLAN, DONE = "run.json", "seed.json"
"""Files of a run and of a finished seed."""


@dataclass(frozen=True)
class Plan:
    """What a run was begun as.

    Args:
        run: its name.
        recipe: its name.
        settings: of the recipe.
        seeds: all of them.
        hashes: by name, of what it is trained on: `problem`, `reward`, `simulator` with its disturbances, `log`.
        commit: of the source tree.
    """

    run: str
    recipe: str
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    hashes: dict[str, str]
    commit: str

    def settings_of(self) -> Settings:
        """The settings as the recipe has them."""
        return msgspec.convert(self.settings, recipe_of(self.recipe).settings)

    def check(self, project: Project) -> None:
        """Refuse to go on with something else than the run was begun with.

        Raises:
            ProjectError: with what changed, from which hash to which.
        """
        now = hashes_of(project, self.settings_of())
        changed = [name for name in self.hashes if now.get(name) != self.hashes[name]]
        if changed:
            raise ProjectError(
                expected=", ".join(f"{name} {self.hashes[name]}" for name in changed),
                found=", ".join(f"{name} {now.get(name)}" for name in changed),
                where=f"run {self.run!r}, which was begun with another {' and '.join(changed)}",
                fix="undo the change and go on, or train anew without --resume",
            )


def hashes_of(project: Project, settings: Settings) -> dict[str, str]:
    """What a run is trained on, by name; equal hashes mean equal things."""
    problem = project.problem
    found = {
        "problem": problem.version,
        "reward": problem.reward_version,
        "simulator": training_worlds(project, settings).version,
    }
    if isinstance(settings, OfflineSettings):
        from tenure.training.offline import digest_of

        found["log"] = digest_of(settings.log)
    return found


def write_plan(plan: Plan, folder: Path) -> None:
    """Write it as run.json.

    Raises:
        StoreError: the folder cannot be written.
    """
    _write(folder / PLAN, asdict(plan))


def read_plan(folder: Path) -> Plan:
    """The plan in a run's folder.

    Raises:
        ProjectError: there is none, or it is damaged.
    """
    try:
        return msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    except (OSError, msgspec.MsgspecError) as error:
        raise ProjectError(
            expected="the plan of a run, which `tenure train` writes before it begins",
            found=str(error),
            where=str(folder / PLAN),
            fix="name a run that has one, or train anew without --resume",
        ) from error


def unfinished(runs: Path, run: str | None) -> Path:
    """The folder of a run that was stopped: the named one, or the newest.

    Raises:
        ProjectError: there is no such run, or it is finished.
    """
    begun = sorted(runs.glob(f"*/{PLAN}"), key=lambda path: path.stat().st_mtime)
    open_runs = [path.parent for path in begun if not (path.parent / "record.json").exists()]
    chosen = [folder for folder in open_runs if run is None or folder.name == run]
    if not chosen:
        raise ProjectError(
            expected="a run that was stopped" + ("" if run is None else f", named {run!r}"),
            found=f"unfinished: {sorted(folder.name for folder in open_runs)}",
            where=str(runs),
            fix="name one of these with --name, or train anew without --resume",
        )
    return chosen[-1]


@contextmanager
def held(runs: Path, run: str) -> Iterator[None]:
    """Nobody else trains or replaces this run meanwhile; the hold ends with the process, however it ends.

    Its file lies beside the run's folder, which a new run of that name removes.

    Raises:
        SettingsError: the name is no folder's name.
        ConflictError: another process is training it.
        StoreError: the folder cannot be written.
    """
    folder = folder_of(runs, run)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        file = (runs / f".{run}.held").open("w")
    except OSError as error:
        raise unwritable(folder, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(
                expected="a run that nobody trains now",
                found="another process, which is training it",
                where=str(folder),
                fix="wait for its end, or stop it first",
            ) from error
        yield


def write_done(record: SeedRecord, folder: Path) -> None:
    """Keep a finished seed's record in its folder; such a seed is not trained again.

    Raises:
        StoreError: the folder cannot be written.
    """
    _write(folder / DONE, asdict(record))


def read_done(folder: Path, bundles: Path) -> SeedRecord | None:
    """The record of a finished seed whose bundle lies there; None for one that is not finished."""
    try:
        record = seed_record(json.loads((folder / DONE).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return record if (bundles / record.version).is_dir() else None


def _write(path: Path, fields: dict[str, Any]) -> None:
    half = path.with_name(f".{path.name}")
    try:
        half.write_text(json.dumps(fields, indent=1))
        half.replace(path)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def with_resume(error: TenureError, folder: Path) -> TenureError:
    """The same error, which also says how the run goes on, where it has a checkpoint or a finished seed."""
    kept = [*folder.glob("seed-*/checkpoints/[!.]*"), *folder.glob(f"seed-*/{DONE}")]
    if "--resume" in error.fix or not kept:
        return error
    fix = f"{error.fix}; then `tenure train P --resume --name {folder.name}` goes on from what is kept"
    return type(error)(expected=error.expected, found=error.found, where=error.where, fix=fix)
