"""Runs and windows: strict as written, and equal to a loop that spells them out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.rollout.rules import BreakerRule
from tenure.rollout.windows import figure_of, first_broken

from .breaking import breaks

RUN = BreakerRule(signal="slippage", above=0.0015, consecutive=6)
MEAN = BreakerRule(signal="slippage", above=0.0015, window=4)
RATE = BreakerRule(signal="slippage", above=0.0015, window=4, rate=0.5)
MEDIAN = BreakerRule(signal="slippage", above=2.0, window=3, quantile=0.5)
LOW = BreakerRule(signal="slippage", below=1.0, consecutive=2)
SHARE = BreakerRule(measure="action_share", above=0.75, window=4)


@pytest.mark.parametrize(
    ("rule", "values", "first"),
    [
        (RUN, [0.0016] * 5, None),
        (RUN, [0.0016] * 6, 0),
        (RUN, [0.0015] * 20, None),
        (RUN, [0.0016] * 5 + [0.0015] + [0.0016] * 5, None),
        (RUN, [0.0, *[0.0016] * 6], 1),
        (MEAN, [0.0015] * 4, None),
        (MEAN, [0.0015] * 3 + [0.0016], 0),
        (MEAN, [1.0] * 3, None),
        (RATE, [1.0, 1.0, 0.0, 0.0], None),
        (RATE, [0.0, 1.0, 1.0, 0.0, 1.0], 1),
        (MEDIAN, [2.0, 2.0, 9.0], None),
        (MEDIAN, [0.0, 2.1, 9.0], 0),
        (LOW, [1.0, 1.0, 0.9, 1.0, 0.9], None),
        (LOW, [1.0, 0.9, 0.9], 1),
        (SHARE, [0.0, 0.0, 0.0, 1.0], None),
        (SHARE, [1.0, 2.0, 2.0, 2.0, 2.0], 1),
    ],
)
def test_strict_as_written(rule: BreakerRule, values: list[float], first: int | None) -> None:
    assert first_broken(rule, np.array(values)) == first


@pytest.mark.parametrize("limit", [0.0015, 0.1, 1 / 3, 1e-9, 123.456])
def test_values_that_lie_on_the_limit_never_seem_to_lie_above_it(limit: float) -> None:
    for window in (3, 7, 200):
        rule = BreakerRule(signal="slippage", above=limit, window=window)
        assert first_broken(rule, np.full(window, limit)) is None


@pytest.mark.parametrize(
    ("rule", "values", "figure"),
    [
        (RUN, [], 0.0),
        (RUN, [1.0, 0.0, 1.0, 1.0], 2.0),
        (RUN, [1.0] * 3, 3.0),
        (MEAN, [1.0] * 3, None),
        (MEAN, [9.0, 1.0, 2.0, 3.0, 4.0], 2.5),
        (RATE, [1.0, 1.0, 0.0, 0.0], 0.5),
        (MEDIAN, [5.0, 1.0, 3.0], 3.0),
        (SHARE, [0.0, 0.0, 0.0, 1.0], 0.75),
    ],
)
def test_the_present_figure_is_that_of_the_latest_decisions(
    rule: BreakerRule, values: list[float], figure: float | None
) -> None:
    assert figure_of(rule, np.array(values)) == figure


RULES = st.builds(
    lambda up, limit, size, form: BreakerRule(
        signal="slippage",
        above=limit if up else None,
        below=None if up else limit,
        consecutive=size if form is None else None,
        window=None if form is None else size,
        **({} if form in (None, "mean") else {str(form): 0.5}),  # type: ignore[arg-type]
    ),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(1, 5),
    st.sampled_from([None, "mean", "rate", "quantile"]),
)
VALUES = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]), max_size=20)


@given(RULES, VALUES)
def test_equal_to_a_loop_over_all_stretches(rule: BreakerRule, values: list[float]) -> None:
    assert (first_broken(rule, np.array(values)) is not None) == breaks(rule, values)
