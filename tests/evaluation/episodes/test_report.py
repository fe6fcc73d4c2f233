"""Valuing a policy per episode: all estimators in one report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.logs import logged

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, LoggedTable
from tenure.evaluation.episodes.report import evaluate_episodes
from tenure.evaluation.off_policy.support import Why


def walk(episodes: int, seed: int = 0) -> tuple[Logged, Floats]:
    """Episodes of 2 to 4 steps; action 1 pays where x > 0, action 0 elsewhere, plus noise; x comes back to 0."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, float, int, float, float]] = []
    for episode in range(episodes):
        x = rng.normal()
        for step in range(2 + episode % 3):
            one = 0.5 + 0.2 * np.tanh(x)
            action = int(rng.random() < one)
            reward = float(action == (x > 0)) + 0.1 * rng.normal()
            rows.append((episode, step, x, action, one if action else 1 - one, reward))
            x = 0.8 * x + 0.5 * rng.normal()
    episode_id, step_number, x_column, actions, propensity, rewards = map(np.array, zip(*rows, strict=True))
    found = logged(actions, propensity, rewards, features=x_column[:, None], unit=episode_id)
    return replace(found, episode=episode_id.astype(np.uint64), step=step_number), x_column


def best(batch: Logged) -> Floats:
    """The paying action four times in five."""
    one = np.where(batch.features[:, 0] > 0, 0.8, 0.2)
    return np.stack([1 - one, one], axis=1)


LOG, _ = walk(1000)
REPORT = evaluate_episodes(LoggedTable(LOG), best)


@pytest.mark.parametrize("name", ["tis", "pdis", "wis", "pdwis", "dr", "fqe"])
def test_every_estimator_comes_near_the_truth(name: str) -> None:
    # 3 steps an episode on average, .8 each: 2.4. FQE only by knowing the step, for episodes end at different ones.
    found = REPORT.estimate(name)
    assert found.value == pytest.approx(2.4, abs=0.15)
    assert found.n == 1000


def test_the_logged_value_is_the_mean_return() -> None:
    assert REPORT.logged.value == pytest.approx(LOG.reward.sum() / 1000)
    assert REPORT.judged == "pdwis"
    assert REPORT.gain is None


def test_shuffled_rows_give_the_same_values() -> None:
    rows = np.random.default_rng(1).permutation(len(LOG))
    again = evaluate_episodes(LoggedTable(LOG.take(rows), 100), best)
    for name in ("tis", "pdis", "wis", "pdwis"):
        assert again.estimate(name).value == pytest.approx(REPORT.estimate(name).value)


def test_discount_makes_later_steps_count_less() -> None:
    found = evaluate_episodes(LoggedTable(LOG), best, discount=0.5)
    # .8 (1 + .5) for a third, plus .25 and .125 for the longer two thirds.
    truth = 0.8 * (1.5 + 2 / 3 * 0.25 + 1 / 3 * 0.125)
    assert found.estimate("pdwis").value == pytest.approx(truth, abs=0.06)


def test_predictions_from_elsewhere_make_dr_the_judge() -> None:
    left = 2.0 + (LOG.episode.astype(int) % 3 if LOG.episode is not None else 0) - (0 if LOG.step is None else LOG.step)
    q = np.stack([0.8 * (left - 1) + (LOG.features[:, 0] <= 0), 0.8 * (left - 1) + (LOG.features[:, 0] > 0)], axis=1)
    found = evaluate_episodes(LoggedTable(LOG), best, predictions=lambda batch: q[batch.index])
    assert found.judged == "dr"
    assert found.estimate("dr").value == pytest.approx(2.4, abs=0.06)


def test_without_propensities_the_answer_is_assumed() -> None:
    few, _ = walk(400)
    found = evaluate_episodes(LoggedTable(replace(few, propensity=np.full(len(few), np.nan))), best)
    assert all(each.assumed for each in found.estimates)
    assert {each.model for each in found.models} == {"frequencies", "logistic", "boosted"}


def test_nothing_to_model_them_from_is_a_refusal() -> None:
    few = LOG.take(slice(0, 40))
    found = evaluate_episodes(LoggedTable(replace(few, propensity=np.full(40, np.nan))), best)
    assert found.refusal is not None
    assert found.refusal.why is Why.PROPENSITY_MISSING


def test_an_empty_log_is_a_refusal() -> None:
    found = evaluate_episodes(LoggedTable(LOG.take(slice(0, 0))), best)
    assert found.refusal is not None
    assert found.refusal.why is Why.EMPTY
    assert found.estimate("pdwis").value is None


def test_a_missing_reward_refuses_all_and_the_logged_value() -> None:
    reward = LOG.reward.copy()
    reward[3] = np.nan
    found = evaluate_episodes(LoggedTable(replace(LOG, reward=reward)), best)
    assert found.refusal is not None
    assert found.refusal.why is Why.REWARD_MISSING
    assert {each.value for each in (*found.estimates, found.logged)} == {None}


def test_a_single_episode_is_refused_without_an_error() -> None:
    found = evaluate_episodes(LoggedTable(LOG.take(slice(0, 2))), best)
    assert {each.value for each in (*found.estimates, found.logged)} == {None}


def test_a_missing_step_is_named() -> None:
    with pytest.raises(EvidenceError, match="no step 1"):
        evaluate_episodes(LoggedTable(LOG.take(np.arange(len(LOG)) != 3)), best)
