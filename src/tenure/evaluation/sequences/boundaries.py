"""How far a running mean may stray: normal-mixture boundaries, the asymptotic sequence, and how long is left."""

from __future__ import annotations

import math

from scipy import optimize, stats

from tenure.evaluation.checks import refusal, share

FIRST_LOOK = 200
MOST_SKEWED = 6.0


def best_rho(v_opt: float, alpha: float, one_sided: bool = False) -> float:
    """The mixture parameter that makes the boundary narrowest, within 0.1 %, at one intrinsic time.

    The exact optimum is v_opt / (-W(-alpha^2 / e) - 1) with Lambert's lower branch; this is its expansion, used by
    the authors' own package, so that its published constants are met.

    Args:
        v_opt: intrinsic time (variance accumulated) at which to be narrowest, > 0.
        alpha: error rate, in (0, 1); below 1/2 where one-sided.
        one_sided: for the boundary on one side, which follows the two-sided one at 2 alpha.

    Raises:
        EvidenceError: an argument out of its range.

    Source: Howard, Ramdas, McAuliffe and Sekhon (2021), Annals of Statistics 49(2), proposition 3.
    """
    _positive(v_opt, "v_opt", "best_rho")
    rate = share(2 * alpha if one_sided else alpha, "alpha (twice it, one-sided)", "best_rho")
    return v_opt / (2 * math.log(1 / rate) + math.log(1 + 2 * math.log(1 / rate)))


def normal_mixture_bound(v: float, rho: float, alpha: float, one_sided: bool = False) -> float:
    """What a sum with intrinsic time v exceeds, at any time, with probability at most alpha.

    Args:
        v: intrinsic time, >= 0, in the sum's unit squared.
        rho: mixture parameter, > 0 (`best_rho`), same unit.
        alpha: error rate, in (0, 1).
        one_sided: bounds the sum from above only, otherwise its absolute value.

    Raises:
        EvidenceError: an argument out of its range.

    Source: Howard et al. (2021), proposition 2 with equation 14 (two-sided) and proposition 4 (one-sided: the exact
    root, slightly inside the closed form of `asymptotic_radius`).
    """
    _positive(rho, "rho", "normal_mixture_bound")
    share(alpha, "alpha", "normal_mixture_bound")
    if not v >= 0:
        raise refusal("v >= 0", str(v), "normal_mixture_bound", "a variance cannot be negative")
    spread, ratio = math.sqrt(v + rho), math.log((v + rho) / rho)
    if not one_sided:
        return spread * math.sqrt(ratio + 2 * math.log(1 / alpha))

    def excess(z: float) -> float:
        return math.log(2) - ratio / 2 + z * z / 2 + float(stats.norm.logcdf(z)) + math.log(alpha)

    above = math.sqrt(2 * math.log1p(math.sqrt((v + rho) / rho) / (2 * alpha)))
    return spread * float(optimize.brentq(excess, 0.0, above))


def asymptotic_radius(
    n: int,
    sd: float,
    alpha: float = 0.05,
    horizon: int = 5000,
    one_sided: bool = False,
    skewness: float = 0.0,
) -> float:
    """Half-width around a running mean that holds at all looks from the 200th unit on, for large n.

    Args:
        n: independent units so far, >= 200.
        sd: their standard deviation, in the mean's unit, >= 0.
        alpha: error rate over all looks together, in (0, 1).
        horizon: units at which it is narrowest.
        one_sided: the distance on one side only.
        skewness: theirs; above 6 in size the large-sample form is not to be trusted.

    Raises:
        EvidenceError: n < 200, skewness above 6 in size, or an argument out of its range.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52(6), theorem 2.2
    and proposition B.1.
    """
    share(alpha, "alpha", "asymptotic_radius")
    _positive(horizon, "horizon", "asymptotic_radius")
    if n < FIRST_LOOK:
        raise refusal(f"n >= {FIRST_LOOK}", str(n), "asymptotic_radius", "wait, or use a betting sequence")
    if not abs(skewness) <= MOST_SKEWED:
        raise refusal(
            f"skewness within {MOST_SKEWED:g}", f"{skewness:g}", "asymptotic_radius", "use a betting sequence"
        )
    if not 0 <= sd < math.inf:
        raise refusal("sd >= 0", str(sd), "asymptotic_radius", "measure the units' standard deviation")
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / horizon
    grown = n * rho2 + 1
    inside = math.log1p(math.sqrt(grown) / (2 * alpha)) if one_sided else math.log(math.sqrt(grown) / alpha)
    return sd * math.sqrt(2 * grown / (n**2 * rho2) * inside)


def decisions_to_settle(mean: float, sd: float, margin: float, alpha: float = 0.05, capital: float = 1.0) -> int | None:
    """About how many more units prove, either way, on which side of -margin the mean lies, if it stays as it is.

    A bet at the best fixed stake grows its log capital by about gap^2 / (2 (sd^2 + gap^2)) per unit, and it is
    settled at log(1 / alpha). A plan, not a promise: stakes must first be learned and are capped, so half as many
    again is common, and chance moves it further.

    Args:
        mean: mean so far, higher is better.
        sd: standard deviation of one unit, same unit, >= 0.
        margin: how much worse is still acceptable, same unit.
        alpha: error rate, in (0, 1).
        capital: what the bet has grown to already (`BettingLower.e_value`), > 0.

    Returns:
        Units still missing, 0 when settled, None where the mean lies on the limit itself.

    Raises:
        EvidenceError: an argument out of its range or not finite.

    Source: growth rate of Waudby-Smith and Ramdas (2023), section B; second-order expansion.

    >>> decisions_to_settle(mean=0.0, sd=0.5, margin=0.05)
    606
    """
    share(alpha, "alpha", "decisions_to_settle")
    _positive(capital, "capital", "decisions_to_settle")
    gap = abs(mean + margin)
    if not math.isfinite(gap) or not 0 <= sd < math.inf:
        raise refusal("finite figures", f"mean={mean}, sd={sd}", "decisions_to_settle", "measure some units first")
    if gap == 0:
        return None
    growth = gap**2 / (2 * (sd**2 + gap**2))
    return max(0, math.ceil(-math.log(alpha * capital) / growth))


def _positive(value: float, name: str, where: str) -> None:
    if not 0 < value < math.inf:
        raise refusal(f"{name} > 0", str(value), where, "give a positive, finite number")
