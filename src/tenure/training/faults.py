"""What stops a training from outside: a full disk, a world that answers no number; with the last good checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tenure.core.errors import TenureError
from tenure.simulators.faults import WorldFault
from tenure.training.checkpoints import write_synced
from tenure.training.workers import DISK

if TYPE_CHECKING:
    from tenure.training.ground import Ground

INCIDENT = "incident.json"
"""File of a seed that says what a world did."""


def told(error: Exception, ground: Ground) -> Exception:
    """The error with what is kept of the training and how it goes on; another error as it is."""
    if isinstance(error, OSError) and error.errno in DISK:
        return ground.checkpoints.full(error)
    return _incident(error, ground) if isinstance(error, WorldFault) else error


def _incident(error: WorldFault, ground: Ground) -> TenureError:
    last, _ = ground.checkpoints.newest()
    kept = None if last is None else str(last.folder)
    path = ground.folder / INCIDENT
    _write(path, {**error.incident, "run_seed": ground.seed, "checkpoint": kept})
    good = "no checkpoint was written yet" if last is None else f"the last good checkpoint is {kept}"
    return WorldFault(
        expected=error.expected,
        found=f"{error.found}; {good}",
        where=error.where,
        fix=f"{error.fix}; {path} holds the observation and the action before it",
        incident=error.incident,
    )


def _write(path: Path, fields: dict[str, object]) -> None:
    write_synced(path, json.dumps(fields, indent=1).encode())
