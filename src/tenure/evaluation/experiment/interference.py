"""Do the arms meet? Where both draw on one resource, each arm's outcome also shows what the other did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenure.core.arrays import Bools, Ints
from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.checks import refusal, same_length


def shared_periods(resource: Sequence[str], period: Ints, is_candidate: Bools) -> tuple[int, int]:
    """In how many periods of a resource both arms used it, and how many there are; one entry per decision each.

    Raises:
        EvidenceError: columns of different lengths.
    """
    same_length("shared_periods", resource=len(resource), period=len(period), is_candidate=len(is_candidate))
    if not len(resource):
        return 0, 0
    _, names = np.unique(np.asarray(resource), return_inverse=True)
    _, where = np.unique(np.stack([names, np.asarray(period)]), axis=1, return_inverse=True)
    chosen = np.asarray(is_candidate, dtype=bool)
    by_candidate = np.bincount(where, chosen) > 0
    by_incumbent = np.bincount(where, ~chosen) > 0
    return int((by_candidate & by_incumbent).sum()), len(by_candidate)


def interference(
    resource: Sequence[str], period: Ints, is_candidate: Bools, declared: Sequence[str] = (), limit: float = 0.0
) -> Finding:
    """Whether arms share a resource, so that comparing them says less than it seems.

    A warning, never a proof of harm: it holds what rests on the comparison. Split by a unit that does not share it (a
    whole depot, a whole day) and it goes.

    Args:
        resource: what each decision drew on (a depot, a budget, a signal's id); [decisions].
        period: the day or hour it was used; [decisions].
        is_candidate: whether the candidate decided; [decisions].
        declared: resources the problem's owner says both arms share, whatever the log shows.
        limit: share of shared periods still acceptable, in [0, 1).

    Returns:
        INCONCLUSIVE where arms share a declared resource or more than `limit` of the periods, or nothing is known;
        otherwise PASS.

    Raises:
        EvidenceError: columns of different lengths or an impossible limit.

    Source: what interference does to A/B tests: Kohavi, Tang and Xu (2020), Trustworthy Online Controlled
    Experiments, chapter 22.
    """
    if not 0 <= limit < 1:
        raise refusal("limit in [0, 1)", str(limit), "interference", "give it as a share, such as 0.05")
    shared, periods = shared_periods(resource, period, is_candidate)
    gate = "interference"
    if declared:
        told = f"both arms share {', '.join(declared)} by declaration, so a difference between them may be no effect"
        return Finding(gate, Verdict.INCONCLUSIVE, told)
    if not periods:
        return Finding(gate, Verdict.INCONCLUSIVE, "no decision names the resource it used")
    seen = f"in {shared} of {periods} periods of a resource ({100 * shared / periods:.3g} %) both arms used it"
    if shared > limit * periods:
        return Finding(gate, Verdict.INCONCLUSIVE, f"{seen}, so a difference between them may be no effect")
    return Finding(gate, Verdict.PASS, f"{seen}, {100 * limit:g} % accepted")
