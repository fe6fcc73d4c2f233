"""The weight of the entropy bonus falls as the settings say, and never touches a learner that keeps it."""

from __future__ import annotations

import pytest

from tenure.core.errors import SettingsError
from tenure.training.exploration import Decay
from tenure.training.recipes.a2c import A2CSettings
from tenure.training.recipes.ppo import PPOSettings, entropy_of
from tenure.training.stable import fading


class Learner:
    """Half of its training is done."""

    _current_progress_remaining = 0.5
    ent_coef = 0.7


def test_before_a_rollout_the_weight_is_that_of_the_schedule() -> None:
    learner, (callback,) = Learner(), fading(entropy_of(PPOSettings(entropy=0.1, entropy_last=0.02)))
    callback.model = learner  # type: ignore[assignment]
    callback.on_rollout_start()
    assert learner.ent_coef == pytest.approx(0.06)


def test_without_a_last_weight_nothing_is_set() -> None:
    assert fading(entropy_of(A2CSettings(entropy=0.1))) == []
    assert entropy_of(A2CSettings(entropy=0.1, entropy_last=0.0)) == Decay(0.1, 0.0)


@pytest.mark.parametrize("settings", [PPOSettings, A2CSettings])
def test_a_negative_weight_is_refused(settings: type[PPOSettings] | type[A2CSettings]) -> None:
    with pytest.raises(SettingsError, match="entropy_last"):
        settings(entropy_last=-0.1)
