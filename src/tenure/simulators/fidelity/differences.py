"""Every field in every aspect: how far apart, with the doubt that the log's own halves teach, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.evidence import Finding, Verdict
from tenure.simulators.fidelity import limits
from tenure.simulators.fidelity.aspects import ASPECTS, GRID, Aspect, Side, change, far_out, mean_gap
from tenure.simulators.fidelity.one_step import laws
from tenure.simulators.fidelity.sample import Sample

STEPS = (1, 2, 4, 8, 16)
"""Horizons of the table of growing error."""


@dataclass(frozen=True)
class Difference:
    """One field in one aspect.

    Args:
        aspect, field: what was compared; `about` says it in words.
        value, low, high: the distance, >= 0, and its ends.
        limit: largest that is let pass.
    """

    aspect: str
    field: str
    about: str
    value: float
    low: float
    high: float
    limit: float

    @property
    def verdict(self) -> Verdict:
        """FAIL once even the low end is over the limit; INCONCLUSIVE where a defect of twice it could hide."""
        if self.low > self.limit:
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE if self.high > limits.UNSEEN * self.limit else Verdict.PASS

    def finding(self, clusters: int, unit: str) -> Finding:
        """The verdict with its sentence; `clusters` independent units were logged."""
        told = f"{self.field}, {self.about}: {self.value:.2f} ({self.low:.2f} to {self.high:.2f}), limit {self.limit:g}"
        if self.verdict is Verdict.INCONCLUSIVE:
            told += f". {more(self, clusters, unit)}"
        return Finding(f"{self.aspect}: {self.field}", self.verdict, told)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**asdict(self), "verdict": self.verdict.word}


def more(found: Difference, clusters: int, unit: str) -> str:
    """How much more log would settle it: doubt shrinks with the root of the units."""
    doubt = found.high - found.value
    if math.isinf(doubt):
        return "Halves of the log say nothing about it: log several times as much"
    room = max(abs(limits.UNSEEN * found.limit - found.value), found.value - found.limit, 0.1 * found.limit)
    needed = math.ceil(clusters * (doubt / room) ** 2 - 1e-6)
    return f"The log is too small to tell; about {max(1, needed - clusters):,} more {unit}s would settle it"


def differences(real: Sample, simulated: Sample, seed: int = 0) -> list[Difference]:
    """All fields that both have, in all aspects of which both say something.

    The doubt is what random halves of the log differ by, scaled to the sizes compared: its mean plus `SURE` standard
    deviations over `HALVES` halvings, in whole independent units.

    Args:
        real: the log, at least two independent units.
        simulated: the simulator under the policy that logged.
        seed: of the halves.

    Source: Wasserstein distances calibrated by splitting after Efron and Tibshirani (1993), chapter 15.
    """
    learned = laws(real, simulated, seed)
    far = far_out(real)
    sides = Side(real, learned[0], far), Side(simulated, learned[1], far)
    rng = np.random.default_rng([seed, 1])
    halves = [tuple(np.flatnonzero(half) for half in real.halves(rng)) for _ in range(limits.HALVES)]
    return [
        found
        for field in real.columns
        if not (is_calendar(real, field) and is_calendar(simulated, field))
        for aspect in ASPECTS
        if (found := _difference(aspect, field, *sides, halves)) is not None
    ]


def is_calendar(sample: Sample, field: str) -> bool:
    """Whether a field is a function of the hour and the weekday alone, so that only the days logged can differ."""
    if sample.hour is None:
        return False
    slot = sample.hour if sample.weekday is None else sample.hour + 24 * sample.weekday
    values = sample.columns[field]
    first = np.full(24 * 7, np.nan)
    first[slot[::-1]] = values[::-1]
    return bool((values == first[slot]).all())


def _difference(aspect: Aspect, field: str, real: Side, simulated: Side, halves: Sequence[Any]) -> Difference | None:
    every = [np.arange(len(side.sample)) for side in (real, simulated)]
    mine, theirs = (aspect.summary(side, field, rows) for side, rows in zip((real, simulated), every, strict=True))
    if not len(mine) or len(mine) != len(theirs):
        return None
    scale = _scale(aspect, real, field)
    value = aspect.distance(mine, theirs) / scale
    doubt = _doubt(aspect, field, real, simulated, halves) / scale
    if math.isnan(value) or math.isnan(doubt):
        return None
    return Difference(
        aspect.name, field, aspect.about, value, max(0.0, value - doubt), value + doubt, limits.ASPECTS[aspect.name]
    )


def _doubt(aspect: Aspect, field: str, real: Side, simulated: Side, halves: Sequence[Any]) -> float:
    gaps = [gap for pair in halves if (gap := _gap(aspect, field, real, pair)) is not None]
    if len(gaps) < limits.HALVES / 2:
        return math.inf
    share = real.sample.clusters / max(simulated.sample.clusters, 1)
    # Halves of n units differ by 4/n in variance; n against m units by 1/n + 1/m.
    return float((np.mean(gaps) + limits.SURE * np.std(gaps)) * math.sqrt((1 + share) / 4))


def _gap(aspect: Aspect, field: str, side: Side, pair: tuple[Ints, Ints]) -> float | None:
    one, other = (aspect.summary(side, field, rows) for rows in pair)
    return aspect.distance(one, other) if len(one) and len(one) == len(other) else None


def _scale(aspect: Aspect, real: Side, field: str) -> float:
    if not aspect.scaled:
        return 1.0
    values = real.sample.columns[field]
    spread = float(np.nanstd(values)) if np.isfinite(values).any() else 0.0
    return spread if spread > 0 else max(abs(float(np.nanmean(values))), 1e-9)


def growth(real: Sample, simulated: Sample) -> Iterator[dict[str, Any]]:
    """How the error of each feature's change grows with the horizon, in standard deviations of the log's change."""
    sides = Side(real), Side(simulated)
    rows = [np.arange(len(side.sample)) for side in sides]
    for field in real.features:
        told = {}
        for steps in STEPS:
            mine, theirs = (change(side, field, at, steps) for side, at in zip(sides, rows, strict=True))
            if len(mine) and len(theirs) and _width(mine) > 0:
                told[str(steps)] = mean_gap(mine, theirs) / _width(mine)
        if told:
            yield {"field": field, "by_steps": told}


def _width(quantiles: Floats) -> float:
    assert len(quantiles) == len(GRID)
    return float(quantiles.std())
