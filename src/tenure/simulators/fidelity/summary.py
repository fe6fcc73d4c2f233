"""What the findings about fields come to, in a sentence or two: another season, another mechanism, or neither known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.simulators.fidelity.differences import Difference
from tenure.simulators.fidelity.sample import Sample

MOST = 3
"""Fields that are told with their figures."""
BEYOND = 0.01
"""Share of the log's values outside everything the simulator made from which on it is told."""
DISTRIBUTION = "level"
REPLAY = "replay"


@dataclass(frozen=True)
class Place:
    """Where a field lies in the log and in the simulator.

    Args:
        real, simulated: means, in the field's unit.
        beyond: share of the log's values that lie outside everything the simulator made, in [0, 1].
    """

    real: float
    simulated: float
    beyond: float


def places(real: Sample, simulated: Sample) -> dict[str, Place]:
    """Where each field that both have lies."""
    return {
        name: Place(float(np.mean(log)), float(np.mean(made)), float(((log < made.min()) | (log > made.max())).mean()))
        for name in real.columns
        if len(log := _known(real, name)) and len(made := _known(simulated, name))
    }


def _known(sample: Sample, name: str) -> Floats:
    values = sample.columns[name]
    return np.asarray(values[np.isfinite(values)])


def in_short(
    problem: Problem, found: Sequence[Difference], where: Mapping[str, Place], unaffected: Sequence[str] | None
) -> str:
    """The failing differences of fields summed up; empty where none fails.

    Args:
        problem: names the units.
        found: every difference, those of a replay among them.
        where: the fields' places.
        unaffected: fields that no action changes, as the simulator says; None where it does not say.
    """
    failing = [each for each in found if each.verdict is Verdict.FAIL and each.field in where]
    if not failing:
        return ""
    if unaffected is None:
        why = (
            "Whether the log is of another season or the simulator wrong, it cannot tell: name in `unaffected` what no "
        )
        return f"{_told(problem, failing, where)}. {why}action changes, and give `replayed` (docs/validation.md)"
    outside = [each for each in failing if each.field in unaffected]
    if not outside:
        differs = f"what differs is {_fields(failing)}: look at what the simulator makes of actions"
        return f"What no action changes is alike; {differs}"
    return (
        f"The log is of other days than the simulator's worlds: {_told(problem, outside, where)}. {_mechanism(found)}"
    )


def _mechanism(found: Sequence[Difference]) -> str:
    replay = [each for each in found if each.aspect == REPLAY]
    if replay and all(each.verdict is Verdict.PASS for each in replay):
        return (
            "No action changes these, and on the log's own course the simulator brings what the log brought: it is the "
            "season, not the mechanism. Validate on days it is meant for, or train on worlds of such days"
        )
    return "No action changes these: validate on days the simulator is meant for, or train on worlds of such days"


def _told(problem: Problem, failing: Sequence[Difference], where: Mapping[str, Place]) -> str:
    """The fields furthest off by their distribution, with their means; without such, the names."""
    apart = sorted((each for each in failing if each.aspect == DISTRIBUTION), key=lambda each: -each.value)
    if not apart:
        return f"what differs is {_fields(failing)}"
    units = {each.name: each.unit for each in problem.observation} | {each.name: each.unit for each in problem.signals}
    rest = len({each.field for each in failing}) - min(MOST, len(apart))
    more = f"; and {rest} more field(s)" if rest else ""
    return (
        "; ".join(_sentence(each.field, units.get(each.field, ""), where[each.field]) for each in apart[:MOST]) + more
    )


def _sentence(field: str, unit: str, place: Place) -> str:
    told = f"{field} is {place.real:.3g} {unit}".rstrip()
    told += f" on average in the log and {place.simulated:.3g} in the simulator"
    return f"{told}, which never makes {place.beyond:.0%} of the log's values" if place.beyond > BEYOND else told


def _fields(found: Sequence[Difference]) -> str:
    return ", ".join(dict.fromkeys(each.field for each in found))
