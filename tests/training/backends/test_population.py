"""A population of PPO: members keep their names, copy better ones whole, and leave one bundle each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from tenure.core.errors import SettingsError
from tenure.core.reward import KPI
from tenure.store import load_bundle
from tenure.training import CurvePoint, PPOSettings, read_record, train
from tenure.training.backends import Where, run_jobs
from tenure.training.backends.population import Member, merit
from tenure.training.ground import Ground

from ..mortal import MORTAL, die_once
from ..recipes.grounds import ground
from ..tiny import GUARDED, TINY, project_with
from .ground import jobs_in, learner, point


def a_member(folder: Path, seed: int, left_at: Path | None = None) -> tuple[Ground, Member]:
    project = project_with(folder / f"project-{seed}", GUARDED)
    standing = ground(project, TINY, folder / f"seed-{seed}", seed)
    assert isinstance(TINY, PPOSettings)
    return standing, Member(standing, TINY, left_at)


def test_a_copy_answers_as_the_member_it_was_copied_from(tmp_path: Path) -> None:
    """Weights without the normaliser they were learned with would be another policy."""
    theirs, better = a_member(tmp_path, 1)
    better.model.learn(better.per_update, reset_num_timesteps=False)
    scored = better.score(1)
    (tmp_path / "left").mkdir()
    better.save(tmp_path / "left")
    ours, copy = a_member(tmp_path, 2, tmp_path / "left")
    assert (ours.normaliser.mean == theirs.normaliser.mean).all()
    assert copy.model.num_timesteps == better.model.num_timesteps == scored.steps
    assert copy.turn == 1
    assert copy.score(2).score == scored.score
    assert ours.watch.curve[0] == scored


def test_worlds_of_a_later_turn_are_other_worlds(tmp_path: Path) -> None:
    theirs, better = a_member(tmp_path, 1)
    better.score(1)
    (tmp_path / "left").mkdir()
    better.save(tmp_path / "left")
    again, _ = a_member(tmp_path / "again", 1, tmp_path / "left")
    assert again.seed != theirs.seed


@pytest.mark.parametrize(("direction", "better", "worse"), [("lower", 2.0, 3.0), ("higher", 3.0, 2.0)])
def test_merit_ranks_as_checkpoints_are_ranked(
    direction: Literal["lower", "higher"], better: float, worse: float
) -> None:
    kpi = KPI("lost", "rentals", direction, {"lost": 1.0})
    points = [point(1, better), point(1, worse)]
    broken = [CurvePoint(1, 1, 0.0, better, 0.5, 0.1, excess=excess) for excess in (0.01, 0.5)]
    ranked = [*points, *broken]
    assert (
        sorted(ranked, key=lambda p: -merit(kpi, p))
        == sorted(ranked, key=lambda p: p.merit(kpi), reverse=True)
        == ranked
    )


def test_only_ppo_has_a_population(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="recipe ppo"):
        run_jobs(learner("bikes"), jobs_in(tmp_path, 2), print, Where("ray", population=2))


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_population_copies_and_varies_and_is_recorded_as_any_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    project, home = project_with(tmp_path / "project", GUARDED), tmp_path / "home"
    where = Where("ray", cpus_per_job=0.5, population=2)
    record = train(project, TINY, (1, 2), home, "pop", where=where)
    assert read_record(home / "runs" / "pop") == record
    assert [seed.seed for seed in record.seeds] == [1, 2]
    for seed in record.seeds:
        assert load_bundle(home / "bundles" / seed.version, project.problem)
        assert seed.curve[-1].steps == TINY.steps
        assert len(seed.curve) == 4  # a turn per update: TINY has no more
    run = home / "runs" / "pop"
    ahead, behind = (json.loads((run / f"seed-{seed}" / "varied.json").read_text()) for seed in (1, 2))
    assert ahead[:3] == behind[:3]  # whoever was behind after turn 3 copied the other, its history with it
    assert ahead[3] != behind[3]  # and went on with settings of its own


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_member_whose_process_is_killed_goes_on_and_the_population_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    project = project_with(tmp_path / "project", MORTAL)
    die_once(project, 4, 300, 1_000)  # a member's worlds and their scores are shared by several processes
    record = train(project, TINY, (1, 2), tmp_path / "home", "pop", where=Where("ray", 0.5, population=2, retries=1))
    assert not (tmp_path / "project" / "die").exists()  # it was
    assert [seed.curve[-1].steps for seed in record.seeds] == [TINY.steps, TINY.steps]
