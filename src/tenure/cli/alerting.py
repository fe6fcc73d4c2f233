"""The verbs of `tenure alerts`, and the courier of a project for whoever runs one."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenure.cli.output import Output
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import Clock, SystemClock, to_text
from tenure.core.errors import SettingsError, UnknownError
from tenure.core.evidence import Verdict
from tenure.monitoring import Channels, Courier, listed
from tenure.monitoring.courier import TEST
from tenure.monitoring.listing import ACK
from tenure.rollout.rules import span_of
from tenure.rollout.settings import Settings
from tenure.store import Event, Store


def courier_of(
    problem: str, settings: Settings, store: Store, clock: Clock, environment: Mapping[str, str] = os.environ
) -> Courier:
    """The courier that tenure.toml describes."""
    rule = settings.alerts
    return Courier(
        problem,
        store,
        Channels(rule.channels, environment, rule.private_addresses),
        clock,
        span_of(rule.expire, "tenure.toml, alerts.expire"),
    )


def run_list(output: Output, project: str, home: Path | None) -> None:
    """Print alerts and channels."""
    workspace = open_workspace(project, home)
    name = workspace.project.problem.name
    with workspace.store() as store:
        courier = _courier(workspace, store)
        events = store.events(name)
        alerts = listed(events, courier.outbox.all(name))
        channels = [_channel(courier, name, events) for name in courier.channels.names]
    output.table(
        ["number", "when", "told", "seen by", "what"],
        [
            [
                str(one.alert.sequence),
                f"{one.alert.at:%Y-%m-%d %H:%M}",
                ", ".join(f"{row.channel} {row.status}" for row in one.deliveries) or "nobody",
                one.acknowledged_by or "-",
                one.alert.title,
            ]
            for one in alerts
        ],
    )
    for channel in channels:
        output.say(
            "channel {name} ({address}): last success {last_success}, failures since {failures}".format(**channel)
        )
    if not channels:
        output.say("No channel: nobody is told. Name one in tenure.toml, alerts.channels.")
    output.result({"alerts": [one.as_dict() for one in alerts], "channels": channels})


def run_ack(output: Output, project: str, sequence: int, actor: str, home: Path | None) -> None:
    """Record that a person has seen an alert.

    Raises:
        UnknownError: no such alert.
    """
    workspace = open_workspace(project, home)
    name, who = workspace.project.problem.name, actor or getpass.getuser()
    with workspace.store() as store:
        known = [one.alert.sequence for one in listed(store.events(name), ())]
        if sequence not in known:
            raise UnknownError(
                expected=f"the number of an alert, such as {known[-1] if known else 'none yet'}",
                found=str(sequence),
                where=f"the log of {name!r}",
                fix="see `tenure alerts list`",
            )
        payload = {"sequence": sequence}
        event = store.append_event(Event(name, ACK, who, f"saw alert {sequence}", SystemClock().now(), payload))
    output.say(f"Seen by {who}: alert {sequence}, row {event.sequence}.")
    output.result({"alert": sequence, "actor": who, "sequence": event.sequence})


def run_test(output: Output, project: str, channel: str | None, actor: str, home: Path | None) -> int:
    """Test one channel or all; returns the exit code.

    Raises:
        SettingsError: there is no channel.
    """
    workspace = open_workspace(project, home)
    with workspace.store() as store:
        courier = _courier(workspace, store)
        names = courier.channels.names if channel is None else (channel,)
        if not names:
            raise SettingsError(
                expected="a channel to test",
                found="none",
                where=f"{workspace.project.settings_path}, alerts.channels",
                fix='add one, such as ops = "$OPS_CHANNEL", an Apprise address',
            )
        events = [courier.test(name, actor or getpass.getuser()) for name in names]
    for event in events:
        output.say(event.reason)
    output.result({"tests": [{**event.payload, "sequence": event.sequence} for event in events]})
    delivered = all(event.payload["delivered"] for event in events)
    return (Verdict.PASS if delivered else Verdict.FAIL).exit_code


def _courier(workspace: Workspace, store: Store) -> Courier:
    return courier_of(workspace.project.problem.name, workspace.settings, store, SystemClock())


def _channel(courier: Courier, name: str, events: list[Event]) -> dict[str, Any]:
    """How a channel does, its tests included."""
    health = courier.outbox.health(courier.problem, name)
    tests = [event for event in events if event.kind == TEST and event.payload.get("channel") == name]
    last = tests[-1] if tests else None
    return {
        "name": name,
        "address": courier.channels.shown(name),
        "last_success": None if health.last_success is None else to_text(health.last_success),
        "failures": health.failures,
        "error": health.error,
        "last_test": None if last is None else {"at": to_text(last.at), "delivered": last.payload["delivered"]},
    }
