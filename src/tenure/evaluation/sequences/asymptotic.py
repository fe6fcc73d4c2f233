"""Large-sample confidence sequences: means, ratios of sums and the differences of two arms, folded batch by batch."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import finite, refusal, same_length
from tenure.evaluation.sequences.boundaries import asymptotic_radius
from tenure.evaluation.sequences.joint_moments import JointMoments

HORIZON = 5000
"""Units at which an interval is narrowest (promises.md)."""


class Running(Protocol):
    """A figure over independent units, as far as a large-sample interval needs to know it."""

    @property
    def n(self) -> int:
        """Independent units so far."""
        ...

    @property
    def value(self) -> float:
        """The figure."""
        ...

    @property
    def sd(self) -> float:
        """Standard deviation of what one unit adds to it, in its unit."""
        ...

    @property
    def skewness(self) -> float:
        """Skewness of what one unit adds to it."""
        ...


class AsymptoticMean:
    """Mean of independent units, for laws without known bounds; its interval holds at all looks together.

    Where units share a day's luck, feed one number per day. No interval before the 200th unit nor above a skewness of
    6: the large-sample form would miss far more often than it says, so it refuses (`asymptotic_radius`). Units
    that have not varied yet are refused too, since nobody knows how skewed they are.

    >>> mean = AsymptoticMean()
    >>> mean.update(np.tile([0.0, 1.0], 500))
    >>> round(mean.estimate().low, 3), round(mean.estimate().high, 3)
    (0.447, 0.553)
    """

    method = "asymptotic confidence sequence of a mean"

    def __init__(self) -> None:
        self._moments = JointMoments.none(1)

    def update(self, x: float | Floats) -> None:
        """Take one unit's number, or those of several; any unit of measure, [batch].

        Raises:
            EvidenceError: NaN or infinity; the whole batch is left out.
        """
        column = finite(np.atleast_1d(np.asarray(x, dtype=np.float64)), "AsymptoticMean.update", at_least=1)
        self._moments = self._moments.merge(JointMoments.of(column[:, None]))

    def merge(self, other: AsymptoticMean) -> None:
        """Take all of another's units."""
        self._moments = self._moments.merge(other._moments)

    @property
    def n(self) -> int:
        """Units so far."""
        return self._moments.n

    @property
    def value(self) -> float:
        """Their mean; NaN before the first."""
        return float(self._moments.mean[0]) if self.n else math.nan

    @property
    def sd(self) -> float:
        """Their standard deviation; NaN before the second."""
        return self._moments.sd(np.ones(1))

    @property
    def skewness(self) -> float:
        """Their skewness; NaN before the second."""
        return self._moments.skewness(np.ones(1))

    def estimate(
        self, cluster: str = "row", alpha: float = 0.05, horizon: int = HORIZON, one_sided: bool = False
    ) -> Estimate:
        """The mean with its interval; args and errors as `interval`."""
        return interval(self, cluster, alpha, horizon, one_sided)


class AsymptoticRatio:
    """Ratio of two sums over independent units, such as served over asked, with an interval for all looks together.

    The ratio is linearised (delta method): what a unit adds to its error is (above - ratio * below) / mean(below).
    """

    method = "asymptotic confidence sequence of a linearised ratio"

    def __init__(self, moments: JointMoments | None = None) -> None:
        self._moments = JointMoments.none(2) if moments is None else moments

    @property
    def moments(self) -> JointMoments:
        """What was seen so far; another made from it goes on where this one is."""
        return self._moments

    def update(self, above: float | Floats, below: float | Floats) -> None:
        """Take one unit's two sums, or those of several; [batch] each, `below` >= 0.

        Raises:
            EvidenceError: NaN, infinity, a negative `below`, or different lengths; the whole batch is left out.
        """
        columns = [np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (above, below)]
        same_length("AsymptoticRatio.update", above=len(columns[0]), below=len(columns[1]))
        rows = finite(np.stack(columns), "AsymptoticRatio.update", axes=2, at_least=1).T
        if rows[:, 1].min() < 0:
            raise refusal("below >= 0", f"{rows[:, 1].min():g}", "AsymptoticRatio.update", "give what is divided by")
        self._moments = self._moments.merge(JointMoments.of(rows))

    def merge(self, other: AsymptoticRatio) -> None:
        """Take all of another's units."""
        self._moments = self._moments.merge(other._moments)

    @property
    def n(self) -> int:
        """Units so far."""
        return self._moments.n

    @property
    def value(self) -> float:
        """Sum above over sum below; NaN while there is nothing to divide by."""
        above, below = self._moments.mean.tolist()
        return above / below if below > 0 else math.nan

    @property
    def sd(self) -> float:
        """Standard deviation of what one unit adds to the ratio; NaN before the second."""
        return self._moments.sd(self._weights())

    @property
    def skewness(self) -> float:
        """Skewness of what one unit adds to the ratio; NaN before the second."""
        return self._moments.skewness(self._weights())

    def estimate(
        self, cluster: str = "row", alpha: float = 0.05, horizon: int = HORIZON, one_sided: bool = False
    ) -> Estimate:
        """The ratio with its interval; args and errors as `interval`."""
        return interval(self, cluster, alpha, horizon, one_sided)

    def _weights(self) -> Floats:
        below = float(self._moments.mean[1])
        return np.array([1.0, -self.value]) / below if below > 0 else np.full(2, math.nan)


def interval(
    of: AsymptoticMean | AsymptoticRatio, cluster: str, alpha: float, horizon: int, one_sided: bool
) -> Estimate:
    """A running figure with an interval that holds at this and every other look.

    Args:
        of: the figure.
        cluster: what one unit is.
        alpha: error rate over all looks together, in (0, 1).
        horizon: units at which it is narrowest.
        one_sided: all of alpha below the figure; the upper end is then infinite.

    Raises:
        EvidenceError: n < 200, skewness above 6 in size or unknown, nothing to divide by, or an argument out of
            its range.

    Source: as `asymptotic_radius`; linearised ratio, Cochran (1977), section 6.4.
    """
    radius = asymptotic_radius(of.n, of.sd, alpha, horizon, one_sided, of.skewness)
    high = math.inf if one_sided else of.value + radius
    return Estimate(of.value, of.value - radius, high, of.n, float(of.n), of.method, cluster, alpha)


def arms_difference(
    candidate: Running,
    incumbent: Running,
    cluster: str = "unit",
    alpha: float = 0.05,
    horizon: int = HORIZON,
    one_sided: bool = False,
) -> Estimate:
    """Candidate's figure minus the incumbent's, both over units split at random, valid at every look together.

    With n units in both arms together and shares p and 1 - p of them, one unit adds to the difference with variance
    s_c^2 / p + s_i^2 / (1 - p): the influence function of a difference in means.

    Args:
        candidate: its mean or ratio.
        incumbent: the same figure under the incumbent.
        cluster: what one unit is; the split must be by it.
        alpha: error rate over all looks together, in (0, 1).
        horizon: units of both arms together at which it is narrowest.
        one_sided: all of alpha below the difference; the upper end is then infinite.

    Raises:
        EvidenceError: in either arm n < 200 or a skewness above 6 in size, or an argument out of its range.

    Source: Waudby-Smith et al. (2024), Annals of Statistics 52(6), section 3, without covariates.
    """
    for arm in (candidate, incumbent):  # each arm's own refusals
        asymptotic_radius(arm.n, arm.sd, alpha, horizon, one_sided, arm.skewness)
    n = candidate.n + incumbent.n
    sd = math.sqrt(n * (candidate.sd**2 / candidate.n + incumbent.sd**2 / incumbent.n))
    value, radius = candidate.value - incumbent.value, asymptotic_radius(n, sd, alpha, horizon, one_sided)
    high = math.inf if one_sided else value + radius
    method = "asymptotic confidence sequence of a difference"
    return Estimate(value, value - radius, high, n, float(n), method, cluster, alpha)
