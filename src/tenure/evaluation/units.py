"""Live comparison: candidate units against units the incumbent decided for on the same day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.evaluation.checks import finite, refusal, same_length


@dataclass(frozen=True)
class UnitGains:
    """What each candidate unit gained against its day's controls, in the order of the days.

    Args:
        gain: per candidate unit, positive where the candidate is better; [kept], in shares or in the KPI's unit.
        day: its day; [kept].
        unit: its name; one per entry of `gain`.
        candidates: candidate units that came in.
        controls: control units that came in.
        days: days that are compared.
        dropped_days: days with candidate units but no control.
        dropped_units: candidate units on those days, left out.
    """

    gain: Floats
    day: Ints
    unit: tuple[str, ...]
    candidates: int
    controls: int
    days: int
    dropped_days: int
    dropped_units: int

    def by_day(self) -> Floats:
        """Mean gain of each compared day, in order; [days]. Units of one day share its controls, days do not."""
        return np.array([self.gain[self.day == day].mean() for day in np.unique(self.day)], dtype=np.float64)


def unit_gains(
    unit: Sequence[str],
    day: Ints,
    episode: Sequence[str],
    is_candidate: Bools,
    cost: Floats,
    reference: Mapping[str, float],
) -> UnitGains:
    """Each candidate unit's saving, in shares of what its episode usually costs under the incumbent.

    Args:
        unit: name of each closed unit; [units], as all columns.
        day: the day it was decided on.
        episode: the place or account it belongs to, key of `reference`.
        is_candidate: whether the candidate decided for it.
        cost: its cost, in the KPI's unit; lower is better.
        reference: mean cost per unit of each episode under the incumbent before the canary, > 0: a covariate from
            before the experiment, so dividing by it narrows the interval without moving it.

    Raises:
        EvidenceError: columns of different lengths, NaN, or an episode without a positive reference.

    Source: pre-period covariates after Deng, Xu, Kohavi and Walker (2013), WSDM.
    """
    same_length("unit_gains", unit=len(unit), episode=len(episode), cost=len(cost))
    usual = np.array([reference.get(name, np.nan) for name in episode], dtype=np.float64)
    if not (usual > 0).all():
        lacking = sorted({name for name, value in zip(episode, usual, strict=True) if not value > 0})
        raise refusal(
            "a usual cost above 0 for every episode",
            f"none for {lacking[:5]} ({len(lacking)} in all)",
            "unit_gains(reference)",
            "measure the incumbent there before the canary, or leave those episodes out of it",
        )
    return unit_differences(unit, day, is_candidate, np.asarray(cost, dtype=np.float64) / usual, sign=-1)


def unit_differences(unit: Sequence[str], day: Ints, is_candidate: Bools, value: Floats, sign: int) -> UnitGains:
    """Each candidate unit's difference from the mean of its day's controls, in the value's own unit.

    Args:
        unit: name of each closed unit; [units], as all columns.
        day: the day it was decided on.
        is_candidate: whether the candidate decided for it.
        value: its KPI, a ratio or a figure of any unit.
        sign: +1 where higher is better, -1 where lower is (`KPI.sign`).

    Raises:
        EvidenceError: columns of different lengths, NaN, or another sign.
    """
    where = "unit_differences"
    same_length(where, unit=len(unit), day=len(day), is_candidate=len(is_candidate), value=len(value))
    if sign not in (-1, 1):
        raise refusal("sign +1 or -1", str(sign), where, "pass KPI.sign")
    value = finite(value, f"{where}(value)", at_least=1) if len(value) else np.zeros(0)
    chosen, days = np.asarray(is_candidate, dtype=bool), np.asarray(day)
    control = {d: float(value[~chosen & (days == d)].mean()) for d in np.unique(days[~chosen]).tolist()}
    rows = [i for i in np.argsort(days, kind="stable").tolist() if chosen[i]]
    kept = [i for i in rows if int(days[i]) in control]
    against = np.array([control[int(days[i])] for i in kept], dtype=np.float64)
    without = set(days[rows].tolist()) - set(control)
    return UnitGains(
        gain=sign * (value[kept] - against),
        day=days[kept],
        unit=tuple(unit[i] for i in kept),
        candidates=len(rows),
        controls=int((~chosen).sum()),
        days=len(set(days[kept].tolist())),
        dropped_days=len(without),
        dropped_units=len(rows) - len(kept),
    )
