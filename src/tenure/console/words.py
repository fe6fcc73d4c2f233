"""How figures are written for people: pure functions, unknown is a word and never a zero."""

from __future__ import annotations

import math
from datetime import datetime

from tenure.core.evidence import Estimate

UNKNOWN = "not known"
NARROW = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | None, signed: bool = False) -> str:
    """A figure with thousands separators and about three significant digits; counts are written out.

    >>> number(1234567), number(12345.6), number(12.345), number(0.012345), number(None)
    ('1,234,567', '12,346', '12.35', '0.0123', 'not known')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    digits = 0 if isinstance(value, int) or size >= 1000 else _digits(size)
    text = f"{size:,.{digits}f}"
    if not text.strip("0.,"):
        return text
    return _sign(value, signed) + text


def wholes(value: float) -> str:
    """A figure rounded to a whole number, such as an effective sample size."""
    return f"{value:,.0f}" if math.isfinite(value) else UNKNOWN


def percent(share: float | None, signed: bool = False) -> str:
    """A share as a percentage with one decimal.

    >>> percent(0.1134), percent(0.5, signed=True), percent(None)
    ('11.3\\xa0%', '+50.0\\xa0%', 'not known')
    """
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text = f"{100 * abs(share):,.1f}"
    return f"{_sign(share, signed) if text != '0.0' else ''}{text}{NARROW}%"


def span(low: float, high: float, as_percent: bool = False) -> str:
    """Both ends of an interval of a change, signed."""
    write = percent if as_percent else number
    return f"{write(low, signed=True)} to {write(high, signed=True)}"


def gain(estimate: Estimate) -> str:
    """A relative gain with its interval, on one line.

    >>> gain(Estimate(0.1, 0.05, 0.15, 100, 9.0, "t", "week")).replace(NARROW, " ")
    '+10.0 % (95 % interval +5.0 % to +15.0 %)'
    """
    value = percent(estimate.value, signed=True)
    return f"{value} ({level(estimate)} interval {span(estimate.low, estimate.high, as_percent=True)})"


def level(estimate: Estimate) -> str:
    """How sure an interval is."""
    return f"{100 * (1 - estimate.alpha):g}{NARROW}%"


def moment(at: datetime) -> str:
    """A time to the second, as it came."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def share_name(share: float) -> str:
    """A share of traffic as short as it is usually said."""
    return f"{100 * share:.3g}{NARROW}%"


def times(often: int) -> str:
    """How often.

    >>> times(1), times(2), times(12)
    ('once', 'twice', '12 times')
    """
    return {1: "once", 2: "twice"}.get(often, f"{often:,} times")


def parts(reason: str) -> tuple[str, ...]:
    """A reason's separate statements.

    >>> parts("cost: fine; units: 42")
    ('cost: fine', 'units: 42')
    """
    return tuple(part.strip() for part in reason.split("; ") if part.strip())


def _sign(value: float, signed: bool) -> str:
    if value < 0:
        return MINUS
    return "+" if signed and value > 0 else ""


def _digits(size: float) -> int:
    if size >= 100:
        return 1
    if size >= 1 or size == 0:
        return 2
    return min(8, 2 - math.floor(math.log10(size)))
