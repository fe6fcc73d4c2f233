"""Confidence sequence for a share: counts of successes, looked at as often as one likes."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, special

from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Estimate
from tenure.evaluation.checks import refusal, share
from tenure.evaluation.sequences.boundaries import best_rho


def log_evidence(successes: Floats | Ints | float, trials: Floats | Ints | float, p: float, strength: float) -> Floats:
    """Logarithm of the evidence against "each trial succeeds with probability p", a martingale where that is so.

    The likelihood ratio of a beta mixture around p to p itself; it ever reaches 1 / alpha with probability at most
    alpha.

    Args:
        successes: so far; any shape that fits `trials`.
        trials: so far.
        p: the probability under test, in (0, 1).
        strength: the mixture's size: it is beta(strength * p, strength * (1 - p)); > 0.

    Source: beta-binomial mixture, Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49(2), section 3.2;
    for two arms the same as the Dirichlet mixture of Lindon and Malek (2022), NeurIPS.
    """
    misses = np.asarray(trials) - successes
    mixture = special.betaln(successes + strength * p, misses + strength * (1 - p))
    prior = special.betaln(strength * p, strength * (1 - p))
    return np.asarray(mixture - prior - successes * math.log(p) - misses * math.log1p(-p))


def best_strength(t_opt: float, alpha: float) -> float:
    """The mixture's size that makes the interval about narrowest at t_opt trials.

    Raises:
        EvidenceError: t_opt too small for the alpha (below about 8 at .05), or an impossible alpha.

    Source: as `log_evidence`; the rule of the authors' package confseq.
    """
    strength = best_rho(t_opt, alpha) - 1
    if strength <= 0:
        raise refusal("more trials to be narrowest at", f"t_opt={t_opt:g}", "best_strength", "such as t_opt=100")
    return strength


def bernoulli_interval(
    successes: int, trials: int, alpha: float = 0.05, t_opt: float = 100.0, cluster: str = "row"
) -> Estimate:
    """Share of successes with an interval that holds at every look together.

    Args:
        successes: so far, independent of each other.
        trials: so far, >= 1.
        alpha: error rate over all looks together, in (0, 1).
        t_opt: trials at which it is about narrowest.
        cluster: what one trial is.

    Raises:
        EvidenceError: counts that cannot be, or an argument out of its range.

    Source: Howard et al. (2021), section 3.2.

    >>> found = bernoulli_interval(700, 1000)
    >>> round(found.low, 4), round(found.high, 4)
    (0.6516, 0.7459)
    """
    if not 0 <= successes <= trials or trials < 1:
        raise refusal("0 <= successes <= trials", f"{successes} of {trials}", "bernoulli_interval", "count again")
    strength = best_strength(t_opt, share(alpha, "alpha", "bernoulli_interval"))

    def excess(p: float) -> float:
        return float(log_evidence(successes, trials, p, strength)) + math.log(alpha)

    value, edge = successes / trials, 1e-12
    low = optimize.brentq(excess, edge, min(value, 1 - edge)) if successes and excess(edge) > 0 else 0.0
    high = optimize.brentq(excess, max(value, edge), 1 - edge) if successes < trials and excess(1 - edge) > 0 else 1.0
    return Estimate(value, float(low), float(high), trials, float(trials), "beta-binomial sequence", cluster, alpha)
