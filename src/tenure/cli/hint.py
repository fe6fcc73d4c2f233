"""One sentence at the end of a training that looks as if it did not work, with the command that finds out why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.core.project import Project
    from tenure.training import RunRecord


def hint(project: Project, record: RunRecord, name: str) -> str:
    """The sentence, from the record alone; empty where nothing in it is suspicious.

    Args:
        project: what was trained for.
        record: of the run.
        name: of the project, as the command line took it.
    """
    from tenure.diagnosis.diagnose import suspicious

    said = suspicious(project, record)
    return f"{said} Why: tenure diagnose {name} {record.run}" if said else ""
