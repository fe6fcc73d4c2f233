"""`tenure diagnose`: why a training does not work, by hypotheses that short trainings test."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.cli.output import Output
from tenure.cli.progress import progress_bar
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenure.diagnosis import Diagnosis
    from tenure.diagnosis.reading import Reading

FILE = "diagnosis.json"
"""Of a run's folder."""
WELL, UNCLEAR, NAMED, UNMEASURED = 0, 3, 4, 5
"""Exit codes: nothing is the matter, something is and no cause was confirmed, a cause is named, nothing to judge by."""


@dataclass(frozen=True)
class Asked:
    """What `tenure diagnose` was asked for.

    Args:
        run: its name; None takes the newest.
        probes: hypotheses that are tested, at most.
        seconds: of each.
        apply: change tenure.toml as the named cause's fix says.
    """

    run: str | None = None
    probes: int = 3
    seconds: float = 120.0
    apply: bool = False


def run_diagnosis(output: Output, project: str, asked: Asked, home: Path | None) -> int:
    """Diagnose and print; gives the exit code."""
    from tenure.diagnosis import Allowance, diagnose
    from tenure.diagnosis.reading import read_run

    workspace = open_workspace(project, home)
    folder = run_folder(workspace, asked.run)
    reading = read_run(workspace.project, folder)
    if reading.record is None:
        return _unmeasured(output, folder.name, reading)
    output.say(f"Run {reading.record.run}: recipe {reading.record.recipe}, {len(reading.record.seeds)} seed(s).")
    allowance = Allowance(asked.probes, asked.seconds, processes=os.cpu_count() or 1)
    with _told(output, project, folder.name) as watch:
        found = diagnose(workspace.project, reading.record, folder, allowance, watch)
    found = replace(found, missing=(*reading.missing, *found.missing))
    _keep(folder, found)
    _show(output, project, found)
    diff = _apply(output, workspace, reading.record.recipe, found) if asked.apply else ""
    output.result({**found.as_dict(), "applied": diff})
    return code_of(found)


def code_of(found: Diagnosis) -> int:
    """The exit code of a diagnosis."""
    if found.named is not None:
        return NAMED
    return WELL if found.shape == "healthy" else UNCLEAR


def run_folder(workspace: Workspace, run: str | None) -> Path:
    """The run's folder; without a name the one that was begun last.

    Raises:
        ProjectError: there is none, or the name is no folder's name.
    """
    from tenure.training.record import folder_of

    if run is not None:
        return folder_of(workspace.runs, run)
    folders = [path for path in workspace.runs.glob("[!.]*") if path.is_dir()]
    if not folders:
        raise ProjectError(
            expected="a run to diagnose",
            found="none",
            where=str(workspace.runs),
            fix="run `tenure train` first, or name its --home",
        )
    return max(folders, key=lambda path: path.stat().st_mtime)


def _unmeasured(output: Output, run: str, reading: Reading) -> int:
    for sentence in reading.missing:
        output.say(sentence)
    output.result({"run": run, "shape": None, "healthy": None, "causes": [], "missing": reading.missing, "named": None})
    return UNMEASURED


@contextmanager
def _told(output: Output, project: str, run: str) -> Iterator[Callable[[str, float], None]]:
    """A bar of what is probed; Ctrl-C says how to go on."""
    try:
        with progress_bar(output) as bar:
            task = bar.add_task("probes", total=1.0, note="")

            def watch(words: str, share: float) -> None:
                bar.update(task, completed=share, note=words)

            yield watch
    except KeyboardInterrupt:
        output.say(f"Stopped. What is finished is kept: `tenure diagnose {project} {run}` goes on from there.")
        raise


def _keep(folder: Path, found: Diagnosis) -> None:
    """The diagnosis beside the run's record, whole or not at all."""
    half = folder / f".{FILE}"
    try:
        half.write_text(json.dumps(found.as_dict(), indent=1))
        half.replace(folder / FILE)
    except OSError as error:
        from tenure.training.record import unwritable

        raise unwritable(folder, error) from error


def _show(output: Output, project: str, found: Diagnosis) -> None:
    output.heading(f"{found.run}: {found.shape}")
    output.say(found.told)
    for one in found.causes:
        output.say(f"{one.name}: {one.verdict} ({one.seconds:.0f} s)")
        output.say(f"  why: {one.evidence}")
        output.say(f"  probe: {one.probe}")
    for sentence in found.missing:
        output.say(f"Not judged: {sentence}")
    if found.named is not None and found.named.fix.settings:
        output.say(f"Next: tenure diagnose {project} {found.run} --apply")


def _apply(output: Output, workspace: Workspace, recipe: str, found: Diagnosis) -> str:
    """Change tenure.toml, where a cause is named whose fix is a setting; gives the difference."""
    from tenure.diagnosis.applying import BACKUP, apply

    if found.named is None or not found.named.fix.settings:
        output.say("Nothing to apply: no cause is named whose fix is a setting.")
        return ""
    diff = apply(workspace.project.folder, recipe, found.named.fix.settings)
    output.say(diff)
    output.say(f"Applied; the file as it was is {BACKUP}. Next: tenure train {workspace.project.folder}")
    return diff
