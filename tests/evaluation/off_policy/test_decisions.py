"""Valuing a policy from a log: the two passes together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.logs import bandit_log, logged, uniform

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, LoggedTable
from tenure.evaluation.off_policy.decisions import evaluate_log
from tenure.evaluation.off_policy.one_step import FORMULAS
from tenure.evaluation.off_policy.passes import local
from tenure.evaluation.off_policy.support import Why
from tenure.evaluation.off_policy.valuation import BIASED

LOG, MEAN = bandit_log(20_000, np.random.default_rng(7))
REPORT = evaluate_log(LoggedTable(LOG, 3000), uniform)
TRUTH = float(MEAN.mean())


@pytest.mark.parametrize("name", FORMULAS)
def test_every_estimate_is_within_five_errors_of_the_truth_of_a_linear_world(name: str) -> None:
    found = REPORT.estimate(name)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert abs(found.value - TRUTH) < 5 * (found.high - found.low) / 3.92
    assert ("interval joined with that of" in found.method) is (name in BIASED)


def test_a_biased_estimate_reaches_over_the_interval_of_the_unbiased_one() -> None:
    for name, other in BIASED.items():
        biased, unbiased = REPORT.estimate(name), REPORT.estimate(other)
        assert biased.low is not None and biased.high is not None  # noqa: PT018
        assert unbiased.low is not None and unbiased.high is not None  # noqa: PT018
        assert biased.low <= unbiased.low < unbiased.high <= biased.high


@pytest.mark.parametrize("seed", range(10))
def test_a_log_randomised_by_unit_is_not_accused(seed: int) -> None:
    """One fair coin per unit of 50 rows: the weights' mean strays by unit, not by row."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(200), 50)
    action = rng.integers(0, 2, 200)[unit]
    log = logged(action, np.full(10_000, 0.5), rng.normal(size=10_000), unit=unit)

    def always_one(batch: Logged) -> Floats:
        return np.tile([0.0, 1.0], (len(batch), 1))

    assert evaluate_log(LoggedTable(log), always_one).refusal is None


@pytest.mark.parametrize("odd", [np.inf, -np.inf, 1e300, np.nan])
def test_an_odd_feature_is_taken_as_missing(odd: float) -> None:
    features = LOG.features.copy()
    features[5, 1] = odd
    found = evaluate_log(LoggedTable(replace(LOG, features=features)), uniform, segments=True)
    for name in ("ips", "snips"):
        assert found.estimate(name).value == pytest.approx(REPORT.estimate(name).value, rel=1e-12)
    assert found.estimate("dr").value == pytest.approx(REPORT.estimate("dr").value, abs=1e-3)


@pytest.mark.parametrize(("constant", "low", "high"), [(1.0, 0.99, 1.0), (0.0, 0.0, 0.01)])
def test_a_reward_that_never_varies_has_wilsons_interval(constant: float, low: float, high: float) -> None:
    rng = np.random.default_rng(1)
    action = rng.integers(0, 2, 1000)
    log = logged(action, np.full(1000, 0.5), np.full(1000, constant))

    def mostly_one(batch: Logged) -> Floats:
        return np.tile([0.2, 0.8], (len(batch), 1))

    found = evaluate_log(LoggedTable(log), mostly_one).estimate("snips")
    assert found.value == pytest.approx(constant)
    assert found.low is not None
    assert found.high is not None
    assert low <= found.low <= found.high <= high


def test_a_policy_that_raises_is_named_as_the_cause() -> None:
    def broken(batch: Logged) -> Floats:
        raise RuntimeError("no model")

    with pytest.raises(EvidenceError, match="RuntimeError: no model"):
        evaluate_log(LoggedTable(LOG), broken)


def test_a_reward_model_that_fits_makes_the_interval_shorter() -> None:
    ips, dr = REPORT.estimate("ips"), REPORT.estimate("dr")
    assert ips.low is not None and ips.high is not None and dr.low is not None and dr.high is not None  # noqa: PT018
    assert dr.high - dr.low < 0.8 * (ips.high - ips.low)


def test_the_logged_value_is_the_mean_reward() -> None:
    assert REPORT.logged.value == pytest.approx(LOG.reward.mean())


def test_the_gain_is_the_judged_value_less_the_logged_one() -> None:
    snips, logged_value = REPORT.estimate("snips").value, REPORT.logged.value
    assert snips is not None
    assert logged_value is not None
    assert REPORT.judged == "snips"
    assert REPORT.gain is not None
    assert REPORT.gain.value == pytest.approx(snips - logged_value)


def test_the_sequence_is_wider_than_the_interval_of_one_look() -> None:
    one_look = REPORT.estimate("snips")
    assert REPORT.sequence is not None
    assert one_look.low is not None
    assert REPORT.sequence.low < one_look.low
    assert REPORT.units == pytest.approx(20_000, rel=0.06)


def test_threads_and_batches_do_not_change_the_numbers() -> None:
    again = evaluate_log(LoggedTable(LOG, 777), uniform, each=local(LoggedTable(LOG, 777), 1))
    for one, other in zip(REPORT.estimates, again.estimates, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), rel=1e-9)


def test_with_predictions_from_elsewhere_dr_is_judged() -> None:
    found = evaluate_log(LoggedTable(LOG), uniform, predictions=lambda batch: MEAN[batch.index])
    assert found.judged == "dr"
    assert found.estimate("dm").value == pytest.approx(TRUTH)


def test_without_propensities_estimates_are_assumed_and_shown_under_each_model() -> None:
    found = evaluate_log(LoggedTable(replace(LOG, propensity=np.full(len(LOG), np.nan))), uniform)
    assert all(each.assumed for each in found.estimates)
    assert next(each.model for each in found.models) == "logistic"
    assert found.estimate("snips").value == pytest.approx(TRUTH, abs=0.05)
    frequencies = next(each.value.value for each in found.models if each.model == "frequencies")
    assert frequencies is not None
    # Who ignores the situation gets the confounded answer, and the band shows it.
    assert abs(frequencies - TRUTH) > 0.05


def test_nothing_to_model_propensities_from_is_a_refusal() -> None:
    few = LOG.take(slice(0, 50))
    found = evaluate_log(LoggedTable(replace(few, propensity=np.full(50, np.nan))), uniform)
    assert found.refusal is not None
    assert found.refusal.why is Why.PROPENSITY_MISSING
    assert all(each.value is None for each in found.estimates)


def test_an_empty_log_is_a_refusal() -> None:
    found = evaluate_log(LoggedTable(LOG.take(slice(0, 0))), uniform)
    assert found.refusal is not None
    assert found.refusal.why is Why.EMPTY


def test_one_row_is_a_refusal() -> None:
    found = evaluate_log(LoggedTable(LOG.take(slice(0, 1))), uniform)
    assert found.refusal is not None
    assert all(each is not None and each.value is None for each in (*found.estimates, found.gain, found.logged))


def test_one_bad_row_refuses_all_and_the_logged_value_stays() -> None:
    propensity = LOG.propensity.copy()
    propensity[11] = 2.0
    found = evaluate_log(LoggedTable(replace(LOG, propensity=propensity)), uniform)
    assert found.refusal is not None
    assert found.refusal.why is Why.PROPENSITY_ILLEGAL
    assert {each.value for each in found.estimates} == {None}
    assert found.logged.value == pytest.approx(LOG.reward.mean())


def test_a_missing_reward_leaves_no_logged_value() -> None:
    reward = LOG.reward.copy()
    reward[11] = np.nan
    found = evaluate_log(LoggedTable(replace(LOG, reward=reward)), uniform)
    assert found.logged.value is None


def test_fewer_than_a_thousand_units_have_no_sequence() -> None:
    found = evaluate_log(LoggedTable(LOG.take(slice(0, 900))), uniform)
    assert found.estimate("snips").value is not None
    assert (found.sequence, found.sequence_reason) == (None, "1000 units needed, found 900")


def test_rare_rewards_have_no_sequence_and_say_why() -> None:
    rng = np.random.default_rng(1)
    n = 20_000
    clicks = logged(rng.integers(0, 2, n), np.full(n, 0.5), rng.random(n) < 0.001)
    found = evaluate_log(LoggedTable(clicks), uniform)
    assert found.sequence is None
    assert "skewness within 6" in found.sequence_reason


def test_few_clicks_get_an_interval_of_the_effective_number_of_decisions() -> None:
    rng = np.random.default_rng(1)
    n = 4000
    clicks = logged(rng.integers(0, 2, n), np.full(n, 0.5), rng.random(n) < 0.003)
    found = evaluate_log(LoggedTable(clicks), uniform)
    for name in ("ips", "snips", "dr", "sndr"):
        assert found.estimate(name).method.startswith("Wilson at ")
    assert found.logged.method.startswith("Wilson at ")
    assert found.estimate("clipped_ips").method.startswith("bootstrap-t")


def test_a_name_that_was_not_estimated_is_refused() -> None:
    with pytest.raises(EvidenceError, match="fqe"):
        REPORT.estimate("fqe")


def box_log(n: int, rng: np.random.Generator) -> Logged:
    """Actions normal around half the feature; reward falls with the squared distance from the feature."""
    x = rng.normal(size=(n, 1))
    action = 0.5 * x + rng.normal(size=(n, 1))
    density = np.exp(-((action - 0.5 * x)[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi)
    reward = -((action - x)[:, 0] ** 2) + 0.1 * rng.normal(size=n)
    batch = logged(np.zeros(n, dtype=np.int64), density, reward, features=x)
    return Logged(**{**vars(batch), "action": action, "labels": ()})


def test_box_actions_are_valued_by_kernels() -> None:
    def target(batch: Logged) -> Floats:
        return np.asarray(batch.features * 0.8)

    found = evaluate_log(LoggedTable(box_log(20_000, np.random.default_rng(0))), target)
    # Truth -(.2)^2 E x^2 = -.04; the kernel smooths by h^2 / 5, at most .08 for the widest chosen here.
    for name in ("ips", "snips", "dr", "sndr"):
        assert found.estimate(name).value == pytest.approx(-0.04, abs=0.05)
    assert found.logged.value == pytest.approx(-1.25, abs=0.05)


def test_box_actions_without_densities_are_refused() -> None:
    log = box_log(500, np.random.default_rng(0))
    found = evaluate_log(LoggedTable(replace(log, propensity=np.full(500, np.nan))), lambda batch: batch.action)
    assert found.refusal is not None
    assert "densit" in found.refusal.reason


def test_box_actions_in_batches_give_the_same_values() -> None:
    def target(batch: Logged) -> Floats:
        return np.asarray(batch.features * 0.8)

    log = box_log(3000, np.random.default_rng(2))
    one, many = evaluate_log(LoggedTable(log), target), evaluate_log(LoggedTable(log, 450), target)
    for name in ("ips", "snips", "dr"):
        assert one.estimate(name).value == pytest.approx(many.estimate(name).value, rel=1e-9)


def test_a_log_of_one_unit_has_no_interval_and_no_value() -> None:
    rng = np.random.default_rng(3)
    log = logged(rng.integers(0, 2, 400), np.full(400, 0.5), rng.normal(size=400), unit=np.zeros(400))
    found = evaluate_log(LoggedTable(log), uniform)
    assert {each.value for each in (*found.estimates, found.logged)} == {None}
    assert found.estimate("snips").reason == "1 unit(s)"
    assert found.sequence is None


def test_segments_are_asked_for_and_say_where_the_policy_is_better() -> None:
    rng = np.random.default_rng(4)
    x, action = rng.normal(size=(20_000, 1)), rng.integers(0, 2, 20_000)
    log = logged(action, np.full(20_000, 0.5), action * np.sign(x[:, 0]), features=x)

    def always_one(batch: Logged) -> Floats:
        return np.tile([0.0, 1.0], (len(batch), 1))

    assert evaluate_log(LoggedTable(log), always_one).segments == ()
    # Action 1 brings the sign of x, the coin half of it: half a point better above 0, half a point worse below.
    found = evaluate_log(LoggedTable(log, 3000), always_one, segments=True).segments
    assert {each.verdict for each in found} == {"better", "worse"}
    for each in found:
        assert each.effect is not None
        assert abs(each.effect.value) == pytest.approx(0.5, abs=0.05)
