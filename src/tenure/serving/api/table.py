"""The table of operations: everything that can be asked of the server, and the least role that may."""

from __future__ import annotations

from typing import Any

from tenure.rollout.status import Status
from tenure.serving.access import Role
from tenure.serving.api import fallbacks, health, metrics, moves, personalizer, reads, uploads
from tenure.serving.api.bodies import (
    Actor,
    Alive,
    AsOf,
    DecisionBody,
    Events,
    Explore,
    Readiness,
    Reason,
    Registered,
    ReplicaList,
    Since,
    Start,
    Versions,
)
from tenure.serving.api.openapi import document
from tenure.serving.api.operation import Call, Operation
from tenure.serving.wire import Answer, DecisionBatch, DecisionRequest, OutcomeRequest
from tenure.store import Receipt
from tenure.store.upload import LARGEST_UPLOAD

_V1 = "/v1/{problem}"
_ANY = dict[str, Any]

HOT = (
    Operation("POST", f"{_V1}/decisions", Role.CLIENT, "Decide once.", None, DecisionRequest, Answer),
    Operation(
        "POST", f"{_V1}/decisions:batch", Role.CLIENT, "Decide several times in one commit.", None, DecisionBatch, _ANY
    ),
    Operation("POST", f"{_V1}/outcomes", Role.CLIENT, "Report what came of a decision.", None, OutcomeRequest, Receipt),
)
"""Answered by `serving/hot.py` before any route is looked at; here so that the document and the matrix have them."""

READS = (
    Operation("GET", _V1, Role.VIEWER, "What this server obeys and has counted.", reads.standing, None, _ANY),
    Operation("GET", f"{_V1}/status", Role.VIEWER, "Where the rollout stands.", reads.status, None, Status),
    Operation(
        "GET", f"{_V1}/decisions/{{decision_id:id}}", Role.VIEWER, "One decision.", reads.decision, None, DecisionBody
    ),
    Operation("GET", f"{_V1}/events", Role.VIEWER, "What was done, in order.", reads.events, None, Events, query=Since),
    Operation(
        "GET", f"{_V1}/versions", Role.VIEWER, "Registered versions.", reads.versions, None, Versions, query=AsOf
    ),
    Operation("GET", f"{_V1}/replicas", Role.VIEWER, "Servers heard of lately.", reads.replicas, None, ReplicaList),
    Operation("GET", f"{_V1}/breakers", Role.VIEWER, "Breakers and their state.", reads.breakers, None, _ANY),
    Operation("GET", f"{_V1}/approvals", Role.VIEWER, "What waits for a person.", moves.approvals, None, _ANY),
    Operation("GET", f"{_V1}/alerts", Role.VIEWER, "Alerts and channels.", reads.alerts, None, _ANY),
)

MOVES = (
    Operation("POST", f"{_V1}/kill", Role.OPERATOR, "Stop the learned policy for good.", moves.kill, Reason, _ANY),
    Operation("POST", f"{_V1}/restore", Role.APPROVER, "Lift a kill.", moves.restore, Reason, Status),
    Operation("POST", f"{_V1}/rollout/start", Role.OPERATOR, "Begin in SHADOW.", moves.start, Start, Status),
    Operation(
        "POST", f"{_V1}/rollout/promote", Role.OPERATOR, "Take the next step.", moves.moved("promote"), Reason, Status
    ),
    Operation("POST", f"{_V1}/rollout/pause", Role.OPERATOR, "Hold promotions.", moves.moved("pause"), Reason, Status),
    Operation(
        "POST", f"{_V1}/rollout/resume", Role.OPERATOR, "Let promotions go on.", moves.moved("resume"), Reason, Status
    ),
    Operation(
        "POST", f"{_V1}/rollout/rollback", Role.OPERATOR, "Give the seat back.", moves.moved("rollback"), Reason, Status
    ),
    Operation("POST", f"{_V1}/rollout/abort", Role.OPERATOR, "End the rollout.", moves.moved("abort"), Reason, Status),
    Operation(
        "POST",
        f"{_V1}/rollout/approve",
        Role.APPROVER,
        "Allow the share asked for.",
        moves.moved("approve"),
        Reason,
        _ANY,
    ),
    Operation(
        "POST",
        f"{_V1}/rollout/reject",
        Role.APPROVER,
        "Refuse the share asked for.",
        moves.moved("reject"),
        Reason,
        _ANY,
    ),
    Operation(
        "POST", f"{_V1}/rollout/explore", Role.OPERATOR, "Change live exploration.", moves.explore, Explore, Status
    ),
    Operation(
        "POST",
        f"{_V1}/approvals/{{decision_id:id}}/approve",
        Role.APPROVER,
        "Let a queued proposal become a decision.",
        moves.approve_decision,
        Actor,
        _ANY,
    ),
    Operation(
        "POST",
        f"{_V1}/approvals/{{decision_id:id}}/reject",
        Role.APPROVER,
        "Void a queued proposal.",
        moves.reject_decision,
        Reason,
        _ANY,
    ),
    Operation("POST", f"{_V1}/alerts/test", Role.OPERATOR, "Try every alert channel.", moves.try_alerts, Actor, _ANY),
    Operation(
        "POST",
        f"{_V1}/bundles",
        Role.OPERATOR,
        "Upload a bundle: a zip of policy.onnx and manifest.json.",
        uploads.upload,
        bytes,
        Registered,
        query=uploads.Sum,
        media="binary",
        largest=LARGEST_UPLOAD,
    ),
)


def _openapi(_: Call) -> dict[str, Any]:
    from tenure import __version__

    return document(OPERATIONS, __version__)


SERVER = (
    Operation("GET", "/healthz", Role.ANYONE, "The process answers.", health.alive, None, Alive),
    Operation("GET", "/readyz", Role.ANYONE, "Whether requests should be sent here.", health.ready, None, Readiness),
    Operation("GET", "/metrics", Role.VIEWER, "Figures for Prometheus.", metrics.metrics, answers="text/plain"),
    Operation("GET", "/openapi.json", Role.CLIENT, "This document.", _openapi, None, _ANY),
)

OPERATIONS = (*HOT, *fallbacks.OPERATIONS, *READS, *MOVES, *SERVER, *personalizer.OPERATIONS)
"""All of them; pages are mounted beside them by the command line."""
