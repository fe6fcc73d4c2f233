"""Disturbances as plain fields: in tenure.toml, in a run's record, in a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import msgspec

from tenure.core.errors import SettingsError
from tenure.simulators.disturbances.actions import ActionDelay
from tenure.simulators.disturbances.observations import (
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    SensorNoise,
    StuckSensors,
)
from tenure.simulators.disturbances.worlds import DemandShock, Obstacle
from tenure.simulators.disturbances.wrapper import Disturbance

KINDS: dict[str, Any] = {
    "observation_delay": ObservationDelay,
    "network_delay": NetworkDelay,
    "sensor_noise": SensorNoise,
    "dropped_sensors": DroppedSensors,
    "stuck_sensors": StuckSensors,
    "action_delay": ActionDelay,
    "demand_shock": DemandShock,
    "obstacle": Obstacle,
}
"""Every disturbance by the name it has in settings and reports."""


def disturbance(table: Mapping[str, Any]) -> Disturbance:
    """A disturbance from its fields, with `kind` naming it, such as {"kind": "sensor_noise", "sd": 0.05}.

    Raises:
        SettingsError: the kind is unknown, a field is unknown, missing or of the wrong type, or out of its range.
    """
    given = dict(table)
    kind = given.pop("kind", None)
    if kind not in KINDS:
        raise _wrong(f"a `kind` of {list(KINDS)}", repr(kind))
    known = {field.name for field in fields(KINDS[kind])}
    unknown = sorted(set(given) - known)
    if unknown:
        raise _wrong(f"fields of {kind!r}: {sorted(known)}", repr(unknown[0]))
    try:
        made: Disturbance = msgspec.convert(given, KINDS[kind])
    except msgspec.ValidationError as error:
        raise _wrong(f"the fields of {kind!r} as they are documented", str(error)) from error
    return made


def told(one: Disturbance) -> dict[str, Any]:
    """A disturbance as the fields that `disturbance` reads; those at their default are left out."""
    kind = next(name for name, made in KINDS.items() if isinstance(one, made))
    default = {field.name: field.default for field in fields(KINDS[kind])}
    given: dict[str, Any] = asdict(one)  # type: ignore[call-overload]
    return {"kind": kind, **{name: value for name, value in given.items() if value != default[name]}}


def _wrong(expected: str, found: str) -> SettingsError:
    fix = "mend the entry; docs/disturbances.md lists kinds and fields"
    return SettingsError(expected=expected, found=found, where="a disturbance in the settings", fix=fix)
