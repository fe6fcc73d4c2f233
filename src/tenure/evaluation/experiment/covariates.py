"""CUPED: what is known from before the experiment explains a part of the noise, and need not be measured again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.evaluation.checks import finite, refusal, same_length


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Outcomes without what the covariate foretold.

    Args:
        values: adjusted outcome of each unit, in the outcome's unit, same mean over all units; [n].
        theta: outcome per unit of covariate.
        removed: share of the outcome's variance that is gone; at most 1, below 0 where a theta of earlier data adds.
    """

    values: Floats
    theta: float
    removed: float


def cuped_theta(outcome: Floats, covariate: Floats) -> float:
    """Outcome per unit of covariate that leaves the least variance: cov(outcome, covariate) / var(covariate).

    Args:
        outcome: of each unit, any unit of measure; [n], both arms together, or of earlier data.
        covariate: the same units' figure from before the experiment; [n].

    Raises:
        EvidenceError: different lengths, fewer than two units, NaN, or a covariate that does not vary.

    Source: Deng, Xu, Kohavi and Walker (2013), WSDM, equation 4.
    """
    same_length("cuped_theta", outcome=len(outcome), covariate=len(covariate))
    y, x = finite(outcome, "cuped_theta(outcome)"), finite(covariate, "cuped_theta(covariate)")
    apart = x - x.mean()
    spread = float(apart @ apart)
    if not spread > 0:
        raise refusal("a covariate that varies", f"{x[0]:g} for all {len(x)} units", "cuped_theta", "use another one")
    return float(apart @ (y - y.mean())) / spread


def cuped(outcome: Floats, covariate: Floats, theta: float | None = None) -> Adjusted:
    """Outcomes less theta times the covariate's distance from its mean, the same theta and mean in both arms.

    The covariate must not be touched by the experiment: from before it, or fixed. Then each arm's expected mean stays
    what it was. For a confidence sequence give a `theta` of earlier data: one fitted anew at each look changes the
    values that were looked at before.

    Args:
        outcome: of each unit of both arms; [n].
        covariate: from before the experiment; [n].
        theta: of earlier data (`cuped_theta`); fitted on these units where None.

    Raises:
        EvidenceError: as `cuped_theta`, or an outcome that does not vary.

    Source: Deng et al. (2013), section 3.

    >>> found = cuped(np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.0, 1.0, 2.0, 3.0]))
    >>> found.theta, found.values.round(9).tolist(), round(found.removed, 3)
    (1.6, [3.4, 2.8, 2.2, 3.6], 0.914)
    """
    fitted = cuped_theta(outcome, covariate)
    chosen = fitted if theta is None else theta
    y, x = np.asarray(outcome, dtype=np.float64), np.asarray(covariate, dtype=np.float64)
    before = float(y.var())
    if not before > 0:
        raise refusal(
            "an outcome that varies", f"{y[0]:g} for all {len(y)} units", "cuped", "there is no noise to remove"
        )
    values = y - chosen * (x - x.mean())
    return Adjusted(values, chosen, 1 - float(values.var()) / before)
