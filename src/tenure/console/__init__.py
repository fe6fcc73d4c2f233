"""Pages for people: what a candidate earned, what it cost, who moved it and why, on one page that travels.

Promises: a report is one HTML file with nothing outside it: no script, no font, no link to fetch; all text is escaped;
every figure that has an interval shows it; no meaning hangs on colour alone; what is unknown is called so, never zero;
the page reads on a phone, on a laptop, in the dark and printed in black and white.
Leaves to others: every figure and verdict (`evaluation`, `rollout`, `training`), reading the log (`store`), and the
numbers' JSON (`cli`). The clock is the caller's: `Report.generated_at`.
Jinja2, Altair and vl-convert are imported when a page is rendered, so that naming the room costs nothing.
"""

from tenure.console.model import (
    Curve,
    Day,
    Fact,
    HeldOut,
    Kill,
    Kpi,
    MoveRow,
    Refused,
    Report,
    Rollout,
    Tail,
    Training,
)
from tenure.console.report import render, write

__all__ = [
    "Curve",
    "Day",
    "Fact",
    "HeldOut",
    "Kill",
    "Kpi",
    "MoveRow",
    "Refused",
    "Report",
    "Rollout",
    "Tail",
    "Training",
    "render",
    "write",
]
