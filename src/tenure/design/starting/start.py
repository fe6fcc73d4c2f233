"""A project begins: from a log, from a shipped case, or from a small working world."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.core.errors import ProjectError
from tenure.core.project import CASES, load_project
from tenure.design.starting.draft import Draft, draft_project
from tenure.design.starting.folder import COPIED_BYTES, SKELETON, checked_target, files_of_project, write_files
from tenure.design.starting.render import files_from_log, files_of_any
from tenure.design.starting.roles import Told


@dataclass(frozen=True)
class Started:
    """A new project.

    Args:
        folder: where it lies.
        files: written there, in order.
        draft: what was guessed; None where nothing was.
    """

    folder: Path
    files: tuple[str, ...]
    draft: Draft | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        draft = self.draft
        return {
            "folder": str(self.folder),
            "files": list(self.files),
            "guesses": [guess.as_dict() for guess in draft.guesses] if draft else [],
            "left_out": draft.left_out if draft else {},
            "leaks": [leak.as_dict() for leak in draft.leaks] if draft else [],
            "notes": list(draft.notes) if draft else [],
        }


def start_from_log(name: str, parent: Path, log: Path, told: Told | None = None) -> Started:
    """A project guessed from a table of logged decisions.

    Args:
        name: of the project and its folder.
        parent: folder in which the folder is made.
        log: CSV (plain or gzipped), JSON lines or Parquet.
        told: which columns are what, where a person knows better.

    Raises:
        ProjectError: the name or folder will not do.
        DataError: the log cannot be understood; nothing is written then.
    """
    target = checked_target(name, parent)
    draft = draft_project(name, log, told or Told())
    copied = log.stat().st_size < COPIED_BYTES
    inside = f"log{''.join(log.suffixes[-2:])}" if copied else os.path.relpath(log, target)
    files = files_from_log(draft, inside, copied=copied)
    written = write_files(target, files, {f"data/{inside}": log} if copied else {})
    _check_loads(target)
    return Started(target, tuple(written), draft)


def start_from_case(name: str, parent: Path, case: str | None) -> Started:
    """A copy of a shipped case under a new name; without a case, of a small working world.

    Raises:
        ProjectError: the name or folder will not do, or there is no such case.
    """
    target = checked_target(name, parent)
    folder = SKELETON if case is None else _case(case)
    texts, copies = files_of_project(folder, name)
    origin = "with a small working world, for you to replace" if case is None else f"from the shipped case {case!r}"
    written = write_files(target, texts | files_of_any(name, origin, {}), copies)
    _check_loads(target)
    return Started(target, tuple(written))


def _case(case: str) -> Path:
    known = sorted(path.parent.name for path in CASES.glob("*/problem.py"))
    if case not in known:
        raise ProjectError(
            expected=f"one of the shipped cases {known}", found=repr(case), where="--case", fix="name one of these"
        )
    return CASES / case


def _check_loads(folder: Path) -> None:
    """What was written is loaded once, so that a mistake of ours shows here and not later."""
    project = load_project(folder)
    _ = project.problem.version, project.incumbent.version, project.simulator.version
