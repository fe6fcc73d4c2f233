"""The first sentence of a shadow report: the gain, every proven harm, where it sits, and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tenure.core.evidence import Finding, Verdict
from tenure.evaluation.segment_effects import SegmentEffect
from tenure.evaluation.shadow.value import KpiChange, KpiEvidence, Valued

ALL_OF_IT = 0.9
"""From this part of a change on, a segment holds all of it, in words."""
MOST_OF_IT = 0.5


class _Placed(Protocol):
    @property
    def kpi(self) -> str: ...
    @property
    def segments(self) -> tuple[SegmentEffect, ...]: ...


def first_sentence(
    verdict: Verdict,
    missing: Sequence[str],
    health: Sequence[Finding],
    value: Sequence[Valued],
    kpis: Sequence[KpiEvidence],
    segments: Sequence[_Placed],
    disagreements: int,
) -> str:
    """What a risk officer reads first.

    Such as: Delivery time falls 8.1 % (7.2 to 9.0), but truck use rises 15.2 % (13.9 to 16.4), all of it where
    north = 1 and hour >= 20: hold.
    """
    held = [finding for finding in health if finding.verdict is not Verdict.PASS]
    broken = [finding for finding in held if finding.verdict is Verdict.ERROR]
    if broken:
        return _upper(f"{broken[0].reason}: nothing can be said.")
    told = _shown(value, kpis, segments, disagreements)
    if missing:
        told = f"{' and '.join(missing)} needed; so far {told}"
    elif held and verdict is Verdict.INCONCLUSIVE:
        told = f"{told}, and {held[0].reason}"
    return _upper(f"{told}: {'pass' if verdict is Verdict.PASS else f'hold{_unsettled(kpis)}'}.")


def _unsettled(kpis: Sequence[KpiEvidence]) -> str:
    """Proven harms of which nobody has said how much is too much."""
    names = [_name(kpi) for kpi in kpis if kpi.word == "worse" and kpi.margin is None]
    return f" (no margin is stated for {' and '.join(names)})" if names else ""


def _shown(
    value: Sequence[Valued], kpis: Sequence[KpiEvidence], segments: Sequence[_Placed], disagreements: int
) -> str:
    if not disagreements:
        return "candidate and incumbent agree on every decision, so there is nothing to value"
    if not any(kpi.changes for kpi in kpis):
        reasons = "; ".join(f"{each.way.replace('_', '-')}: {each.reason}" for each in value)
        return f"{disagreements:,} decisions differ and nothing can value them ({reasons})"
    first, harms = kpis[0], [kpi for kpi in kpis[1:] if kpi.word in ("worse", "within margin")]
    told = _moved(first, segments)
    if harms:
        link = ", but " if first.word == "better" else "; "
        told += link + " and ".join(_moved(kpi, segments) for kpi in harms)
    elif first.word == "better":
        told += " and no KPI is proven worse"
    unproven = [kpi for kpi in kpis if kpi.word != "worse" and not kpi.proven_within]
    return told + "".join(f"; not yet proven to stay within its margin: {_name(kpi)}" for kpi in unproven)


def _moved(kpi: KpiEvidence, segments: Sequence[_Placed]) -> str:
    found = kpi.shown
    if found is None:
        return f"{_name(kpi)} could not be valued ({kpi.reason})"
    if kpi.word == "unclear":
        verb = "are" if kpi.name.endswith("s") else "is"
        return f"{_name(kpi)} {verb} not proven to change ({_ends(found, signed=True)})"
    verb = ("rise" if found.change.value > 0 else "fall") + ("" if kpi.name.endswith("s") else "s")
    told = f"{_name(kpi)} {verb} {_size(found)} ({_ends(found)})"
    if kpi.word == "within margin":
        return f"{told}, within its margin"
    return told + (_where(kpi, found, segments) if kpi.word == "worse" else "")


def _where(kpi: KpiEvidence, found: KpiChange, segments: Sequence[_Placed]) -> str:
    """Which segments carry a harm: their share of the rows times their effect, over the whole change."""
    rows = [row for placed in segments if placed.kpi == kpi.name for row in placed.segments]
    worse = [row for row in rows if row.verdict == "worse" and row.rule != "all" and row.effect is not None]
    if not worse:
        return ""
    parts = sorted(((_part(row, found), row.rule) for row in worse), reverse=True)
    carried, chosen = 0.0, list[str]()
    for part, rule in parts:
        if carried < ALL_OF_IT:
            carried += part
            chosen.append(rule)
    if carried < MOST_OF_IT:
        return ""
    share = "all" if carried >= ALL_OF_IT else f"{100 * carried:.0f} %"
    return f", {share} of it where {' or where '.join(chosen)}"


def _part(row: SegmentEffect, found: KpiChange) -> float:
    assert row.effect is not None
    return row.share * row.effect.value / found.change.value if found.change.value else 0.0


def _size(found: KpiChange) -> str:
    relative = found.relative
    return f"{100 * abs(relative[0]):.1f} %" if relative else f"by {abs(found.change.value):.3g}"


def _ends(found: KpiChange, signed: bool = False) -> str:
    relative = found.relative
    low, high = (100 * relative[1], 100 * relative[2]) if relative else (found.change.low, found.change.high)
    if signed:
        return f"{low:+.1f} to {high:+.1f}{' %' if relative else ''}"
    low, high = (low, high) if found.change.value > 0 else (-high, -low)
    return f"{low:.1f} to {high:.1f}" if relative else f"{low:.3g} to {high:.3g}"


def _name(kpi: KpiEvidence) -> str:
    return kpi.name.replace("_", " ")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
