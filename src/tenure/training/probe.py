"""A short training that is stopped as soon as it has told how fast it goes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tenure.core.project import Project
from tenure.training.record import CurvePoint
from tenure.training.seeds import train
from tenure.training.settings import Settings
from tenure.training.workers import Progress

SECONDS, POINTS = 10.0, 4
"""A probe ends with the first score after so many seconds that is at least the fourth; or with its last one."""


class _Enough(Exception):
    """The speed is known."""


def probe(project: Project, settings: Settings, folder: Path) -> list[CurvePoint]:
    """The curve of a training of one seed that is broken off.

    Args:
        project: what would be trained.
        settings: as the run would have them.
        folder: what it writes lies there, and is of no further use.

    Raises:
        TenureError: the run itself could not be begun.
    """
    curve = list[CurvePoint]()

    def watch(progress: Progress) -> None:
        curve.append(progress.point)
        if len(curve) >= POINTS and progress.point.seconds >= SECONDS:
            raise _Enough

    with suppress(_Enough):
        train(project, settings, (1,), folder, "probe", watch)
    return curve
