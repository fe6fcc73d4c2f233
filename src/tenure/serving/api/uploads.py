"""Bundles come as data, are tried apart, and become registered versions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tenure.serving.api.bodies import Registered
from tenure.serving.api.operation import Call
from tenure.store import Event
from tenure.store.upload import accepted, unpacked


class Sum(Struct, frozen=True):
    """SHA-256 of the body, in hexadecimal: it is compared before anything in the body is interpreted."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]


def upload(call: Call) -> Registered:
    """Check a bundle and register it as a version; the same again changes nothing."""
    service, problem = call.desk.service, call.desk.problem
    bundle = unpacked(call.body, call.query.sha256)
    known = {row.version for row in service.store.versions(problem)}
    record = accepted(bundle, service.problem, call.desk.bundles)
    if bundle.version not in known:
        now = service.clock.now()
        service.store.register_version(bundle.version, problem, now, record)
        event = Event(
            problem, "upload", call.principal.name, f"version {bundle.version}", now, {"version": bundle.version}
        )
        service.store.append_event(event)
    return Registered(bundle.version, bundle.version not in known)
