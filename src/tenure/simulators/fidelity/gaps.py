"""The gap between simulated and real value, of each policy and KPI, and what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tenure.core.evidence import Finding, Verdict
from tenure.core.reward import KPI
from tenure.simulators.fidelity.values import Unknown, Worth


@dataclass(frozen=True)
class Gap:
    """One policy's KPI, simulated and real.

    Args:
        policy, kpi: whose.
        simulated, real: the KPI, in its unit.
        relative: (simulated - real) / |real|, positive where the simulator is too good.
        low, high: its ends, 95 %.
        method: how the real value was found.
        units: independent units of the log.
        unit: what they are.
    """

    policy: str
    kpi: str
    simulated: float
    real: float
    relative: float
    low: float
    high: float
    method: str
    units: int
    unit: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


def gap(policy: str, kpi: KPI, place: int, made: Worth, found: Worth) -> Gap:
    """The gap of one KPI, its doubt from the units of both sides (independent of each other).

    Args:
        policy: its name.
        kpi: the KPI, number `place` of both.
        made: simulated.
        found: on real data.

    Source: delta method for a ratio of independent means.
    """
    simulated, real = made.value(place), found.value(place)
    if not abs(real) > 0 or math.isnan(simulated):
        return Gap(
            policy, kpi.name, simulated, real, math.nan, -math.inf, math.inf, found.method, found.units, found.unit
        )
    relative = kpi.sign * (simulated - real) / abs(real)
    error = math.hypot(made.error(place) / abs(real), simulated * found.error(place) / real**2)
    radius = max(made.width(), found.width()) * error
    ends = (relative - radius, relative + radius)
    return Gap(policy, kpi.name, simulated, real, relative, *ends, found.method, found.units, found.unit)


def judged(found: Gap, doubted: float, fails: float) -> Finding:
    """FAIL where even the low end is over `fails`; PASS where the high end is at most `doubted`; else INCONCLUSIVE."""
    gate = f"gap: {found.policy}"
    told = (
        f"{found.policy}: {found.kpi} is {found.simulated:.4g} in the simulator and {found.real:.4g} on real data "
        f"({found.method}), a drop of {found.relative:+.1%} ({found.low:+.1%} to {found.high:+.1%})"
    )
    if found.low > fails:
        return Finding(gate, Verdict.FAIL, f"{told}: more than {fails:.0%}")
    if found.high <= doubted:
        return Finding(gate, Verdict.PASS, f"{told}: at most {doubted:.0%}")
    return Finding(
        gate, Verdict.INCONCLUSIVE, f"{told}: not surely within {doubted:.0%}. {needed(found, doubted, fails)}"
    )


def needed(found: Gap, doubted: float, fails: float) -> str:
    """How many more units would settle it, if the gap stays: doubt shrinks with the root of the units."""
    doubt = found.high - found.relative
    room = max(doubted - found.relative, found.relative - fails)
    if not room > 0 or not math.isfinite(doubt):
        return f"More log settles no gap that lies between {doubted:.0%} and {fails:.0%}: mend the simulator"
    more = max(1, math.ceil(found.units * (doubt / room) ** 2 - 1e-6) - found.units)
    return f"About {more:,} more {found.unit}s of log would settle it, if the gap stays"


def gap_findings(found: Mapping[str, list[Gap] | Unknown], doubted: float, fails: float) -> list[Finding]:
    """A finding for each policy, by its first KPI; INCONCLUSIVE where its real value is unknown."""
    told = []
    for policy, gaps in found.items():
        if isinstance(gaps, Unknown):
            why = f"{policy}: no value on real data: {gaps.reason}. To do: {gaps.helps}"
            told.append(Finding(f"gap: {policy}", Verdict.INCONCLUSIVE, why))
        else:
            told.append(judged(gaps[0], doubted, fails))
    return told
