"""The shape of a run: pure functions over its curves, aware of their noise."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Floats
from tenure.diagnosis.facts import Facts, part
from tenure.diagnosis.findings import Shape
from tenure.diagnosis.thresholds import FALL, FEWEST_POINTS, FIRST, LAST, NOISES, OVERFIT, SUDDEN, SWING


def shape_of(facts: Facts) -> Shape:
    """One shape for the run, that of most of its seeds; of equally many, the graver one.

    A run at its bound or above the incumbent, whose curves neither fall nor swing, is healthy whatever they look like.
    """
    if generalises_badly(facts):
        return "overfit"
    shapes = [shape(merits, facts) for merits in facts.merits]
    return max(GRAVITY, key=lambda one: (shapes.count(one), -GRAVITY.index(one)))


GRAVITY: tuple[Shape, ...] = ("collapse", "forgetting", "oscillation", "flat", "plateau", "healthy")
"""Shapes of one curve, the gravest first."""


def shape(merits: Floats, facts: Facts) -> Shape:
    """The shape of one seed's curve; with too few checkpoints, by what it reached alone."""
    if len(merits) >= FEWEST_POINTS:
        if fell(merits, facts.span):
            return "collapse" if fell_suddenly(merits) else "forgetting"
        if swings(merits, facts.span):
            return "oscillation"
    if merits.max() >= facts.best_known - FALL * facts.span and not facts.unproven:
        return "healthy"
    if len(merits) >= FEWEST_POINTS and not risen(merits):
        return "flat"
    return "plateau" if len(merits) >= FEWEST_POINTS and not rising(merits) else "healthy"


def noise(merits: Floats) -> float:
    """Standard deviation of one checkpoint about a smooth curve, from differences between neighbours.

    Source: von Neumann (1941), half the mean squared successive difference.
    """
    return float(np.sqrt(np.mean(np.diff(merits) ** 2) / 2)) if len(merits) > 1 else 0.0


def surely(later: Floats, earlier: Floats, deviation: float) -> bool:
    """Whether the later stretch lies above the earlier one by more than noise."""
    error = deviation * np.sqrt(1 / len(later) + 1 / len(earlier))
    return bool(later.mean() - earlier.mean() > NOISES * error)


def risen(merits: Floats) -> bool:
    """Whether the curve is anywhere surely higher than at its beginning: any third, against the first fifth."""
    first, width = merits[: part(merits, FIRST)], part(merits, LAST)
    windows = [merits[at : at + width] for at in range(1, len(merits) - width + 1)]
    return any(surely(window, first, noise(merits)) for window in windows)


def rising(merits: Floats) -> bool:
    """Whether the second half of the last third is surely higher than its first half."""
    third = merits[-part(merits, LAST) :]
    half = len(third) // 2
    return half > 0 and surely(third[half:], third[:half], noise(third))


def fell(merits: Floats, span: float) -> bool:
    """Whether the end is surely lower than the best stretch before it, by a good part of what was won."""
    width = part(merits, FIRST)
    before = _smooth(merits[: len(merits) - part(merits, LAST)], width)
    end = merits[-part(merits, LAST) :]
    peak, won = before.max(), max(before.max() - merits[0], span * FALL)
    best = merits[int(before.argmax()) : int(before.argmax()) + width]
    return bool(peak - end.mean() > max(FALL * won, FALL * span)) and surely(best, end, noise(merits))


def fell_suddenly(merits: Floats) -> bool:
    """Whether half of the fall from peak to end happened within a fifth of the training."""
    end, width = merits[-part(merits, LAST) :].mean(), part(merits, SUDDEN)
    drops = merits[:-width] - merits[width:]
    return bool(drops.max() > (merits.max() - end) / 2)


def swings(merits: Floats, span: float) -> bool:
    """Whether neighbouring checkpoints of the second half lie far apart, both ways."""
    half = merits[len(merits) // 2 :]
    steps = np.diff(half)
    both = min((steps > 0).sum(), (steps < 0).sum()) >= len(steps) / 4
    return bool(both) and float(np.abs(steps).mean()) > SWING * span


def generalises_badly(facts: Facts) -> bool:
    """Whether the policy does much better in training worlds than on the selection data, and worse than the incumbent
    there."""
    lead = train_lead(facts)
    return lead is not None and lead > OVERFIT and bool(facts.reached.mean() < facts.best_known - FALL * facts.span)


def train_lead(facts: Facts) -> float | None:
    """How much higher the end of the curves is in training worlds than on the selection data, in spans; None where
    nobody scored training worlds."""
    train = facts.late("train_score")
    if train is None:
        return None
    ends = [merits[-part(merits, LAST) :].mean() for merits in facts.merits]
    return (facts.sign * train - float(np.mean(ends))) / facts.span


def _smooth(row: Floats, width: int) -> Floats:
    """Means over each `width` neighbours; [len - width + 1]."""
    width = min(width, len(row))
    return np.convolve(row, np.ones(width) / width, mode="valid")
