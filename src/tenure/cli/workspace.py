"""A project with its runtime files: log, bundles, runs, reports; and the rooms put together over them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tenure.core.errors import ProjectError, StoreError
from tenure.core.policy import Policy
from tenure.core.project import Project, load_project
from tenure.rollout.drill import REHEARSAL, rehearsed
from tenure.rollout.settings import Settings, read_settings
from tenure.rollout.stop import StopFile
from tenure.store import BundlePolicy, Store, load_bundle
from tenure.store.artifacts import Artifacts
from tenure.store.opening import open_store

HOME = "TENURE_HOME"
"""Environment variable naming the folder of runtime files; `.tenure` in the working directory without it."""

DATABASE = "TENURE_DATABASE"
"""Environment variable naming the log's place, such as postgresql://host/tenure; a SQLite file beside the rest without
it."""


ARTIFACTS = "TENURE_ARTIFACTS"
"""Environment variable with the URL below which runs and bundles are kept for other machines; docs/deploy.md."""


@dataclass(frozen=True)
class Workspace:
    """One project, its folder of runtime files, and the URL asked for its artifacts; None takes the settings'."""

    project: Project
    home: Path
    kept_at: str | None = None

    @property
    def bundles(self) -> Path:
        """Bundles by version."""
        return self.home / "bundles"

    @property
    def runs(self) -> Path:
        """Training runs by name."""
        return self.home / "runs"

    @property
    def stop(self) -> StopFile:
        """The stop that needs no database."""
        return stop_file(self.home.name, self.home.parent)

    @cached_property
    def settings(self) -> Settings:
        """The project's tenure.toml; for a drill's server, without whom to tell and whom to ask."""
        settings = read_settings(self.project.settings_path, self.project.problem)
        return rehearsed(settings) if os.environ.get(REHEARSAL) else settings

    @cached_property
    def artifacts(self) -> Artifacts | None:
        """Where runs and bundles are kept for other machines: as asked, else $TENURE_ARTIFACTS, else tenure.toml.

        Raises:
            ProjectError: the library of that store is not installed.
            SettingsError: it is no URL.
        """
        url = self.kept_at or os.environ.get(ARTIFACTS) or self.settings.artifacts.url
        return Artifacts(url, self.project.problem.name) if url else None

    def store(self, wait_s: float = 5.0) -> Store:
        """The log; made when absent. `wait_s`: how long to wait for another process's lock, in seconds."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                expected="a folder for the runtime files that can be written",
                found=error.strerror or str(error),
                where=str(self.home),
                fix="give this user the right to write there, or name another --home",
            ) from error
        store = open_store(log_of(self.home), wait_s)
        store.open_problem(self.project.problem.name, self.settings.rollout.salt or self.project.problem.version)
        return store

    def bundle(self, version: str) -> BundlePolicy:
        """A bundle by version, checked; fetched where it is kept for other machines and not here yet."""
        return load_bundle(self.here(version), self.project.problem, self.project.incumbent)

    def here(self, version: str) -> Path:
        """The folder of a bundle, which is fetched when it is not here and artifacts are kept.

        Raises:
            StoreError: it is not there either, or the store cannot be read.
            BundleError: what lies there is not the content of that version.
        """
        folder, artifacts = self.bundles / version, None
        if not folder.is_dir():
            artifacts = self.artifacts
        return folder if artifacts is None else artifacts.fetch_bundle(version, self.bundles)

    def has(self, version: str) -> bool:
        """Whether a version lies here, which needs no store, or else where artifacts are kept.

        Raises:
            StoreError: it does not lie here, and the store cannot be read.
        """
        return version in self._here() or version in self.known()

    def known(self) -> list[str]:
        """Versions that lie here or where artifacts are kept, sorted.

        Raises:
            StoreError: the store cannot be read.
        """
        there = [] if self.artifacts is None else self.artifacts.versions()
        return sorted({*there, *self._here()})

    def _here(self) -> list[str]:
        return [path.name for path in self.bundles.glob("[!.]*")]

    def policy(self, name: str) -> Policy:
        """A policy by name: a version, `incumbent`, or another of the project's rules.

        Raises:
            ProjectError: there is none of that name.
        """
        rules = {"incumbent": self.project.incumbent, **self.project.rules}
        if name in rules:
            return rules[name]
        if self.has(name):
            return self.bundle(name)
        raise ProjectError(
            expected=f"a rule of {sorted(rules)} or a version of {self.known()}",
            found=repr(name),
            where=str(self.home),
            fix="train first, or name one of these",
        )


def base_of(home: Path | None) -> Path:
    """The folder of runtime files: as named, else $TENURE_HOME, else .tenure."""
    return home or Path(os.environ.get(HOME, ".tenure"))


def log_of(home: Path) -> Path | str:
    """The place of a problem's log: $TENURE_DATABASE, else the file in its folder of runtime files."""
    return os.environ.get(DATABASE) or home / "log.sqlite"


def existing_log(project: str, home: Path | None) -> tuple[str, Path | str]:
    """Problem name and log of a project that has run before; needs neither its settings nor, at a pinch, its code.

    An operator must be able to stop what runs while somebody is editing problem.py.

    Raises:
        ProjectError: there is no such log; none is ever made here.
    """
    base = base_of(home)
    logs = {path.parent.name: path for path in base.glob("*/log.sqlite")}
    try:
        name = load_project(project).problem.name
    except ProjectError:
        name = Path(project).name if Path(project).name in logs or len(logs) != 1 else next(iter(logs))
    if os.environ.get(DATABASE):
        return name, os.environ[DATABASE]
    if name not in logs:
        raise ProjectError(
            expected=f"the log of {name!r}, which the server writes",
            found=f"logs of {sorted(logs)}" if logs else "no log",
            where=str(base.resolve()),
            fix="name the server's folder of runtime files with --home; nothing was stopped",
        )
    return name, logs[name]


def keys_of(home: Path | None) -> Path:
    """The folder of the key that signs checkpoints."""
    return base_of(home) / "keys"


def checkpoints_of(problem: str, home: Path | None) -> Path:
    """Where a problem's signed checkpoints are told outside its log."""
    return base_of(home) / problem / "checkpoints.jsonl"


def stop_file(problem: str, home: Path | None) -> StopFile:
    """The stop file of a problem under a folder of runtime files."""
    return StopFile(base_of(home) / problem / "STOP")


def open_workspace(project: str, home: Path | None) -> Workspace:
    """The workspace of a project folder or shipped case.

    Raises:
        ProjectError: there is no such project.
    """
    loaded = load_project(project)
    return Workspace(loaded, base_of(home) / loaded.problem.name)
