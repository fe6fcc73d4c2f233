"""Effects by segment: by hand, honest, mergeable, and wrong somewhere in at most alpha of all reports."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tenure.core.errors import EvidenceError
from tenure.core.logged import Hashes
from tenure.evaluation.grouped import mixed
from tenure.evaluation.segment_effects import SegmentEffects, holm_levels
from tenure.evaluation.segments import Segments, learns


def halves(below: float = 0.5) -> Segments:
    """x < 0.5 and x >= 0.5, made by hand."""
    return Segments(
        ("x",),
        ("",),
        np.array([0, -1, -1]),
        np.array([below, 0.0, 0.0]),
        np.array([1, -1, -1]),
        np.array([2, -1, -1]),
        np.array([-1, 0, 1]),
    )


def measuring(count: int) -> Hashes:
    """Units of the half that measures, in different groups."""
    unit = mixed(np.arange(100 * count, dtype=np.uint64))
    unit = unit[~learns(unit)]
    _, first = np.unique(mixed(unit) % np.uint64(4096), return_index=True)
    return np.asarray(unit[np.sort(first)][:count])


def test_effects_are_the_means_and_student_intervals_by_hand() -> None:
    unit = measuring(6)
    x = np.array([[0.0]] * 3 + [[1.0]] * 3)
    effects = SegmentEffects(halves())
    effects.update(x, unit, np.array([1.0, 2.0, 3.0, -1.0, -1.0, -1.0]))
    low, high = effects.result(0.05)
    assert (low.rule, high.rule, low.share, high.share) == ("x < 0.5", "x >= 0.5", 0.5, 0.5)
    assert low.effect is not None
    # mean 2, sd 1, n 3; p = 0.0742 is the larger one, so it is tested at alpha / 1
    radius = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert (low.effect.value, low.effect.low, low.effect.high) == pytest.approx((2, 2 - radius, 2 + radius))
    assert low.verdict == "mixed"
    assert high.effect is not None
    assert (high.effect.low, high.effect.high, high.verdict) == (-1.0, -1.0, "worse")


def test_where_lower_is_better_the_words_turn() -> None:
    effects = SegmentEffects(halves())
    effects.update(np.array([[0.0]] * 3 + [[1.0]] * 3), measuring(6), np.array([1.0, 1.0, 1.0, -1.0, -1.0, -1.0]))
    assert [row.verdict for row in effects.result(0.05, sign=-1)] == ["worse", "better"]


def test_the_half_that_shaped_the_segments_is_counted_but_does_not_measure() -> None:
    unit = mixed(np.arange(400, dtype=np.uint64))
    y = np.where(learns(unit), 100.0, 0.0)
    effects = SegmentEffects(halves())
    effects.update(np.zeros((400, 1)), unit, y)
    first, empty = effects.result()
    assert first.effect is not None
    assert (first.effect.value, first.share, first.verdict) == (0.0, 1.0, "mixed")
    assert first.effect.n == int((~learns(unit)).sum())
    assert (empty.effect, empty.share, empty.verdict) == (None, 0.0, "mixed")


def test_partition_and_order_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, y, unit = rng.random((600, 1)), rng.normal(size=600), mixed(np.arange(600, dtype=np.uint64) // np.uint64(3))
    whole, one, two = (SegmentEffects(halves()) for _ in range(3))
    whole.update(x, unit, y)
    one.update(x[400:], unit[400:], y[400:])
    two.update(x[:400], unit[:400], y[:400])
    two.update(x[:0], unit[:0], y[:0])
    one.merge(two)
    for mine, theirs in zip(one.result(), whole.result(), strict=True):
        assert mine.as_dict()["share"] == theirs.share
        assert mine.effect is not None
        assert theirs.effect is not None
        assert (mine.effect.value, mine.effect.low) == pytest.approx(
            (theirs.effect.value, theirs.effect.low), rel=1e-12
        )


def test_other_segments_are_not_merged() -> None:
    with pytest.raises(EvidenceError, match="same segments"):
        SegmentEffects(halves()).merge(SegmentEffects(halves(0.7)))


def test_nothing_seen_proves_nothing() -> None:
    assert {row.verdict for row in SegmentEffects(halves()).result()} == {"mixed"}


def test_bad_columns_are_refused() -> None:
    effects = SegmentEffects(halves())
    with pytest.raises(EvidenceError):
        effects.update(np.zeros((2, 1)), measuring(2), np.zeros(3))
    with pytest.raises(EvidenceError, match="finite"):
        effects.update(np.zeros((2, 1)), measuring(2), np.array([0.0, np.nan]))


def test_holm_levels_of_a_published_example() -> None:
    # Holm's procedure on p = .01, .04, .03, .005 at .05: .005 and .01 are rejected, .03 > .05 / 2 stops it.
    levels = holm_levels(np.array([0.01, 0.04, 0.03, 0.005]), 0.05)
    assert levels == pytest.approx([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])


def test_without_any_effect_some_segment_is_called_in_at_most_alpha_of_reports() -> None:
    rng = np.random.default_rng(5)
    unit = mixed(np.arange(200, dtype=np.uint64).repeat(3))
    called = 0
    for _ in range(600):
        effects = SegmentEffects(halves())
        clustered = rng.normal(size=200).repeat(3) + rng.normal(size=600)
        effects.update(rng.random((600, 1)), unit, clustered)
        called += any(row.verdict != "mixed" for row in effects.result(0.05))
    assert called <= 46  # 30 expected, three standard errors above
