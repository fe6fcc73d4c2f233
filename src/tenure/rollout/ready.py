"""Whether operations are ready for live traffic: alerts reach somebody, the stop was rehearsed, outcomes arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tenure.core.evidence import Finding, Verdict
from tenure.rollout.ledger import Unit
from tenure.rollout.rules import Ready
from tenure.rollout.stages import Stage
from tenure.store import Event


def ready_findings(ready: Ready, events: Sequence[Event], units: Iterable[Unit], now: datetime) -> list[Finding]:
    """What must be in order before anything leaves SHADOW; a rule that asks for nothing gives no finding.

    Args:
        ready: what is asked for.
        events: of the problem, in order.
        units: of the rollout so far.
        now: the present moment, UTC.
    """
    findings = [_alert(events)] if ready.alert else []
    findings += [_drill(events, now, ready.drill_days)] if ready.drill_days else []
    findings += [_outcomes(units, ready.outcomes)] if ready.outcomes else []
    return findings


def _alert(events: Sequence[Event]) -> Finding:
    delivered = [event for event in events if event.kind == "alert_test" and event.payload.get("delivered") is True]
    if delivered:
        return Finding("ready alert", Verdict.PASS, f"a test alert was delivered on {delivered[-1].at:%Y-%m-%d}")
    return Finding("ready alert", Verdict.INCONCLUSIVE, "no test alert was delivered yet: tenure alerts test")


def _drill(events: Sequence[Event], now: datetime, days: int) -> Finding:
    """The last drill decides: one that failed takes back what an earlier one has shown."""
    drills = [event for event in events if event.kind == "drill"]
    if not drills:
        return Finding("ready drill", Verdict.INCONCLUSIVE, "the stop was never rehearsed: tenure drill")
    last = drills[-1]
    told = f"the last drill, on {last.at:%Y-%m-%d}, "
    if last.payload.get("passed") is not True:
        return Finding("ready drill", Verdict.FAIL, f"{told}failed: mend what it found, then tenure drill")
    if now - last.at > timedelta(days=days):
        return Finding("ready drill", Verdict.INCONCLUSIVE, f"{told}is older than {days} days: tenure drill")
    return Finding("ready drill", Verdict.PASS, f"{told}passed")


def _outcomes(units: Iterable[Unit], least: float) -> Finding:
    shadowed = [unit for unit in units if unit.stage == Stage.SHADOW]
    decisions, joined = sum(unit.decisions for unit in shadowed), sum(unit.joined for unit in shadowed)
    share = joined / decisions if decisions else 0.0
    told = f"{joined} of {decisions} closed shadowed decisions have an outcome, {100 * least:g} % are asked for"
    verdict = Verdict.PASS if decisions and share >= least else Verdict.INCONCLUSIVE
    return Finding("ready outcomes", verdict, told)
