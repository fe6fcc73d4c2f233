"""Bootstrapped ensembles: exact about chance, sure where the data is, at odds where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tenure.core.errors import SettingsError
from tenure.training.bandit_models import RidgeModel, encoding
from tenure.training.exploration.ensemble import BootstrapBandit

ARMS = np.zeros((1, 0), dtype=np.float32)


def bandit(members: int = 40, actions: int = 3, floor: float = 0.01, prior: float = 1.0) -> BootstrapBandit:
    """Plain arms, nothing known."""
    models = [RidgeModel(1, actions) for _ in range(members)]
    return BootstrapBandit(models, encoding((), {}), np.random.default_rng(3), floor, prior)


def taught(found: BootstrapBandit, rows: int) -> BootstrapBandit:
    """The second of three arms pays 1 more, all tried equally often."""
    action = np.arange(rows) % 3
    noise = np.random.default_rng(4).standard_normal(rows)
    found.update(np.zeros((rows, 0), dtype=np.float32), action, (action == 1) + noise)
    return found


def test_with_no_data_members_choose_by_their_own_first_values() -> None:
    """Of 400 members with independent first values each arm leads in a third, within four standard errors of .024."""
    share = bandit(members=400, floor=1e-9).distribution(ARMS)[0]
    assert np.abs(share - 1 / 3).max() < 4 * 0.024


def test_with_much_data_members_agree_on_the_best() -> None:
    assert taught(bandit(), 3000).distribution(ARMS)[0].tolist() == pytest.approx([0.01 / 3, 0.99 + 0.01 / 3, 0.01 / 3])


def test_poisson_weights_spread_the_means_as_the_bootstrap_does() -> None:
    """Of 1,000 rows of one arm the mean's standard error is that of the noise / sqrt(1000), within a fifth."""
    found = bandit(members=400, actions=1, prior=0.0)
    reward = np.random.default_rng(5).standard_normal(1000)
    found.update(np.zeros((1000, 0), dtype=np.float32), np.zeros(1000, dtype=np.int64), reward)
    spread = np.std([posterior.coefficients[0, 0] for posterior in found.posteriors])
    assert spread == pytest.approx(reward.std() / np.sqrt(1000), rel=0.2)


def test_what_is_logged_is_the_frequency_of_what_is_done() -> None:
    """Chi-square over 20,000 draws, p above .001; the seed is fixed."""
    found, n = taught(bandit(), 30), 20_000
    proposal = found.propose(np.repeat(ARMS, n, axis=0), None, np.random.default_rng(6).random(n))
    count = np.bincount(proposal.action, minlength=3)
    assert stats.chisquare(count, n * found.distribution(ARMS)[0]).pvalue > 0.001


def test_what_is_forbidden_has_no_chance_and_the_rest_has_some() -> None:
    chance = taught(bandit(), 300).distribution(ARMS, np.array([[True, False, True]]))[0]
    assert chance[1] == 0
    assert min(chance[0], chance[2]) >= 0.005
    assert chance.sum() == pytest.approx(1)


def test_versions_follow_what_was_learned() -> None:
    found = bandit()
    before = found.version
    assert taught(found, 3).version != before


@pytest.mark.parametrize("wrong", [{"members": 1}, {"floor": 0.0}, {"prior": -1.0}])
def test_an_ensemble_that_cannot_explore_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        bandit(**wrong)  # type: ignore[arg-type]
