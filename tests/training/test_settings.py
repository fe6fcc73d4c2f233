"""Settings are checked when built."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tenure.core.errors import SettingsError
from tenure.training import PPOSettings


def test_the_defaults_are_those_of_the_recipe() -> None:
    settings = PPOSettings()
    assert settings.worlds * settings.rollout % settings.batch == 0
    assert settings.checkpoint_every == 200
    assert settings.net == (64, 64)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"batch": 1000}, "batch=1000"),
        ({"steps": 100}, "steps >= worlds * rollout = 16384"),
        ({"worlds": 0}, "positive sizes"),
        ({"epochs": -1}, "positive sizes"),
        ({"checkpoint_every": 0}, "positive sizes"),
        ({"net": (64, 0)}, "positive sizes"),
        ({"batch": 1}, "batch of at least 2"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
        ({"learning_rate": float("nan")}, "learning_rate above 0"),
        ({"gae_lambda": 1.5}, "gae_lambda in [0, 1]"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        PPOSettings(**wrong)
    assert says in str(refused.value)
    assert refused.value.where == "settings of the PPO recipe"


def test_every_field_is_explained() -> None:
    text = PPOSettings.__doc__ or ""
    assert all(f"{field.name}:" in text for field in fields(PPOSettings))
