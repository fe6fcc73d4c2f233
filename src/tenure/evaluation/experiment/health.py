"""Is the experiment itself sound? Asked before any verdict on its outcome."""

from __future__ import annotations

import math

from scipy import stats

from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.checks import refusal
from tenure.evaluation.sequences.bernoulli import log_evidence

FEW = 10
"""Below this expected count of an arm the split is judged by the exact binomial test."""
SPLIT_STRENGTH = 100.0
"""Size of the beta mixture around the intended share: sharpest against a share a tenth of the way off."""


def sample_ratio(candidate_units: int, total_units: int, share: float, alpha: float = 0.001) -> Finding:
    """Whether the candidate got the share of the units that it was meant to get.

    While an arm's expected count is under 10 this is the exact binomial test, which speaks for one look; from then on
    the p-value is one over the evidence of a beta mixture and holds at every look together. Looked at after every unit
    from the first on, both together alarm in about 6 of 1,000 sound splits at a share of .1, in 3 at .5.

    Args:
        candidate_units: units the candidate decided for.
        total_units: units of all arms, in the same time.
        share: the intended share, in (0, 1].
        alpha: alarms at a p-value below it, in (0, 1).

    Returns:
        FAIL at a mismatch; INCONCLUSIVE where so few units could not show one; otherwise PASS.

    Raises:
        EvidenceError: counts or shares that cannot be.

    Source: exact two-sided binomial test; Lindon and Malek (2022), NeurIPS, for the sequential one; Fabijan et al.
    (2019), KDD, for the alarm level.
    """
    _check(candidate_units, total_units, share, alpha)
    gate = "sample_ratio"
    seen = f"{candidate_units} of {total_units} units went to the candidate, {share:.4g} of them intended"
    if total_units == 0 or min(share, 1 - share) ** total_units >= alpha:
        return Finding(gate, Verdict.INCONCLUSIVE, f"{seen}; too few to show a mismatch at p < {alpha:g}")
    p, looks = split_p(candidate_units, total_units, share)
    verdict = Verdict.FAIL if p < alpha else Verdict.PASS
    return Finding(gate, verdict, f"{seen} (p = {p:.2g} {looks}, alarm below {alpha:g})")


def split_p(count: int, total: int, share: float) -> tuple[float, str]:
    """P-value of a split and for which looks it holds; count of total, share in (0, 1]; source as `sample_ratio`."""
    if min(share, 1 - share) * total < FEW:
        return float(stats.binomtest(count, total, share).pvalue), "at this look"
    return math.exp(-max(float(log_evidence(count, total, share, SPLIT_STRENGTH)), 0.0)), "at every look"


def missing_outcomes(
    candidate_missing: int,
    total_missing: int,
    share: float,
    total_units: int,
    alpha: float = 0.001,
    harmless: float = 0.01,
) -> Finding:
    """Whether outcomes are missing more often, or less often, in one arm than in the other.

    Where both arms lose outcomes equally often, the candidate's share of the units without one is its share of the
    units: the same two-sided test as `sample_ratio`, and valid for the same looks.

    Args:
        candidate_missing: the candidate's units of which an outcome never came.
        total_missing: all arms' units of which one never came.
        share: of the units that went to the candidate by the split, in (0, 1).
        total_units: units of all arms whose outcomes should be there.
        alpha: alarms at a p-value below it, in (0, 1).
        harmless: share of units missing, all arms together, up to which too few to compare are no reason to hold.

    Returns:
        FAIL where the arms differ; INCONCLUSIVE without units, or where so many are missing that it matters and so few
        that no difference could show; otherwise PASS.

    Raises:
        EvidenceError: counts or shares that cannot be.

    Source: as `sample_ratio`; Fabijan et al. (2019), section 5, for missing outcomes as a cause of wrong verdicts.
    """
    _check(candidate_missing, total_missing, share, alpha)
    if total_missing > total_units or share == 1:
        found = f"{total_missing} of {total_units} units, share={share}"
        raise refusal("missing <= total units and two arms", found, "missing_outcomes", "count units once")
    gate = "missing outcomes"
    if not total_units:
        return Finding(gate, Verdict.INCONCLUSIVE, "no unit yet whose outcomes could be missing")
    seen = f"{total_missing} of {total_units} units lack an outcome, {candidate_missing} of those are the candidate's"
    if min(share, 1 - share) ** total_missing >= alpha:
        verdict = Verdict.PASS if total_missing <= harmless * total_units else Verdict.INCONCLUSIVE
        return Finding(gate, verdict, f"{seen}; too few to show a difference between the arms at p < {alpha:g}")
    p, looks = split_p(candidate_missing, total_missing, share)
    verdict = Verdict.FAIL if p < alpha else Verdict.PASS
    return Finding(gate, verdict, f"{seen}, {share:.4g} expected (p = {p:.2g} {looks}, alarm below {alpha:g})")


def shadow_delivery(proposals: int, decisions: int, floor: float = 0.99) -> Finding:
    """Whether the shadow was there at all: share of shadowed decisions that carry the candidate's proposal.

    Args:
        proposals: shadowed decisions with a proposal.
        decisions: shadowed decisions.
        floor: the least share, in (0, 1].

    Returns:
        PASS from the floor on, INCONCLUSIVE below it or before the first decision, ERROR where no decision has one.

    Raises:
        EvidenceError: counts or a floor that cannot be.
    """
    if not 0 <= proposals <= decisions or not 0 < floor <= 1:
        found = f"{proposals} of {decisions}, floor={floor}"
        raise refusal("0 <= proposals <= decisions, floor in (0, 1]", found, "shadow_delivery", "count decisions once")
    gate = "shadow delivery"
    if not decisions:
        return Finding(gate, Verdict.INCONCLUSIVE, "no decision has been shadowed yet")
    if not proposals:
        return Finding(gate, Verdict.ERROR, f"no proposals: none of {decisions} decisions carries one")
    part = proposals / decisions
    verdict = Verdict.PASS if part >= floor else Verdict.INCONCLUSIVE
    told = f"{100 * part:.1f} % of {decisions} decisions carry a proposal (at least {100 * floor:g} % asked for)"
    return Finding(gate, verdict, told)


def _check(candidate_units: int, total_units: int, share: float, alpha: float) -> None:
    if not 0 <= candidate_units <= total_units or not 0 < share <= 1 or not 0 < alpha < 1:
        raise refusal(
            "0 <= candidate units <= total units, share in (0, 1], alpha in (0, 1)",
            f"{candidate_units} of {total_units}, share={share}, alpha={alpha}",
            "sample_ratio",
            "count units once, by the arm that decided for them first",
        )
