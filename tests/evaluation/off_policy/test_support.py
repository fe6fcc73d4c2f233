"""What a log can carry, and the refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.core.evidence import Verdict
from tenure.evaluation.off_policy.support import Refusal, Support, Why

N = 400


def support(
    reward: Any = 1.0, propensity: Any = 0.5, weight: Any = 1.0, elsewhere: Any = None, *, density: bool = False
) -> Support:
    """Counts of N rows; a plain number fills its column."""
    counted = Support(density)
    r, p, w = (np.broadcast_to(np.asarray(x, dtype=float), N).copy() for x in (reward, propensity, weight))
    counted.update(np.arange(N), r, p, w, None if elsewhere is None else np.full(N, float(elsewhere)))
    return counted


def refusal(counted: Support) -> Refusal:
    """The refusal there must be."""
    found = counted.refusal
    assert found is not None
    return found


def one(bad: float, good: float, row: int = 7) -> Any:
    """A column with one bad entry."""
    column = np.full(N, good)
    column[row] = bad
    return column


def test_a_healthy_log_is_not_refused() -> None:
    assert support().refusal is None


def test_no_row_is_refused() -> None:
    assert refusal(Support()).why is Why.EMPTY


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.5, np.inf])
def test_an_illegal_propensity_is_refused_with_its_row(bad: float) -> None:
    found = refusal(support(propensity=one(bad, 0.5)))
    assert (found.why, found.verdict) == (Why.PROPENSITY_ILLEGAL, Verdict.ERROR)
    assert "1 of 400" in found.reason
    assert "row 7" in found.reason


def test_a_propensity_missing_in_some_rows_is_refused() -> None:
    assert refusal(support(propensity=one(np.nan, 0.5))).why is Why.PROPENSITY_MISSING


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_reward_that_is_no_number_is_refused(bad: float) -> None:
    found = refusal(support(reward=one(bad, 1.0)))
    assert (found.why, found.verdict) == (Why.REWARD_MISSING, Verdict.ERROR)
    assert "row 7" in found.reason


def test_a_weight_that_is_no_number_is_refused() -> None:
    assert refusal(support(weight=one(np.nan, 1.0))).why is Why.NOT_FINITE


def test_densities_may_exceed_one() -> None:
    assert support(propensity=3.0, density=True).refusal is None
    assert support(propensity=3.0).refusal is not None


def test_deterministic_logging_says_nothing_about_other_actions() -> None:
    # Half of the target's decisions are the logged ones: weight 1 there, 0 elsewhere.
    found = refusal(support(propensity=1.0, weight=np.arange(N) % 2))
    assert (found.why, found.verdict) == (Why.DETERMINISTIC, Verdict.INCONCLUSIVE)
    assert "50.0%" in found.reason


def test_deterministic_logging_values_the_policy_that_wrote_it() -> None:
    assert support(propensity=1.0, weight=1.0).refusal is None


@pytest.mark.parametrize(("elsewhere", "refused"), [(0.009, False), (0.011, True)])
def test_one_percent_of_the_target_may_be_without_support(elsewhere: float, refused: bool) -> None:
    found = support(elsewhere=elsewhere).refusal
    assert (found is not None) is refused
    assert found is None or found.why is Why.NO_SUPPORT


def test_weights_that_are_all_zero_are_no_support() -> None:
    assert refusal(support(weight=0.0)).why is Why.NO_SUPPORT


def test_effective_sample_size_is_kishs() -> None:
    # 100 rows of weight 4, 300 of 0: (400)^2 / 1600 = 100.
    weight = np.where(np.arange(N) < 100, 4.0, 0.0)
    assert support(weight=weight).ess == pytest.approx(100)


def test_fewer_than_a_hundred_effective_rows_are_refused_with_how_many_would_do() -> None:
    weight = np.where(np.arange(N) < 80, 5.0, 0.0)
    found = refusal(support(weight=weight))
    assert found.why is Why.FEW_EFFECTIVE
    assert "80.0" in found.reason
    assert "about 500 such rows" in found.helps


@pytest.mark.parametrize(("mean", "why"), [(1.2, Why.PROPENSITY_WRONG), (0.8, Why.NO_SUPPORT)])
def test_weights_that_do_not_average_one_are_refused(mean: float, why: Why) -> None:
    rng = np.random.default_rng(1)
    assert refusal(support(weight=mean + rng.normal(scale=0.1, size=N))).why is why


def test_weights_may_miss_one_by_chance() -> None:
    # Weights 0 or 4, mean 1.2: 120 of 400 rows; standard error .092, 2.2 of them from 1.
    assert support(weight=np.where(np.arange(N) < 120, 4.0, 0.0)).refusal is None


@pytest.mark.parametrize("huge", [{"weight": 1e300}, {"reward": -1e200}])
def test_numbers_that_would_be_all_a_sum_holds_are_refused(huge: dict[str, float]) -> None:
    found = refusal(support(**{name: one(value, 1.0) for name, value in huge.items()}))
    assert found.verdict is Verdict.ERROR
    assert "beyond 1e+30" in found.reason


def test_a_weight_that_leaves_nothing_else_names_no_number_of_rows() -> None:
    found = refusal(support(weight=one(1e20, 1e-12)))
    assert found.why is Why.FEW_EFFECTIVE
    assert "about 40,000 such rows" in found.helps
    found = refusal(support(weight=np.where(np.arange(N) < 1, 1e-20, 0.0)))
    assert "about 40,000 such rows" in found.helps


def test_weights_are_judged_by_the_error_they_are_given() -> None:
    counted = support(weight=1.2)
    assert counted.refused(None) is not None
    assert counted.refused(0.05) is None


def test_counts_merge() -> None:
    rng = np.random.default_rng(2)
    columns = rng.random((4, N)) + 0.01
    columns[1, 300] = np.nan
    columns[0, 40] = np.inf
    whole, parts = Support(), [Support(), Support()]
    whole.update(np.arange(N), columns[0], columns[1], columns[2], columns[3])
    for counted, rows in zip(parts, (slice(200, N), slice(0, 200)), strict=True):
        part = columns[:, rows]
        counted.update(np.arange(N)[rows], part[0], part[1], part[2], part[3])
    parts[0].merge(parts[1])
    assert vars(parts[0]) == {
        name: pytest.approx(found) if isinstance(found, float) else found for name, found in vars(whole).items()
    }


def test_nothing_seen_has_no_support() -> None:
    assert Support().ess == 0
    assert Support().unsupported_share == 1
