"""How many decisions a year there are, and who says so: no yearly figure rests on a number that nobody gave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from tenure.core.project import Project
from tenure.design.assess.folder import trial_panel
from tenure.design.assess.records import Records
from tenure.design.starting.table import read_table

YEAR = 365.0
"""Days."""


@dataclass(frozen=True)
class Pace:
    """How often it is decided.

    Args:
        per_day: decisions a day; NaN where neither a person nor the data say.
        said: who says so, in words; where nobody does, what is missing.
    """

    per_day: float
    said: str

    @property
    def a_year(self) -> float:
        """Decisions a year; NaN where unknown."""
        return YEAR * self.per_day


def told_pace(per_day: float) -> Pace:
    """What a person said, in decisions a day."""
    return Pace(per_day, f"{per_day:,.6g} decisions a day, as you said")


def log_pace(records: Records) -> Pace:
    """By the log's own time, all its decisions counted."""
    return _spanned(records.of, records.days, "the log has no time; add a column decided_at")


def folder_pace(project: Project) -> Pace:
    """By the log that a folder of `tenure init` stands on, else by worlds that stand side by side in real time.

    Worlds that were each drawn by themselves are as many as a comparison needs; they say nothing of the traffic.
    """
    log, order = (project.optional("data", name) for name in ("LOG", "ORDER"))
    if isinstance(log, Path) and hasattr(order, "time"):
        return _of_log(log, order.time)
    panel = trial_panel(project)
    if panel.independent:
        return Pace(math.nan, "its worlds are drawn, as many as a comparison needs, and say nothing of the traffic")
    worlds, every = len(panel.worlds), panel.interval
    said = f"{worlds} worlds side by side, a decision every {every}, as simulator.py says"
    return Pace(worlds * (timedelta(days=1) / every), said)


def _of_log(log: Path, time: str | None) -> Pace:
    if time is None:
        return Pace(math.nan, f"{log.name}, on which it stands, has no time")
    moments = read_table(log, {time}, most=MOST).moments(time)
    known = moments[~np.isnat(moments)]
    days = float(np.ptp(known) / np.timedelta64(1, "D")) if len(known) else math.nan
    return _spanned(len(moments), days, f"{log.name}, on which it stands, has no time")


MOST = 10**9
"""Rows of one column that are read to see over how long a log goes: all."""


def _spanned(rows: int, days: float, missing: str) -> Pace:
    if not days > 0:
        return Pace(math.nan, missing)
    return Pace(rows / days, f"{rows:,} decisions in {days:.3g} days of the log, taken for every day of a year")
