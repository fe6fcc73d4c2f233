"""A disturbance goes into settings and records as plain fields and comes back the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenure.core.errors import SettingsError
from tenure.simulators.disturbances import (
    ActionDelay,
    DemandShock,
    Disturbance,
    DroppedSensors,
    NetworkDelay,
    ObservationDelay,
    Obstacle,
    SensorNoise,
    StuckSensors,
    disturbance,
    told,
)

EVERY: list[Disturbance] = [
    ObservationDelay(2, ("a", "b")), NetworkDelay(3), SensorNoise(0.05), SensorNoise({"a": 1.5}),
    DroppedSensors(0.1, shows="default"), StuckSensors(0.1, 5), ActionDelay(1),
    DemandShock(1.5, 3), Obstacle(0.2, 1, 4),
]  # fmt: skip


@pytest.mark.parametrize("one", EVERY, ids=lambda one: type(one).__name__)
def test_what_is_told_is_read_back_as_the_same(one: Disturbance) -> None:
    assert disturbance(json.loads(json.dumps(told(one)))) == one


def test_defaults_are_not_told() -> None:
    assert told(ObservationDelay(2)) == {"kind": "observation_delay", "steps": 2}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"steps": 2}, "a `kind` of .*'observation_delay'.*; found None"),
        ({"kind": "gremlins"}, "found 'gremlins'"),
        ({"kind": "action_delay", "stops": 2}, r"fields of 'action_delay': \['steps'\]; found 'stops'"),
        ({"kind": "action_delay"}, "missing required field `steps`"),
        ({"kind": "action_delay", "steps": "two"}, "Expected `int`, got `str`"),
        ({"kind": "dropped_sensors", "share": 2.0}, r"a share in \[0, 1\]; found 2.0"),
    ],
)
def test_a_wrong_entry_is_refused_with_what_is_wrong(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        disturbance(table)
