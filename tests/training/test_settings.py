"""Settings are checked when built."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import SettingsError
from tenure.training import RECIPES, PPOSettings, read_train_settings


def test_the_defaults_are_those_of_the_recipe() -> None:
    settings = PPOSettings()
    assert settings.worlds * settings.rollout % settings.batch == 0
    assert settings.checkpoint_every == 200
    assert settings.net == (64, 64)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"batch": 1000}, "batch=1000"),
        ({"steps": 100}, "at least 16,384 steps, those of one update"),
        ({"worlds": 0}, "worlds of at least 1"),
        ({"epochs": -1}, "epochs of at least 1"),
        ({"checkpoint_every": 0}, "checkpoint_every of at least 1"),
        ({"net": (64, 0)}, "net[1] of at least 1"),
        ({"batch": 1}, "batch of at least 2"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
        ({"learning_rate": float("nan")}, "learning_rate above 0"),
        ({"gae_lambda": 1.5}, "gae_lambda in [0, 1]"),
        ({"entropy": -0.1}, "entropy=-0.1"),
        ({"dual_rate": 0.0}, "dual_rate above 0"),
        ({"discount": 0.0}, "discount in (0, 1]"),
        ({"discount": 1.5}, "discount in (0, 1]"),
        ({"scale": "feet"}, "scale one of ['deviation', 'robust', 'none']"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        PPOSettings(**wrong)
    assert says in str(refused.value)
    assert refused.value.where == "settings of recipe 'ppo'"


def test_every_field_is_explained() -> None:
    for recipe in RECIPES.values():
        text = " ".join(parent.__doc__ or "" for parent in recipe.settings.__mro__)
        assert all(f"{field.name}:" in text for field in fields(recipe.settings)), recipe.name


def table(folder: Path, text: str) -> Path:
    """A tenure.toml of that text."""
    (folder / "tenure.toml").write_text(text)
    return folder / "tenure.toml"


def test_without_a_file_or_a_table_the_recipes_defaults_hold(tmp_path: Path) -> None:
    assert read_train_settings(tmp_path / "tenure.toml") == PPOSettings()
    assert read_train_settings(table(tmp_path, "[rollout]\nunit = 'x'\n")) == PPOSettings()


def test_the_table_goes_before_the_defaults(tmp_path: Path) -> None:
    found = read_train_settings(table(tmp_path, "[train]\nsteps = 3_000_000\nnet = [128, 64]\nlevel = 'easy'\n"))
    assert found == PPOSettings(steps=3_000_000, net=(128, 64), level="easy")


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("a = 1\n[train]\nstep = 5\n", ":2, train.step", "'disturbances', 'dual_rate'"),
        ("[train]\nwithout = ['x']\n", ":1, train.without", "one of"),
        ("[train]\nnet = [64, 'a']\n", ":1, train.net", "Expected `int`, got `str`"),
        ("[train]\nsteps = 5.5\n", ":1, train.steps", "Expected `int`"),
        ("\n\n[train]\nsteps = 5\n", ":3", "at least 16,384 steps, those of one update"),
        ("train = 3\n", "tenure.toml", "a table [train]"),
        ("[train\n", "tenure.toml", "a file of TOML"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line_and_key(tmp_path: Path, text: str, where: str, says: str) -> None:
    path = table(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        read_train_settings(path)
    assert refused.value.where.startswith(str(path))
    assert refused.value.where.endswith(where)
    assert says in str(refused.value)


def test_another_recipe_takes_from_the_table_only_what_is_about_the_problem(tmp_path: Path) -> None:
    path = table(tmp_path, "[train]\nrecipe = 'ppo'\nlevel = 'easy'\n[train.ppo]\nbatch = 1024\n")
    assert read_train_settings(path) == PPOSettings(level="easy", batch=1024)
    with pytest.raises(SettingsError, match="one of the recipes"):
        read_train_settings(path, "sarsa")
