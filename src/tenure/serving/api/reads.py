"""What can be read of a problem's log and of its servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tenure.core.clock import from_text
from tenure.core.decision import Decision
from tenure.core.errors import UnknownError
from tenure.core.spaces import Action
from tenure.serving.api.bodies import (
    DecisionBody,
    EventBody,
    Events,
    ReplicaBody,
    ReplicaList,
    VersionBody,
    Versions,
)
from tenure.serving.api.operation import Call
from tenure.store.outbox import Outbox
from tenure.store.records import Event
from tenure.store.replicas import Replicas


def status(call: Call) -> dict[str, Any]:
    """Where the rollout stands."""
    return call.desk.verbs.status().as_dict()


def standing(call: Call) -> dict[str, Any]:
    """What this server obeys, and what it has counted."""
    service = call.desk.service
    control = service.store.control(call.desk.problem)
    return {"control": control, "counters": dict(service.counters), "failures": dict(service.chooser.failures)}


def breakers(call: Call) -> dict[str, Any]:
    """The breakers alone."""
    return {"breakers": call.desk.verbs.status().as_dict()["breakers"]}


def decision(call: Call) -> DecisionBody:
    """One decision.

    Raises:
        UnknownError: there is none of that id.
    """
    decision_id, service = call.path["decision_id"], call.desk.service
    found = service.store.decision(call.desk.problem, decision_id)
    if found is None:
        raise UnknownError(
            expected="the id of a decision in the log",
            found=repr(decision_id),
            where="the request's path",
            fix="copy the id from the server's answer",
        )
    return _decision(found, service.reader.word)


def events(call: Call) -> Events:
    """Events after a number."""
    found = call.desk.service.store.events(call.desk.problem, call.query.since)
    return Events([event_body(event) for event in found[: call.query.limit]])


def versions(call: Call) -> Versions:
    """Registered versions, and which of them decides now.

    Raises:
        RequestError: `as_of` is no moment.
    """
    store, problem = call.desk.service.store, call.desk.problem
    as_of = call.query.as_of
    moment = None if as_of is None else from_text(as_of)
    control = store.control(problem)
    rows = [VersionBody(row.version, row.registered_at, dict(row.record)) for row in store.versions(problem, moment)]
    return Versions(rows, control.version if control.live_share > 0 else None)


def replicas(call: Call) -> ReplicaList:
    """Servers heard of lately."""
    service, problem = call.desk.service, call.desk.problem
    live = Replicas(service.store).live(problem, service.clock.now())
    rows = [ReplicaBody(r.replica, r.started_at, r.seen_at, r.epoch, r.version, r.software, r.url) for r in live]
    return ReplicaList(service.store.kill_epoch(problem), rows)


def alerts(call: Call) -> dict[str, Any]:
    """Every alert, and how each channel does."""
    outbox, problem = Outbox(call.desk.service.store), call.desk.problem
    rows = outbox.all(problem)
    channels = sorted({row.channel for row in rows} | set(call.desk.service.settings.alerts.channels))
    return {"alerts": rows, "channels": [outbox.health(problem, channel) for channel in channels]}


def event_body(event: Event) -> EventBody:
    """An event as it travels."""
    return EventBody(event.sequence, event.kind, event.actor, event.reason, event.at, dict(event.payload))


def _decision(row: Decision, word: Callable[[Action], str]) -> DecisionBody:
    return DecisionBody(
        decision_id=row.decision_id,
        sequence=row.sequence,
        problem_version=row.problem_version,
        unit_id=row.unit_id,
        episode_id=row.episode_id,
        step=row.step,
        decided_at=row.decided_at,
        context=dict(row.context),
        observation=np.frombuffer(row.observation, dtype="<f4").tolist(),
        mask=None if row.mask is None else np.frombuffer(row.mask, dtype=bool).tolist(),
        stage=row.stage,
        arm=row.arm.value,
        version=row.version,
        action=row.action,
        label=word(row.action),
        propensity=row.propensity,
        density=row.density,
        explored=row.explored,
        confidence=row.confidence,
        kill_epoch=row.kill_epoch,
        reason=row.reason,
        latency_us=row.latency_us,
    )
