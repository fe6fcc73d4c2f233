"""Stage 1: from a project, a log or a few answers to one of five recommendations, with reasons.

Promises: what a log or a world can show is measured and never asked; every figure has its interval; a policy is valued
on units it was not learned from; the verdict is one row of one table, and an open fact leaves it open, saying what
would help; answers alone can exclude reinforcement learning and never recommend it.
Leaves to others: reading logs (`store.tables`), simulated worlds (`simulators`), commands and tables (`cli.assess`).

Where a line belongs: `records` (a log, ready to be measured), `surface` and `behaviour` (regressions), `dependence`,
`worth`, `consequence`, `headroom`, `policies`, `labels`, `trend`, `volume` (one measurement each), `measure` (all of a
log), `folder`, `twins`, `solving`, `judged_folder` (all of a folder), `answers`, `compute`, `thresholds` (every number
that decides), `recommend` (the table), `assessment` (the whole, and the ranking).
"""

from tenure.design.assess.answers import Answers, ask, read_answers
from tenure.design.assess.assessment import Assessment, assess_answers, assess_folder, assess_log, ranked

__all__ = [
    "Answers",
    "Assessment",
    "ask",
    "assess_answers",
    "assess_folder",
    "assess_log",
    "ranked",
    "read_answers",
]
