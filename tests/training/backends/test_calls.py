"""Contestants and trials of a search on one small Ray: they come to what they come to in processes of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProjectError
from tenure.training.backends import Where
from tenure.training.backends.calls import Answer, called
from tenure.training.backends.cluster import on_ray
from tenure.training.race.entering import Track, enter_all
from tenure.training.recipes.ppo import PPOSettings
from tenure.training.tuning import tune

from ..hot import hot_project

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("ray")]  # Ray's own
SMALL = PPOSettings(steps=128, worlds=16, rollout=4, batch=64, epochs=2, checkpoint_every=1)
RAY = Where("ray", cpus_per_job=0.5)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """One Ray of our own for the module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with on_ray() as session:
            yield session


def track(folder: Path, where: Where) -> Track:
    return Track(hot_project(folder / "hot"), (1, 2), folder / where.backend, lambda: 0.0, lambda _, __: None, where)


def test_contestants_on_ray_stand_as_they_stand_here(tmp_path: Path) -> None:
    entered = {"fast": SMALL, "slow": replace(SMALL, learning_rate=1e-5)}
    there = enter_all(track(tmp_path, RAY), entered)
    here = enter_all(track(tmp_path, Where()), entered)
    assert [replace(one, core_s=0.0) for one, _ in there] == [replace(one, core_s=0.0) for one, _ in here]
    assert there[0][0].core_s > 0  # counted where it was used
    assert [one.name for one, _ in there] == ["fast", "slow"]


def test_a_search_on_ray_tries_as_many_settings_and_keeps_the_best_of_them(tmp_path: Path) -> None:
    found = tune(track(tmp_path, RAY), SMALL, 2)
    runs = {path.parent.name for path in (tmp_path / "ray" / "runs").glob("*/record.json")}
    assert sum(name.startswith("trial-") for name in runs) == 2
    assert {"winner-128", "before-128"} <= runs
    assert set(found.chosen) == {"learning_rate", "net", "entropy", "epochs"}
    assert found.searched.score is not None


def test_answers_come_in_the_order_asked_and_nothing_else_is_left(tmp_path: Path) -> None:
    assert called(lambda n: Answer(n * n), [3, 1, 2], RAY, 0.5, tmp_path) == [9, 1, 4]
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_fails_is_a_clear_error(tmp_path: Path) -> None:
    def work(_: int) -> Answer:
        raise ValueError("the world has no bikes")

    with pytest.raises(ProjectError, match="the world has no bikes"):
        called(work, [1], replace(RAY, retries=0), 0.5, tmp_path)
