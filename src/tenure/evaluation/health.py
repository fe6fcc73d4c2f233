"""Is the experiment itself sound? Asked before any verdict on its outcome."""

from __future__ import annotations

from scipy import stats

from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.checks import refusal


def sample_ratio(candidate_units: int, total_units: int, share: float, alpha: float = 0.001) -> Finding:
    """Whether the candidate got the share of the units that it was meant to get.

    Args:
        candidate_units: units the candidate decided for.
        total_units: units of all arms, in the same time.
        share: the intended share, in (0, 1].
        alpha: alarms at a p-value below it, in (0, 1).

    Returns:
        FAIL at a mismatch; INCONCLUSIVE where so few units could not show one; otherwise PASS.

    Raises:
        EvidenceError: counts or shares that cannot be.

    Source: exact two-sided binomial test; Fabijan et al. (2019), KDD, for the alarm level.
    """
    _check(candidate_units, total_units, share, alpha)
    gate = "sample_ratio"
    seen = f"{candidate_units} of {total_units} units went to the candidate, {share:.4g} of them intended"
    if total_units == 0 or min(share, 1 - share) ** total_units >= alpha:
        return Finding(gate, Verdict.INCONCLUSIVE, f"{seen}; too few to show a mismatch at p < {alpha:g}")
    p = float(stats.binomtest(candidate_units, total_units, share).pvalue)
    verdict = Verdict.FAIL if p < alpha else Verdict.PASS
    return Finding(gate, verdict, f"{seen} (p = {p:.2g}, alarm below {alpha:g})")


def _check(candidate_units: int, total_units: int, share: float, alpha: float) -> None:
    if not 0 <= candidate_units <= total_units or not 0 < share <= 1 or not 0 < alpha < 1:
        raise refusal(
            "0 <= candidate units <= total units, share in (0, 1], alpha in (0, 1)",
            f"{candidate_units} of {total_units}, share={share}, alpha={alpha}",
            "sample_ratio",
            "count units once, by the arm that decided for them first",
        )
