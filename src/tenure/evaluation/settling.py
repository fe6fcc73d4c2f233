"""The sentence a report prints under an open question: how many more decisions would settle it."""

from __future__ import annotations

import math

from tenure.evaluation.checks import refusal


def settling_sentence(more: int | None, per_day: float | None = None, unit: str = "decisions") -> str:
    """What `decisions_to_settle` found, in one sentence.

    Args:
        more: units still missing, 0 when settled, None where the difference is exactly the margin.
        per_day: units a day at today's traffic, > 0; no days are named without it.
        unit: what is counted.

    Raises:
        EvidenceError: a negative number of units, or traffic that is not above 0.

    >>> settling_sentence(4183, per_day=350)
    "about 4,200 more decisions (12 days at today's traffic) would settle this, if the difference stays"
    """
    if more is None:
        return f"no number of {unit} settles a difference of exactly the margin"
    if more < 0 or (per_day is not None and not 0 < per_day < math.inf):
        found = f"{more} more, {per_day} a day"
        raise refusal("more >= 0 and traffic above 0", found, "settling_sentence", "leave out traffic that is unknown")
    if more == 0:
        return "this is settled"
    days = "" if per_day is None else f" ({_days(more / per_day)} at today's traffic)"
    return f"about {rounded(more):,} more {unit}{days} would settle this, if the difference stays"


def rounded(count: int) -> int:
    """A count to two significant digits: more would promise what a plan cannot keep.

    >>> rounded(4183), rounded(7)
    (4200, 7)
    """
    return int(float(f"{count:.2g}"))


def _days(days: float) -> str:
    whole = rounded(math.ceil(days))
    return "1 day" if whole == 1 else f"{whole:,} days"
