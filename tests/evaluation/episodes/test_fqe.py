"""Fitted Q evaluation: tables worked by hand, a known continuous process, and logs that say too little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.fqe import FittedQ, crossfitted, fitted_q, poisson_counts
from tenure.evaluation.episodes.regressors import Regressor, TabularMean
from tenure.evaluation.episodes.trajectories import FORMULAS
from tenure.evaluation.episodes.transitions import Transitions
from tenure.evaluation.episodes.values import EpisodeValue
from tenure.evaluation.off_policy.reward_model import fold_of


def table(_: int) -> Regressor:
    return TabularMean()


def ridge(seed: int) -> Regressor:
    from sklearn.linear_model import Ridge

    model: Regressor = Ridge(alpha=1e-6)
    return model


def log(episode: Any, step: Any, features: Any, action: Any, reward: Any, **columns: Any) -> Logged:
    n = len(reward)
    given: dict[str, Any] = {
        "index": np.arange(n),
        "decision_id": np.arange(n).astype(object),
        "unit": np.asarray(episode, dtype=np.uint64),
        "action": np.asarray(action, dtype=np.int64),
        "propensity": np.full(n, 0.5),
        "reward": np.asarray(reward, dtype=np.float64),
        "features": np.asarray(features, dtype=np.float64).reshape(n, -1),
        "names": ("x",),
        "labels": ("a", "b"),
        "episode": np.asarray(episode, dtype=np.uint64),
        "step": np.asarray(step, dtype=np.int64),
    }
    return Logged(**(given | columns))


def by_hand() -> tuple[Logged, Floats]:
    """Two episodes of two steps in states 0 and 1; the target takes b with .25 in state 0 and with .5 in state 1."""
    rows = log([1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 8])
    return rows, np.tile([[0.75, 0.25], [0.5, 0.5]], (3, 1))


def test_two_rounds_worked_by_hand() -> None:
    # Q(1, a) = 2, Q(1, b) = (4 + 8) / 2 = 6, V(1) = 4.
    # Q(0, a) = (1 + 3) / 2 + 0.5 * 4 = 4, Q(0, b) = 5 + 0.5 * 4 = 7, V(0) = 0.75 * 4 + 0.25 * 7 = 4.75.
    rows, p = by_hand()
    model = fitted_q(Transitions.from_logged(rows, p), 0.5, 2, table)
    states = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert model.q(states, np.array([0, 1, 0, 1])).tolist() == [4, 7, 2, 6]
    assert model.v(states[::2], p[:2]).tolist() == [4.75, 4]


def test_one_round_sees_no_future() -> None:
    rows, p = by_hand()
    model = fitted_q(Transitions.from_logged(rows, p), 0.5, 1, table)
    assert model.q(np.zeros((2, 1)), np.array([0, 1])).tolist() == [2, 5]


def test_a_cut_episode_goes_on_and_an_ended_one_does_not() -> None:
    # One state, one reward of 1 for ever. Ended after two steps: 1 + 0.5 on the first, but both steps share the state:
    # Q -> (1 + 0.5 Q + 1) / 2, Q = 4/3. Cut: the last row is only a state, Q -> 1 + 0.5 Q, Q = 2.
    rows = log([1, 1], [0, 1], [0, 0], [0, 0], [1, 1])
    p = np.tile([1.0, 0.0], (2, 1))
    ended = fitted_q(Transitions.from_logged(rows, p), 0.5, 60, table)
    cut = fitted_q(Transitions.from_logged(rows, p, cut=np.array([1], dtype=np.uint64)), 0.5, 60, table)
    at = np.zeros((1, 1)), np.array([0])
    assert ended.q(*at)[0] == pytest.approx(4 / 3)
    assert cut.q(*at)[0] == pytest.approx(2)


def test_a_lost_reward_in_the_last_row_of_a_cut_episode_does_not_count() -> None:
    logged, p, _ = walk(200)
    last = np.append(np.diff(np.asarray(logged.episode)) != 0, True)
    lost = np.where(last, np.nan, logged.reward)
    rows = log(logged.episode, logged.step, logged.features, logged.action, lost)
    found = FittedQ(ridge, 0.3)
    found.update(rows, p, cut=np.unique(np.asarray(rows.episode)))
    assert found.result().value is not None
    refused = FittedQ(ridge, 0.3)
    refused.update(rows, p)
    assert "rewards are missing" in refused.result().reason


def walk(episodes: int, seed: int = 1, target_b: float = 0.8) -> tuple[Logged, Floats, float]:
    """Three steps x -> 0.5 x + action + noise from x ~ N(0, 1), reward x + 2 action, a fair coin logs.

    Under P(b) = .8: E x = 0, .8, 1.2; rewards sum to 0 + .8 + 1.2 + 3 * 1.6 = 6.8.
    """
    rng = np.random.default_rng(seed)
    x, features, actions, rewards = rng.normal(size=episodes), [], [], []
    for _ in range(3):
        action = rng.integers(0, 2, episodes)
        features.append(x)
        actions.append(action)
        rewards.append(x + 2 * action + 0.1 * rng.normal(size=episodes))
        x = 0.5 * x + action + 0.1 * rng.normal(size=episodes)
    step = np.tile(np.arange(3), episodes)
    # The step is a feature: how much is still to come depends on it.
    state = np.stack([np.stack(features, axis=1).ravel(), step == 1, step == 2], axis=1)
    actions_, rewards_ = np.stack(actions, axis=1).ravel(), np.stack(rewards, axis=1).ravel()
    rows = log(np.repeat(np.arange(episodes), 3), step, state, actions_, rewards_)
    return rows, np.tile([1 - target_b, target_b], (len(rows), 1)), 6.8


def test_the_default_finds_the_value_of_a_known_process_within_the_bias_of_its_trees() -> None:
    # The logging policy's value is 0 + .5 + .75 + 3 = 4.25.
    rows, p, truth = walk(150)
    found = FittedQ()
    found.update(rows, p)
    answer = found.result()
    assert answer.value is not None
    assert answer.value == pytest.approx(truth, abs=0.5)
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low < answer.value < answer.high
    assert 0.3 < answer.high - answer.low < 1.5
    assert "bias is not in it" in answer.method
    assert (answer.estimator, answer.n, answer.cluster) == ("fqe", 150, "unit")
    # Single steps: weights 1.6 and 0.4, half each; (mean)^2 / mean square = 1 / 1.36.
    assert answer.ess == pytest.approx(450 / 1.36, rel=0.05)
    assert answer.max_weight == pytest.approx(1.6)


def test_batches_and_their_order_do_not_change_the_answer() -> None:
    rows, p, _ = walk(150)
    once = FittedQ(ridge)
    once.update(rows, p)
    merged, late = FittedQ(ridge), FittedQ(ridge)
    # Even an episode may come in two parts: rows are kept.
    merged.update(rows.take(slice(200, None)), p[200:])
    late.update(rows.take(slice(0, 200)), p[:200])
    merged.merge(late)
    assert merged.result(seed=3) == once.result(seed=3)
    assert merged.result(seed=4) != once.result(seed=3)


def test_an_interval_holds_the_chance_of_the_fit_where_all_episodes_start_alike() -> None:
    # One state, one step, a fair coin, rewards N(0, 1): the value .2 mean_a + .8 mean_b has the standard error
    # sqrt((.04 + .64) / 200) = .0583; t over 20 refits is 2 * 2.093 * .0583 = .244 wide, and a standard deviation
    # over 20 is right within a factor 1.6.
    rng, n = np.random.default_rng(9), 400
    rows = log(np.arange(n), np.zeros(n), np.zeros(n), rng.integers(0, 2, n), rng.normal(size=n))
    found = FittedQ(table)
    found.update(rows, np.tile([0.2, 0.8], (n, 1)))
    answer = found.result()
    assert answer.low is not None
    assert answer.high is not None
    assert 0.244 / 1.6 < answer.high - answer.low < 0.244 * 1.6


def test_cut_episodes_stay_cut_when_accumulators_merge() -> None:
    rows, p, _ = walk(150)
    cut = np.arange(50, dtype=np.uint64)
    once, first, second = (FittedQ(ridge, 0.5) for _ in range(3))
    once.update(rows, p, cut)
    half = np.asarray(rows.episode) < 75
    first.update(rows.take(half), p[half])
    second.update(rows.take(~half), p[~half], np.arange(100, 150, dtype=np.uint64))
    whole = FittedQ(ridge, 0.5)
    whole.update(rows, p, np.arange(100, 150, dtype=np.uint64))
    first.merge(second)
    assert first.result() == whole.result()
    assert first.result() != once.result()


def test_intervals_hold_over_logs() -> None:
    # At least 89 of 100 nominal 95 % intervals, as in tests/statistics.
    held = 0
    for seed in range(100):
        rows, p, truth = walk(60, seed=seed)
        found = FittedQ(by_step)
        found.update(rows, p)
        answer = found.result()
        assert answer.low is not None
        assert answer.high is not None
        held += answer.low <= truth <= answer.high
    assert held >= 89


class ByStep:
    """Least squares of its own for every step: exact for `walk`."""

    def fit(self, x: Floats, y: Floats) -> None:
        self.slopes = np.linalg.lstsq(self.terms(x), y)[0]

    def predict(self, x: Floats) -> Any:
        return self.terms(x) @ self.slopes

    @staticmethod
    def terms(x: Floats) -> Floats:
        step = np.stack([1 - x[:, 1] - x[:, 2], x[:, 1], x[:, 2]], axis=1)
        return np.concatenate([step, step * x[:, :1], step * x[:, 4:]], axis=1)


def by_step(seed: int) -> Regressor:
    return ByStep()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"reward": np.nan}, "rewards are missing"),
        ({"propensity": np.nan}, "no propensity"),
        ({"propensity": 1.5}, "outside"),
    ],
)
def test_one_illegal_row_gives_no_number(changed: dict[str, float], reason: str) -> None:
    rows, p, _ = walk(100)
    [(column, value)] = changed.items()
    getattr(rows, column)[5] = value
    found = FittedQ(ridge)
    found.update(rows, p)
    answer = found.result()
    assert (answer.value, answer.n) == (None, 100)
    assert reason in answer.reason


def test_too_little_support_gives_no_number() -> None:
    assert "no usable row" in FittedQ().result().reason
    rows, p, _ = walk(100)
    only_a = FittedQ(ridge)
    only_a.update(log(rows.episode, rows.step, rows.features, np.zeros(300), rows.reward), p)
    assert "never taken" in only_a.result().reason
    certain = FittedQ(ridge)
    certain.update(log(rows.episode, rows.step, rows.features, rows.action, rows.reward, propensity=np.ones(300)), p)
    assert "probability 1" in certain.result().reason
    few = FittedQ(ridge)
    few.update(*walk(20)[:2])
    assert "at least 100 needed" in few.result().reason
    one = FittedQ(ridge)
    unit = np.zeros(300, dtype=np.uint64)
    one.update(log(rows.episode, rows.step, rows.features, rows.action, rows.reward, unit=unit), p)
    assert "one unit" in one.result().reason


def test_discounts_must_be_possible_and_alike() -> None:
    with pytest.raises(EvidenceError, match="discount in"):
        FittedQ(discount=0.0)
    with pytest.raises(EvidenceError, match=r"0\.5"):
        FittedQ(discount=0.9).merge(FittedQ(discount=0.5))


def test_cross_fitted_models_have_not_seen_the_unit_they_value() -> None:
    rows, p, _ = walk(40)
    # One unit's rewards become enormous: only the other half's values may move.
    spoiled = np.where(np.asarray(rows.unit) == 7, 1e6, rows.reward)
    other = log(rows.episode, rows.step, rows.features, rows.action, spoiled)
    before, after = (crossfitted(Transitions.from_logged(each, p), 1.0, ridge) for each in (rows, other))
    fold = fold_of(np.asarray(rows.unit))
    mine = fold == fold[np.asarray(rows.unit) == 7][0]
    for one, two in zip(before, after, strict=True):
        assert np.array_equal(one[mine], two[mine])
        assert (np.abs(one - two)[~mine] > 1).all()


def test_cross_fitted_values_come_in_the_order_of_the_log() -> None:
    rows, p, _ = walk(20)
    order = np.random.default_rng(2).permutation(len(rows))
    sorted_ones = crossfitted(Transitions.from_logged(rows, p), 1.0, ridge)
    shuffled = crossfitted(Transitions.from_logged(rows.take(order), p[order]), 1.0, ridge)
    for one, two in zip(sorted_ones, shuffled, strict=True):
        assert two == pytest.approx(one[order])


def test_cross_fitted_values_make_the_doubly_robust_estimate_narrow() -> None:
    rows, p, truth = walk(400)
    q, v = crossfitted(Transitions.from_logged(rows, p), 1.0, by_step)
    found = []
    for name in ("dr", "pdis"):
        estimator = EpisodeValue(FORMULAS[name])
        estimator.update(Episodes.from_logged(rows, p, q=q, v=v))
        found.append(estimator.result())
    dr, pdis = found
    assert dr.low is not None
    assert dr.high is not None
    assert pdis.low is not None
    assert pdis.high is not None
    assert dr.low < truth < dr.high
    assert dr.high - dr.low < 0.5 * (pdis.high - pdis.low)


def test_one_unit_cannot_be_cross_fitted() -> None:
    rows, p, _ = walk(10)
    unit = np.zeros(30, dtype=np.uint64)
    alone = log(rows.episode, rows.step, rows.features, rows.action, rows.reward, unit=unit)
    with pytest.raises(EvidenceError, match="one half is empty"):
        crossfitted(Transitions.from_logged(alone, p))


def test_resamples_depend_on_the_unit_alone_and_are_poisson() -> None:
    unit = np.arange(20_000, dtype=np.uint64)
    drawn = poisson_counts(unit, 0, 3)
    assert np.array_equal(poisson_counts(unit[::-1], 0, 3), drawn[::-1])
    assert not np.array_equal(poisson_counts(unit, 0, 4), drawn)
    assert not np.array_equal(poisson_counts(unit, 1, 3), drawn)
    # Mean and variance 1, and e^-1 = .368 left out; four standard errors are about .028, .07 and .014.
    assert drawn.mean() == pytest.approx(1, abs=0.028)
    assert drawn.var() == pytest.approx(1, abs=0.07)
    assert (drawn == 0).mean() == pytest.approx(0.368, abs=0.014)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 5.0])
def test_an_impossible_error_rate_is_refused(alpha: float) -> None:
    with pytest.raises(EvidenceError, match="alpha in"):
        FittedQ().result(alpha)
