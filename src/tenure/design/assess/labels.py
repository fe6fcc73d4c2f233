"""Is the right answer known afterwards, whatever was done? Then it is a case for supervised learning."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Finding, Verdict
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.dependence import dependence
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface
from tenure.design.assess.thresholds import CERTAIN, LABEL_ADDS, LABEL_EXPLAINS

GATE = "label_unknown"


def label_unknown(records: Records, behaviour: Behaviour) -> Finding:
    """Pass: the outcome of other actions stays unknown, so it must be learned by trying; fail: a label is known.

    A label is a column known only afterwards that does not depend on the action, given the situation, and that
    together with the action tells the reward. A column that says what came of the action taken is none.
    """
    if not records.after_names:
        why = "no column is known only afterwards and would tell what other actions had brought (--after names one)"
        return Finding(GATE, Verdict.PASS, why)
    free = [k for k in range(len(records.after_names)) if not _moved(records, behaviour, records.after[:, [k]])]
    names = ", ".join(records.after_names)
    if not free:
        return Finding(GATE, Verdict.PASS, f"{names} depends on the action taken, so it says nothing of the others")
    label = records.after[:, free]
    told, guessed = (_explained(records, x) for x in (np.column_stack([records.x, label]), records.x))
    known = ", ".join(sorted({records.after_names[k].partition("=")[0] for k in free}))
    shares = f"{100 * told:.0f} % of the reward's variance, {100 * guessed:.0f} % without it"
    if told >= LABEL_EXPLAINS and told - guessed >= LABEL_ADDS:
        return Finding(GATE, Verdict.FAIL, f"{known} is known afterwards whatever was done, and tells {shares}")
    return Finding(GATE, Verdict.PASS, f"{known} with the action tells {shares}: not enough to know the others'")


def _moved(records: Records, behaviour: Behaviour, column: Floats) -> bool:
    """Whether the action moves a column, given the situation."""
    rows = np.ones(len(records), dtype=bool)
    return dependence(records, behaviour, column, rows).p < CERTAIN


def _explained(records: Records, x: Floats) -> float:
    """Share of the reward's variance that x and the action explain on units not fitted on."""
    left = np.empty(len(records))
    for half in (0, 1):
        fit, judge = records.fold == half, records.fold != half
        y = records.reward[fit, None]
        surface = fit_surface(x[fit], records.action[fit], y, len(records.labels), seed=half)
        left[judge] = records.reward[judge] - surface.at(x[judge], records.action[judge])[:, 0]
    variance = float(records.reward.var())
    return 1 - float((left**2).mean()) / variance if variance > 0 else 0.0
