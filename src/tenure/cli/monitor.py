"""`tenure monitor`: what the monitors have found since they were last asked, and where each stands."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock, from_text
from tenure.core.evidence import Estimate, Verdict
from tenure.monitoring import ALARM, Limits, Listed, Monitor, Told, listed, step
from tenure.monitoring.alarms import moment_of
from tenure.rollout.exploration import default_rate
from tenure.rollout.rules import span_of
from tenure.store import Event, Store
from tenure.store.turns import turn

SPAN = timedelta(days=30)
"""How far back alarms are shown."""
TURN = timedelta(minutes=10)
"""After which a process that watches must have died."""
KPIS = ("reward", "kpi")
DRIFT = ("feature", "distribution", "unseen value", "new group")
NEAREST = 8
"""Rows of a table for people: those nearest an alarm."""


def run_monitor(output: Output, project: str, since: str | None, home: Path | None) -> int:
    """Fold what is new in the log, write its alarms down, show all; the exit code is the verdict's.

    Raises:
        RequestError: `since` is no moment.
        MoveError: another process is at it.
    """
    first = None if since is None else from_text(since)
    workspace, now = open_workspace(project, home), SystemClock().now()
    name = workspace.project.problem.name
    with workspace.store() as store:
        monitor, told = watch(workspace, store, now)
        events = [event for event in store.events(name) if event.kind in (ALARM, "alert_ack")]
    last = moment_of(max(monitor.hour.values())) if any(monitor.hour.values()) else now
    alerts = _since(events, first or last - SPAN)
    verdict = _verdict(monitor, alerts)
    fields = _fields(monitor, told, alerts, events)
    _show(output, fields, verdict)
    output.result({"problem": name, "verdict": verdict.word, **fields})
    return verdict.exit_code


def watch(workspace: Workspace, store: Store, now: datetime) -> tuple[Monitor, Told]:
    """Let a project's monitors see what is new; their state is kept beside the log, and made again where it is not.

    Raises:
        MoveError: another process is at it.
        StoreError: the log cannot be read or written.
    """
    settings, problem = workspace.settings, workspace.project.problem
    rule, control = settings.monitor, store.control(problem.name)
    limits = Limits(rule.false_alarms, rule.reference_days, settings.reward_window.span)
    rate = default_rate(settings) if control.exploration is None else control.exploration
    monitor, kept = Monitor(problem, limits, rate), workspace.home / "monitor.json"
    with turn(store, problem.name, "monitor", uuid4().hex, now, TURN):
        if kept.exists():
            monitor.read(json.loads(kept.read_text(encoding="utf-8")))
        told = step(monitor, store, now, span_of(rule.cool_down, "tenure.toml, monitor.cool_down"))
        _write(kept, json.dumps(monitor.written()))
    return monitor, told


def _write(path: Path, text: str) -> None:
    """Whole or not at all; what is lost is made again from the log."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _since(events: list[Event], first: datetime) -> list[Listed]:
    """Alarms raised since a moment of the log."""
    raised = {event.sequence: from_text(event.payload["alarms"][0]["hour"]) for event in events if event.kind == ALARM}
    return [one for one in listed(events, ()) if raised[one.alert.sequence] >= first]


def _verdict(monitor: Monitor, alerts: list[Listed]) -> Verdict:
    if any(one.acknowledged_by is None for one in alerts):
        return Verdict.FAIL
    return Verdict.PASS if monitor.ready else Verdict.INCONCLUSIVE


def _fields(monitor: Monitor, told: Told, alerts: list[Listed], events: list[Event]) -> dict[str, Any]:
    rows, payload = monitor.state(), {event.sequence: event.payload for event in events}
    expected = monitor.expected.estimates(told.pending)
    candidate = {row["segment"]: row["difference"] for row in rows if row["monitor"] == "candidate"}
    kpis = [row | _beside(row, expected, candidate) for row in rows if row["monitor"] in KPIS]
    others = [row for row in rows if row["monitor"] not in (*KPIS, *DRIFT, "candidate")]
    return {
        "alerts": [one.as_dict() | {"alarms": payload[one.alert.sequence]["alarms"]} for one in alerts],
        "kpis": kpis,
        "drift": [row for row in rows if row["monitor"] in DRIFT],
        "quality": others,
        "pending": told.pending.n,
        "new_alarms": len(told.alarms),
        "budget": {"false_alarms": monitor.limits.false_alarms, "days": SPAN.days, "alpha_each": monitor.alpha},
        "read_up_to": {"decisions": monitor.sequence[False], "outcomes": monitor.sequence[True]},
    }


def _beside(row: dict[str, Any], expected: Any, candidate: dict[str, Any]) -> dict[str, Any]:
    """A KPI's estimate before outcomes, and the candidate's distance from the incumbent."""
    if row["monitor"] != "kpi":
        return {}
    found: Estimate | None = expected.get(row["segment"])
    return {
        "expected": None if found is None else found.as_dict(),
        "candidate_minus_incumbent": candidate[row["segment"]],
    }


def _show(output: Output, fields: dict[str, Any], verdict: Verdict) -> None:
    open_alerts = [one for one in fields["alerts"] if one["acknowledged_by"] is None]
    output.say(f"{verdict.word}: {_sentence(fields, open_alerts)}")
    for one in fields["alerts"]:
        seen = "" if one["acknowledged_by"] is None else f" (seen by {one['acknowledged_by']})"
        output.say(f"  {one['alarms'][0]['hour'][:16]}  alert {one['sequence']}{seen}")
        for alarm in one["alarms"]:
            output.say(f"    {alarm['what']}; since {alarm['since'][:16]}")
    output.heading("KPIs against the same hour and weekday of their past")
    columns = ["figure", "latest", "usual", "near an alarm", "expected while outcomes are out", "state"]
    output.table(columns, [_kpi(row) for row in fields["kpis"]])
    watched = [row for row in (*fields["drift"], *fields["quality"]) if row.get("near") is not None]
    nearest = sorted(watched, key=lambda row: -(row["near"] if row["near"] == row["near"] else -1.0))[:NEAREST]
    output.heading("Nearest an alarm among features, groups and quality (1 is an alarm)")
    rows = [
        [_label(row), _figure(row["value"]), _figure(row["usual"]), _figure(row["near"]), row["state"]]
        for row in nearest
    ]
    output.table(["figure", "latest", "usual or limit", "near an alarm", "state"], rows)


def _sentence(fields: dict[str, Any], open_alerts: list[dict[str, Any]]) -> str:
    budget = fields["budget"]
    held = f"budget {budget['false_alarms']:g} false alarms in {budget['days']} days over all monitors"
    if open_alerts:
        return (
            f"{len(open_alerts)} alerts nobody has acknowledged ({held}); `tenure alerts ack P NUMBER` says you saw one"
        )
    watching = sum(row["state"] == "watching" for kind in ("kpis", "drift", "quality") for row in fields[kind])
    waits = f"{fields['pending']} decisions wait for their outcome"
    return f"{watching} figures are watched, no alarm waits for you ({held}); {waits}"


def _kpi(row: dict[str, Any]) -> list[str]:
    found = row.get("expected")
    told = "-" if found is None else f"{found['value']:.4g} [{found['low']:.4g}, {found['high']:.4g}]"
    return [_label(row), _figure(row["value"]), _figure(row["usual"]), _figure(row["near"]), told, row["state"]]


def _label(row: dict[str, Any]) -> str:
    return str(row["monitor"]) if row["segment"] == "all" else f"{row['monitor']} {row['segment']}"


def _figure(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4g}"
