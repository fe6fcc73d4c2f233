"""A world that answers what is no number: stopped at once, and told so that it can be looked at again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProjectError


class WorldFault(ProjectError):
    """A world's reward or observation is not finite: the engineer mends the simulator or the reward.

    Args:
        incident: plain fields: seed, level, step, world, what is not finite, observation and action before.
    """

    def __init__(self, *, expected: str, found: str, where: str, fix: str, incident: Mapping[str, Any] = {}) -> None:
        super().__init__(expected=expected, found=found, where=where, fix=fix)
        self.incident = dict(incident)


def not_finite(named: Mapping[str, Floats]) -> tuple[str, int] | None:
    """The first name with a value that is not finite, and the first world that has it; None where all are finite.

    >>> not_finite({"sold": np.array([1.0, 2.0]), "reward": np.array([1.0, np.nan])})
    ('reward', 1)
    """
    for name, values in named.items():
        wrong: Bools = ~np.isfinite(values)
        if wrong.any():
            return name, int(np.flatnonzero(wrong)[0])
    return None


def fault(
    what: str, value: float, world: int, at: Mapping[str, Any], before: npt.NDArray[Any], action: npt.NDArray[Any]
) -> WorldFault:
    """The error for one world.

    Args:
        what: the signal, feature or reward that is not finite.
        value: of it.
        world: its number.
        at: seed, level and step.
        before: its observation before the step; [features].
        action: its action.
    """
    place = f"world {world} of seed {at['seed']}, level {at['level']!r}, step {at['step']:,}"
    incident = {**at, "world": world, "signal": what, "value": str(value)}
    incident |= {"observation": [json_number(number) for number in before], "action": np.asarray(action).tolist()}
    return WorldFault(
        expected="finite rewards and observations",
        found=f"{what} {value}",
        where=place,
        fix="mend the simulator or the reward; `tenure sim check` looks for such values",
        incident=incident,
    )


def json_number(number: float) -> float | str:
    """A number as JSON has it; what is not finite in words."""
    return float(number) if np.isfinite(number) else json.dumps(float(number))
