"""What a retraining may rest on: the log's numbers without a gap, enough that is new, enough outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.evidence import Verdict
from tenure.retraining.steps import Result

LEAST_KNOWN = 0.5
"""Share of decisions whose outcome must be known. A convention: below it, what is missing outweighs what is seen."""


@dataclass(frozen=True)
class Data:
    """What a snapshot of the log holds.

    Args:
        decisions: in all.
        new: after the last training.
        known: decisions with an outcome that counts.
        intact: every number of the log is there and its chain of hashes holds.
        first_bad: the first number where it does not; None where it does.
    """

    decisions: int
    new: int
    known: int
    intact: bool
    first_bad: int | None = None


def check_data(data: Data, least_new: int) -> Result:
    """FAIL where the log was tampered with or has a gap, INCONCLUSIVE where it is too little, else PASS."""
    told = {"decisions": data.decisions, "new": data.new, "known": data.known}
    if not data.intact:
        return Result(Verdict.FAIL, f"the log has a gap or was changed at number {data.first_bad}", told)
    if data.new < least_new:
        return Result(Verdict.INCONCLUSIVE, f"{data.new:,} new decisions, at least {least_new:,} are needed", told)
    if data.known < LEAST_KNOWN * data.decisions:
        reason = f"only {data.known:,} of {data.decisions:,} decisions have an outcome, at least half are needed"
        return Result(Verdict.INCONCLUSIVE, reason, told)
    return Result(Verdict.PASS, f"{data.decisions:,} decisions, {data.new:,} new, {data.known:,} outcomes known", told)
