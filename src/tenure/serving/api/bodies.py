"""What the control API takes and gives, as types; the OpenAPI document shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from tenure.core.spaces import Action

Text = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Words for whoever reads the log; never blank."""
Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Word = Annotated[str, Meta(max_length=128, pattern=r"^[^\x00]*$")]
"""A word that may be missing."""


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is done; `actor` only where nobody logs in."""

    reason: Text
    actor: Name | None = None


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """Which version begins in SHADOW, and why."""

    version: Name
    reason: Text
    actor: Name | None = None


class Explore(Struct, frozen=True, forbid_unknown_fields=True):
    """The new rate of live exploration, null for what the settings say, and why."""

    rate: Annotated[float, Meta(ge=0, le=1)] | None
    reason: Text
    actor: Name | None = None


class Actor(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to say; `actor` only where nobody logs in."""

    actor: Name | None = None


class Since(Struct, frozen=True):
    """Only what came after this number, at most so many."""

    since: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class AsOf(Struct, frozen=True):
    """As things stood at a moment; without one, now."""

    as_of: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None = None


class DecisionBody(Struct, frozen=True):
    """One decision of the log, corrections applied; `observation` and `mask` in the problem's order."""

    decision_id: str
    sequence: int
    problem_version: str
    unit_id: str
    episode_id: str | None
    step: int | None
    decided_at: datetime
    context: dict[str, Any]
    observation: list[float]
    mask: list[bool] | None
    stage: str
    arm: str
    version: str
    action: Action
    label: str
    propensity: float | None
    density: float | None
    explored: bool
    confidence: float
    kill_epoch: int
    reason: str
    latency_us: int


class EventBody(Struct, frozen=True):
    """Something that was done, numbered in one order with the decisions."""

    sequence: int
    kind: str
    actor: str
    reason: str
    at: datetime
    payload: dict[str, Any]


class Events(Struct, frozen=True):
    """Events in order."""

    events: list[EventBody]


class VersionBody(Struct, frozen=True):
    """A registered version and its record, which never changes."""

    version: str
    registered_at: datetime
    record: dict[str, Any]


class Versions(Struct, frozen=True):
    """Versions, oldest first, and the one that decides; null while none does."""

    versions: list[VersionBody]
    live: str | None


class ReplicaBody(Struct, frozen=True):
    """One server: when it was last heard of and which kill epoch it answers under."""

    replica: str
    started_at: datetime
    seen_at: datetime
    epoch: int
    version: str | None
    software: str
    url: str | None


class ReplicaList(Struct, frozen=True):
    """Servers heard of in the last seconds, and the kill epoch of the log."""

    epoch: int
    replicas: list[ReplicaBody]


class Registered(Struct, frozen=True):
    """The version an uploaded bundle became."""

    version: str
    registered: bool


class Alive(Struct, frozen=True):
    """The process answers."""

    status: str


class Check(Struct, frozen=True):
    """One thing a server needs, and what is wrong with it."""

    name: str
    ok: bool
    words: str


class Readiness(Struct, frozen=True):
    """Whether this server should get requests."""

    ready: bool
    checks: list[Check]
