"""When a search is offered, what it searches, and that luck in it is not believed; training itself is played."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenure.core.errors import SettingsError
from tenure.training import RECIPES, tuning
from tenure.training.race import Score, Standing, entering
from tenure.training.race.entering import Track
from tenure.training.recipes.ppo import PPOSettings
from tenure.training.settings import Settings
from tenure.training.tuning import on_plateau, tune

from .hot import hot_project

Entered = tuple[str, tuple[int, ...], float]


@pytest.fixture
def track(tmp_path: Path) -> Track:
    """Two seeds."""
    return Track(hot_project(tmp_path / "hot"), (1, 2), tmp_path / "home", lambda: 0.0, lambda _, __: None)


def play(
    monkeypatch: pytest.MonkeyPatch, gain: Callable[[str, Settings], float | None], excess: float = 0.0
) -> list[Entered]:
    """Every training ends with the gain the test wants; gives back what was entered."""
    entered = list[Entered]()

    def enter(track: Track, name: str, settings: Settings) -> tuple[Standing, Any]:
        entered.append((name, track.seeds, settings.learning_rate))
        value = gain(name, settings)
        if value is None:
            return Standing(name, 1, why="NaN"), None
        score = Score(value, value - 0.01, value + 0.01)
        return Standing(name, 1, 1, (value,) * 2, score, {"low": value, "high": value}, excess=excess), None

    for room in (tuning, entering):
        monkeypatch.setattr(room, "enter", enter)
    return entered


def test_a_curve_that_still_rises_is_no_plateau_whichever_way_is_better() -> None:
    rising = np.linspace(0, 1, 30).tolist()
    assert on_plateau(rising, 1) is False
    assert on_plateau(rising, -1) is True  # lower is better: it got worse, so more of it does not help
    assert on_plateau([-score for score in rising], -1) is False


def test_a_flat_curve_is_a_plateau_also_under_noise() -> None:
    assert on_plateau([1.0] * 12, 1) is True
    noise = np.random.default_rng(0).normal(size=60)
    assert on_plateau(noise.tolist(), 1) is True


def test_only_the_last_third_counts() -> None:
    assert on_plateau([*np.linspace(0, 1, 20), *[1.0, 1.01] * 5], 1) is True


def test_eleven_checkpoints_tell_nothing() -> None:
    assert on_plateau([1.0] * 11, 1) is None


def test_the_search_finds_the_better_settings_and_trains_them_on_fresh_seeds(
    track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gain(name: str, settings: Settings) -> float:
        return 0.5 - abs(math.log10(settings.learning_rate) + 3) / 4

    entered = play(monkeypatch, gain)
    found = tune(track, PPOSettings(learning_rate=9e-3), 15)
    assert abs(np.log10(found.chosen["learning_rate"]) + 3) < 0.2
    assert set(found.chosen) == {"learning_rate", "net", "entropy", "epochs"}
    assert [seeds for _, seeds, _ in entered[:15]] == [(1, 2)] * 15
    assert [(name, seeds) for name, seeds, _ in entered[15:]] == [("winner", (3, 4)), ("before", (3, 4))]
    assert entered[-1][2] == 9e-3
    assert found.believed
    assert found.regression == pytest.approx(0.0)


def test_luck_in_the_search_is_told_and_not_believed(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, lambda name, _: 0.3 if name == "trial-2" else 0.1)
    found = tune(track, PPOSettings(), 4)
    assert found.searched.name == "trial-2"
    assert found.regression == pytest.approx(0.2)
    assert not found.believed


def test_settings_that_break_a_limit_are_not_believed(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, lambda name, _: 0.1 if name == "before" else 0.5, excess=0.2)
    assert not tune(track, PPOSettings(), 2).believed


def test_trials_that_fail_are_passed_over(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, lambda name, _: None if name == "trial-0" else 0.1)
    assert tune(track, PPOSettings(), 3).searched.name in {"trial-1", "trial-2"}
    play(monkeypatch, lambda _, __: None)
    with pytest.raises(SettingsError, match="that can be trained"):
        tune(track, PPOSettings(), 2)


def test_equal_seeds_search_alike(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = play(monkeypatch, lambda _, __: 0.1), None
    tune(track, PPOSettings(), 3)
    second = play(monkeypatch, lambda _, __: 0.1)
    tune(track, PPOSettings(), 3)
    assert first == second


@pytest.mark.parametrize(("recipe", "expected"), [("bandit", "one of"), ("q_learning", "one of"), ("iql", "one of")])
def test_recipes_nothing_is_searched_for_are_refused(track: Track, recipe: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        tune(track, RECIPES[recipe].settings(), 2)


def test_every_recipe_that_is_searched_has_something_to_search() -> None:
    for name in tuning.NETWORKS:
        fields = RECIPES[name].settings.__dataclass_fields__
        assert {"learning_rate", "net"} <= set(fields) & set(tuning.RANGES)


def test_one_seed_is_refused(track: Track) -> None:
    one = Track(track.project, (1,), track.home, track.spent, track.watch)
    with pytest.raises(SettingsError, match="at least 2 seeds"):
        tune(one, PPOSettings(), 2)
