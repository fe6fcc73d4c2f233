"""The probability of what was done, against values worked by hand."""

from __future__ import annotations

import pytest

from tenure.serving.propensity import propensity


@pytest.mark.parametrize(
    ("candidate", "incumbent", "share", "exploration", "choices", "expected"),
    [
        (0.0, 1.0, 0.0, 0.0, 4, 1.0),  # shadow: the incumbent alone
        (1.0, 0.0, 0.1, 0.0, 4, 0.1),  # the candidate's own action at 10 %
        (0.0, 1.0, 0.1, 0.0, 4, 0.9),  # the incumbent's
        (1.0, 1.0, 0.1, 0.0, 4, 1.0),  # both say the same
        (1.0, 0.0, 1.0, 0.02, 4, 0.985),  # .98 + .02 / 4
        (0.0, 0.0, 1.0, 0.02, 4, 0.005),  # explored
        (0.0, 1.0, 0.1, 0.02, 2, 0.901),  # .1 * .02 / 2 + .9
        (0.25, 0.0, 1.0, 0.0, 4, 0.25),  # a stochastic candidate
        (1.0, 0.0, 1.0, 0.02, 1, 1.0),  # only one action allowed
    ],
)
def test_it_is_the_mixture_of_split_and_exploration(
    candidate: float, incumbent: float, share: float, exploration: float, choices: int, expected: float
) -> None:
    assert propensity(candidate, incumbent, share, exploration, choices) == pytest.approx(expected)


def test_rounding_never_lifts_it_above_one() -> None:
    found = [propensity(1.0, 1.0, share / 1000, 0.001, n) for share in range(1001) for n in (1, 3, 7)]
    assert max(found) <= 1.0
