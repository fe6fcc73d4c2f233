"""Segments: what is really there is found in words, noise is not, and assignment equals the words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Hashes
from tenure.evaluation.grouped import mixed
from tenure.evaluation.segments import DEPTH, LEAST_SHARE, MOST, Segments, find, learns

NAMES, UNITS = ("hour", "distance", "north"), ("hour of day", "km", "0 or 1")


def situations(rng: np.random.Generator, n: int = 4000) -> Floats:
    columns = (rng.integers(0, 24, n), rng.gamma(4, 1, n), rng.random(n) < 0.5)
    return np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)


def unit_hashes(n: int, rows_each: int = 4) -> Hashes:
    return mixed((np.arange(n) // rows_each).astype(np.uint64))


def planted(seed: int = 0, noise: float = 0.5) -> tuple[Floats, Floats, Hashes]:
    """A difference of 2 in the north from 18:00 on, 0 elsewhere."""
    rng = np.random.default_rng(seed)
    x = situations(rng)
    y = 2.0 * ((x[:, 2] == 1) & (x[:, 0] >= 18)) + rng.normal(0, noise, len(x))
    return x, y, unit_hashes(len(x))


def test_a_planted_segment_is_found_and_named_in_words() -> None:
    rules = find(*planted(), NAMES, UNITS).rules()
    assert {frozenset(rule.split(" and ")) for rule in rules} >= {frozenset({"hour >= 18", "north = 1"})}


def test_a_threshold_on_a_measured_feature_carries_its_unit() -> None:
    rng = np.random.default_rng(1)
    x = situations(rng)
    y = np.where(x[:, 1] < 4.0, 1.0, -1.0) + rng.normal(0, 0.1, len(x))
    assert set(find(x, y, unit_hashes(len(x)), NAMES, UNITS).rules()) == {"distance < 4 km", "distance >= 4 km"}


def test_a_threshold_that_cannot_be_rounded_stays_exact() -> None:
    rng = np.random.default_rng(6)
    x = situations(rng)
    high = rng.random(len(x)) < 0.5
    x[:, 1] = np.where(high, 1 + 2**-22, 1.0)
    segments = find(x, high.astype(float), unit_hashes(len(x)), NAMES)
    assert np.array_equal(segments.assign(x) == segments.assign(x[high][:1])[0], high)


def test_two_conditions_on_one_feature_are_told_as_one() -> None:
    rng = np.random.default_rng(2)
    x = situations(rng)
    y = ((x[:, 0] >= 8) & (x[:, 0] < 16)).astype(float) + rng.normal(0, 0.05, len(x))
    assert "8 <= hour < 16" in find(x, y, unit_hashes(len(x)), NAMES, UNITS).rules()


def test_pure_noise_is_one_segment_in_most_draws() -> None:
    rng = np.random.default_rng(3)
    x, unit = situations(rng), unit_hashes(4000)
    found = [len(find(x, rng.normal(size=4000), unit, NAMES)) for _ in range(10)]
    assert found.count(1) >= 7


def test_rows_of_the_measuring_half_never_shape_the_segments() -> None:
    x, y, unit = planted()
    upset = np.where(learns(unit), y, 1000.0 * x[:, 1])
    assert find(x, y, unit, NAMES).rules() == find(x, upset, unit, NAMES).rules()


def test_a_unit_is_in_one_half_and_halves_are_even() -> None:
    unit = unit_hashes(40_000)
    halves = learns(unit).reshape(-1, 4)
    assert (halves == halves[:, :1]).all()
    assert abs(halves.mean() - 0.5) < 0.02


@pytest.mark.parametrize("rows", [10, 199])
def test_too_few_rows_are_one_segment(rows: int) -> None:
    x, y, unit = planted()
    assert find(x[:rows], y[:rows], unit[:rows], NAMES).rules() == ("all",)


def test_too_few_units_are_one_segment() -> None:
    x, y, _ = planted()
    assert find(x, y, mixed(np.arange(len(y), dtype=np.uint64) % np.uint64(5)), NAMES).rules() == ("all",)


def test_a_constant_difference_is_one_segment() -> None:
    x, _, unit = planted()
    assert find(x, np.ones(len(x)), unit, NAMES).rules() == ("all",)


def test_units_that_all_fall_into_one_fold_are_one_segment() -> None:
    candidates = mixed(np.arange(4000, dtype=np.uint64))
    one_fold = candidates[learns(candidates) & (mixed(candidates, 43) % np.uint64(2) == 0)][:20]
    x, y, _ = planted()
    assert find(x, y, np.resize(one_fold, len(y)), NAMES).rules() == ("all",)


def test_unknown_values_count_as_not_below() -> None:
    x, _, unit = planted()
    rng = np.random.default_rng(4)
    x[rng.random(len(x)) < 0.3, 1] = np.nan
    segments = find(x, np.where(x[:, 1] < 4, 1.0, 0.0), unit, NAMES, UNITS)
    low, high = (segments.assign(np.array([[3.0, value, 0.0]]))[0] for value in (1.0, 9.0))
    assert segments.assign(np.array([[3.0, np.nan, 0.0]]))[0] == high != low


def test_a_feature_nobody_knows_is_never_split_on() -> None:
    x, y, unit = planted()
    x[:, 1] = np.nan
    assert not any("distance" in rule for rule in find(x, y, unit, NAMES).rules())


def test_another_number_of_features_is_refused() -> None:
    segments = find(*planted(), NAMES)
    with pytest.raises(EvidenceError, match="features"):
        segments.assign(np.zeros((3, 2)))


def test_bad_columns_are_refused() -> None:
    x, y, unit = planted()
    with pytest.raises(EvidenceError):
        find(x, y[:-1], unit, NAMES)
    with pytest.raises(EvidenceError):
        find(x, y, unit, NAMES[:2])
    with pytest.raises(EvidenceError, match="finite"):
        find(x, np.where(np.arange(len(y)) == 7, np.nan, y), unit, NAMES)


def holds(segments: Segments, number: int, row: Floats) -> bool:
    """Whether a row satisfies every condition on the way to a segment."""
    return all((row[c.feature] < c.threshold) == c.below for c in segments.conditions()[number])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_segments_partition_everything_as_their_rules_say_and_keep_their_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = situations(rng, 1200)
    weights = rng.normal(size=3)
    y = np.sin(x @ weights) + 0.2 * rng.normal(size=len(x))
    unit = unit_hashes(len(x), 2)
    segments = find(x, y, unit, NAMES, UNITS)
    assigned = segments.assign(x)
    for row, number in list(zip(x, assigned, strict=True))[:100]:
        assert [holds(segments, other, row) for other in range(len(segments))].index(True) == number
        assert sum(holds(segments, other, row) for other in range(len(segments))) == 1
    assert len(segments) <= MOST
    assert max(map(len, segments.conditions())) <= DEPTH
    shares = np.bincount(assigned[learns(unit)], minlength=len(segments)) / learns(unit).sum()
    assert shares.min() >= LEAST_SHARE - 0.005  # readable thresholds move a row in 500 at most


def test_a_log_without_features_is_one_segment() -> None:
    rng = np.random.default_rng(0)
    found = find(np.zeros((1000, 0)), rng.normal(size=1000), np.arange(1000, dtype=np.uint64), ())
    assert found.rules() == ("all",)
    assert found.assign(np.zeros((3, 0))).tolist() == [0, 0, 0]
