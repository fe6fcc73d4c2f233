"""Does the action move an outcome, given the situation? A test whose size does not rest on the model it uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Estimate
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface
from tenure.design.assess.thresholds import ALPHA


@dataclass(frozen=True)
class Dependence:
    """What was found.

    Args:
        moved: variance of the outcomes that the action moves, given the situation, summed over outcomes, in their unit
            squared; a little low, as what is fitted is drawn to 0, and below 0 by chance.
        p: probability of so large a statistic were the action without effect, in [0, 1].
    """

    moved: Estimate
    p: float


def dependence(
    records: Records, behaviour: Behaviour, outcome: Floats, rows: Bools, likeness: Floats | None = None
) -> Dependence:
    """Test that outcomes are independent of the action, given the situation.

    Half of the units fit h(x, a), what to expect of an outcome; on the other half each row gives
    (outcome - m(x)) * (h(x, a) - m(x)), where m averages h over the logging policy's actions. Without an effect the
    second factor has mean 0 given x, whatever h is, so the mean over units is 0; with one it is the variance moved.

    Args:
        records: the log.
        behaviour: who acted how.
        outcome: what may depend on the action, any unit; [n, width].
        rows: which rows count; [n].
        likeness: a less noisy likeness of the outcome, from which h is fitted; [2, n, width], as made from each half
            of the units; the outcome itself when None. However bad it is, the test keeps its size.

    Source: projected covariance measure, Lundborg, Kim, Shah and Samworth (2024), Annals of Statistics 52(6), with
    the projection centred by propensities; Student's t over units.
    """
    score, fold = np.zeros(len(records)), records.fold
    for half in (0, 1):
        fit, judge = rows & (fold == half), rows & (fold != half)
        y = outcome if likeness is None else likeness[half]
        surface = fit_surface(records.x[fit], records.action[fit], y[fit], len(records.labels), seed=half)
        expected = surface.everywhere(records.x[judge])
        mean = np.einsum("na,naw->nw", behaviour.chance[judge], expected)
        taken = expected[np.arange(int(judge.sum())), records.action[judge]]
        score[judge] = ((outcome[judge] - mean) * (taken - mean)).sum(axis=1)
    return _judged(records, score, rows)


def _judged(records: Records, score: Floats, rows: Bools) -> Dependence:
    """Mean score per row with its interval over units, and the one-sided p."""
    value, error, units = unit_mean(score[rows], records.unit[rows])
    p = float(stats.t.sf(value / error, units - 1)) if error > 0 else 1.0
    radius = float(stats.t.ppf(1 - ALPHA / 2, units - 1)) * error
    method = "projected covariance measure, cross-fitted"
    ends = Estimate(
        value, value - radius, value + radius, int(rows.sum()), float(units), method, records.cluster, ALPHA
    )
    return Dependence(ends, p)


def unit_mean(x: Floats, unit: Ints) -> tuple[float, float, int]:
    """Mean per row, its standard error over units (a ratio, linearised), and how many units there are.

    Source: Cochran (1977), 6.4.
    """
    number = np.unique(unit, return_inverse=True)[1]
    total, size = np.bincount(number, weights=x), np.bincount(number).astype(float)
    mean, units = float(total.sum() / size.sum()), len(size)
    if units < 2:
        return mean, 0.0, max(units, 2)
    parts = (total - mean * size) / size.sum()
    return mean, float(np.sqrt(units / (units - 1) * (parts**2).sum())), units
