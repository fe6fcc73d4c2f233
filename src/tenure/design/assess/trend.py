"""Has the incumbent stopped improving, and how fast does a model of this world grow old?"""

from __future__ import annotations

import numpy as np
from scipy import stats

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.design.assess.dependence import unit_mean
from tenure.design.assess.records import Records
from tenure.design.assess.surface import fit_surface
from tenure.design.assess.thresholds import ALPHA, DRIFT_SHARE, FEWEST_ROWS

PERIODS = 20
"""Parts of the log's time over which the incumbent's trend is drawn."""
WAVES = 4
"""Slow waves by which the error of the trend is measured: the slowest there are, so that slow luck is in it."""
AGES = 4
"""Parts of the log's time over which a model of the first one grows old."""


def ceiling(records: Records, gain: bool | None) -> Finding:
    """Pass: the incumbent earns no more than it did while there is more to earn; fail: it still improves by itself.

    Least squares of the mean reward of each period on time. Its error is what four slow waves (polynomials of
    degree 2 to 5, each at a right angle to the rest) move besides, Student's t with 4: a level that stays for
    a while moves those nearly as much as the line.

    Source: variance by orthonormal series, Mueller (2007), Journal of Econometrics 141; Sun (2013), Econometrics J. 16.
    """
    gate = "ceiling"
    if not np.isfinite(records.order).all():
        return Finding(gate, Verdict.INCONCLUSIVE, "the log has no time; add a column decided_at")
    period = np.minimum((records.order * PERIODS).astype(int), PERIODS - 1)
    used = np.unique(period)
    if len(used) < WAVES + 2:
        return Finding(gate, Verdict.INCONCLUSIVE, "fewer than six periods with decisions; log over a longer time")
    means = np.array([records.reward[period == each].mean() for each in used])
    slope, error = _trend(used / PERIODS, means)
    radius = float(stats.t.ppf(1 - ALPHA / 2, WAVES)) * error
    method = "least squares, error by slow waves"
    found = Estimate(slope, slope - radius, slope + radius, len(records), float(WAVES), method, "slow wave", ALPHA)
    words = f"over the whole log the incumbent's reward changed by {slope:+.3g} ({found.low:+.3g} to {found.high:+.3g})"
    if found.low > 0:
        return Finding(gate, Verdict.FAIL, f"{words}: it still improves by itself", found)
    more = {True: ", while there is more to gain: it has hit its ceiling", False: ", and there is no more to gain"}
    return Finding(
        gate, Verdict.PASS if gain else Verdict.INCONCLUSIVE, words + ("" if gain is None else more[gain]), found
    )


def _trend(time: Floats, means: Floats) -> tuple[float, float]:
    """Slope of the line through the periods' means, and its standard error by the slow waves."""
    basis, size = np.linalg.qr(np.vander(time, WAVES + 2, increasing=True))
    waves = basis.T @ means
    return float(waves[1] / size[1, 1]), float(np.sqrt((waves[2:] ** 2).mean()) / abs(size[1, 1]))


def drift(records: Records) -> tuple[Finding, float | None]:
    """How much a reward model loses by age, and after how many days it is to be fitted again (None: no need is seen).

    A model of the log's first quarter is judged on each later one against a model fitted on that quarter, on units
    that neither saw; both have as many rows. Its excess error per day says when a tenth of what it explains is lost.
    """
    gate, days = "drift", records.days
    if not (np.isfinite(records.order).all() and days > 0):
        return Finding(gate, Verdict.INCONCLUSIVE, "the log has no time; add a column decided_at"), None
    quarter = np.minimum((records.order * AGES).astype(int), AGES - 1)
    rows = min(int((quarter == each).sum()) for each in range(AGES))
    if rows < FEWEST_ROWS:
        return Finding(gate, Verdict.INCONCLUSIVE, f"a quarter of the log has {rows} rows, {FEWEST_ROWS} needed"), None
    excess, fresh = _ageing(records, quarter, rows)
    last = quarter == AGES - 1
    age = days * (AGES - 1) / AGES
    value, error, units = unit_mean(excess[last], records.unit[last])
    explained = max(float(records.reward[last].var()) - float(fresh[last].mean()), 0.0)
    radius = float(stats.t.ppf(1 - ALPHA / 2, units - 1)) * error
    found = Estimate(
        value / age, (value - radius) / age, (value + radius) / age, int(last.sum()), float(units),
        "excess squared error of an old model", records.cluster, ALPHA,
    )  # fmt: skip
    return _judged(gate, found, DRIFT_SHARE * explained, records.per_day, age)


def _judged(gate: str, found: Estimate, may_lose: float, per_day: float, age: float) -> tuple[Finding, float | None]:
    if found.low <= 0 or may_lose <= 0:
        words = f"no ageing of a reward model is seen over {age:.3g} days: retrain periodically, at most that often"
        return Finding(gate, Verdict.PASS, words, found), None
    every = may_lose / found.value
    if every * per_day < FEWEST_ROWS:
        words = f"a model is old after {every:.3g} days, before {FEWEST_ROWS} decisions are in: learn live"
        return Finding(gate, Verdict.FAIL, words, found), every
    words = f"a reward model loses a tenth of what it explains in {every:.3g} days: retrain at least that often"
    return Finding(gate, Verdict.PASS, words, found), every


def _ageing(records: Records, quarter: Floats, rows: int) -> tuple[Floats, Floats]:
    """Squared error of the old model less the fresh one's, and the fresh one's, out of fold; [n] each."""
    excess, fresh = np.zeros(len(records)), np.zeros(len(records))
    last = quarter == AGES - 1
    for half in (0, 1):
        fit, judge = records.fold == half, last & (records.fold != half)
        old, new = (_errors(records, fit & (quarter == each), judge, rows // 2) for each in (0, AGES - 1))
        excess[judge], fresh[judge] = old - new, new
    return excess, fresh


def _errors(records: Records, fit: Bools, judge: Bools, most: int) -> Floats:
    chosen = np.flatnonzero(fit)[:most]
    y = records.reward[chosen, None]
    surface = fit_surface(records.x[chosen], records.action[chosen], y, len(records.labels))
    return np.asarray((records.reward[judge] - surface.at(records.x[judge], records.action[judge])[:, 0]) ** 2)
