"""A log as something to learn from: what is kept back, where episodes end, what is unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.corridor import Mixed, corridor, log_of

from tenure.core import KPI, Constraint, Discrete, Feature, Problem, Reward, Signal, Term
from tenure.core.errors import DataError, SettingsError
from tenure.core.residual import Residual
from tenure.core.trajectories import Trajectories
from tenure.training.offline import (
    anchored,
    digest_of,
    kept_back,
    normaliser_of,
    open_halves,
    some_rows,
    steps_of,
    told,
)
from tenure.training.recipes.cloning import CloningSettings

PROBLEM = Problem(
    name="pump",
    about="Run or rest.",
    observation=(Feature("heat", "C", 0, 100), Feature("wind", "m/s", 0, 50, default=3.0)),
    action=Discrete(("rest", "run")),
    signals=(Signal("cost", "$", 0, 10),),
    reward=Reward((Term("cost", -2.0, "points/$", "it costs"),)),
    kpis=(KPI("cost", "$", "lower", {"cost": 1.0}),),
    horizon=4,
    discount=0.9,
)


def log(**columns: Any) -> Trajectories:
    """Two episodes: three steps, and four, which is the horizon."""
    given: dict[str, Any] = {
        "observation": np.column_stack([np.arange(7.0), np.full(7, 5.0)]),
        "names": ("heat", "wind"),
        "action": np.array([0, 1, 0, 1, 0, 1, 0]),
        "signals": {"cost": np.arange(7.0)},
        "episode": np.array([0, 0, 0, 1, 1, 1, 1]),
        "step": np.array([0, 1, 2, 0, 1, 2, 3]),
        "propensity": np.full(7, 0.5),
        "world": ("a", "b"),
    }
    return Trajectories(**(given | columns))


def steps(found: Trajectories, problem: Problem = PROBLEM, *, ends: bool | None = None, worlds_end: bool = True) -> Any:
    return steps_of(found, problem, problem.reward, ends=ends, worlds_end=worlds_end)


def test_an_episode_that_stops_before_the_horizon_ended_and_one_at_the_horizon_was_cut_off() -> None:
    found = steps(log())
    assert found.ended.tolist() == [False, False, True, False, False, False, False]
    assert found.known.tolist() == [True, True, True, True, True, True, False]
    assert found.following[:, 0].tolist() == [1, 2, 2, 4, 5, 6, 6]
    assert found.reward.tolist() == [0, -2, -4, -6, -8, -10, -12]


def test_where_no_world_ends_the_log_was_cut_off_unless_it_is_said_otherwise() -> None:
    assert not steps(log(), worlds_end=False).ended.any()
    assert steps(log(), ends=True, worlds_end=False).ended.tolist() == [False] * 2 + [True] + [False] * 3 + [True]
    assert not steps(log(), ends=False).ended.any()


def test_a_decision_of_one_step_has_nothing_ahead() -> None:
    found = steps(log(), replace(PROBLEM, horizon=1))
    assert found.ended.all()
    assert found.known.all()


def test_a_reward_that_was_not_measured_teaches_no_value_and_is_not_0() -> None:
    found = steps(log(signals={"cost": np.array([1, np.nan, 1, 1, 1, 1, 1])}))
    assert len(found) == 7, "what was done is known all the same"
    assert found.known.tolist() == [True, False, True, True, True, True, False]
    assert len(anchored(found, PROBLEM)) == 5


def test_a_step_that_is_missing_in_the_log_leaves_what_came_after_unknown() -> None:
    found = steps(log(step=np.array([0, 2, 3, 0, 1, 2, 3])))
    assert found.known.tolist()[:3] == [False, True, False]


def test_a_missing_feature_takes_its_default_and_without_one_its_row_is_left_out() -> None:
    seen = np.column_stack([np.arange(7.0), np.full(7, 5.0)])
    seen[1, 1], seen[3, 0] = np.nan, np.nan
    found = steps(log(observation=seen))
    assert found.observation[1].tolist() == [1.0, 3.0]
    assert (len(found), found.left_out) == (6, 1)


def test_a_step_before_a_missing_feature_teaches_no_value() -> None:
    seen = np.column_stack([np.arange(7.0), np.full(7, 5.0)])
    seen[4, 0] = np.nan
    assert steps(log(observation=seen)).known.tolist() == [True, True, True, False, True, False]


def test_an_action_that_a_constraint_forbids_is_left_out() -> None:
    rest = Constraint("cool", "it melts", lambda seen: np.column_stack([seen[:, 0] >= 0, seen[:, 0] < 3]))
    found = steps(log(), replace(PROBLEM, constraints=(rest,)))
    assert (found.left_out, found.observation[:, 0].tolist()) == (2, [0, 1, 2, 4, 6])


def test_without_discount_something_must_end() -> None:
    endless = replace(PROBLEM, discount=1.0)
    with pytest.raises(DataError, match="a discount of 1") as refused:
        anchored(steps(log(), endless, worlds_end=False), endless)
    assert "ends = true" in refused.value.fix
    assert len(anchored(steps(log(), endless), endless)) == 6


def test_a_log_without_outcomes_teaches_no_value_but_can_be_cloned() -> None:
    found = steps(log(signals={"cost": np.full(7, np.nan)}))
    assert len(found) == 7
    with pytest.raises(DataError, match="their reward") as refused:
        anchored(found, PROBLEM)
    assert "--recipe cloning" in refused.value.fix


def many(episodes: int, at: Any = None) -> Trajectories:
    n = 2 * episodes
    return log(
        observation=np.zeros((n, 2)), action=np.zeros(n, dtype=int), signals={"cost": np.arange(float(n))},
        episode=np.repeat(np.arange(episodes), 2), step=np.tile([0, 1], episodes), propensity=np.ones(n),
        world=tuple(str(each) for each in range(episodes)), at=at,
    )  # fmt: skip


def test_the_last_episodes_by_time_are_kept_back_whole() -> None:
    began = np.arange(20)[::-1]  # the first episode of the file is the latest
    at = np.datetime64("2024-01-01") + np.repeat(began, 2).astype("timedelta64[D]")
    kept = kept_back(many(20, at.astype("datetime64[us]")), 0.2)
    assert np.flatnonzero(kept).tolist() == list(range(8))
    assert np.flatnonzero(kept_back(many(20), 0.2)).tolist() == list(range(32, 40)), "without times, by their order"


def test_of_few_episodes_the_end_of_each_is_kept_back() -> None:
    assert kept_back(log(), 0.25).tolist() == [False, False, False, False, False, False, True]
    assert kept_back(log(), 0.5).tolist() == [False, False, True, False, False, True, True]


def test_the_parts_are_trajectories_again() -> None:
    later = some_rows(log(), np.array([False] * 3 + [True] * 4))
    assert later.world == ("b",)
    assert later.episode.tolist() == [0, 0, 0, 0]


def test_the_normaliser_is_the_logs_own() -> None:
    found = normaliser_of(steps(log()), PROBLEM)
    assert found.mean.tolist() == [3.0, 5.0]
    assert found.std == pytest.approx([2.0, 1e-6])
    assert found.reward_std == pytest.approx(4.0)


def test_a_log_is_opened_in_two_parts_and_told_with_its_own_score(tmp_path: Path) -> None:
    project = corridor(tmp_path / "corridor")
    path = log_of(project, Mixed(), tmp_path / "log.csv")
    found = open_halves(CloningSettings(log=str(path)), project.problem)
    assert (found.learn.episodes, found.kept.episodes, len(found.kept)) == (168, 42, 840)
    assert not set(found.learn.world) & set(found.kept.world)
    said = told(found, project.problem)
    paid, moved = (found.kept.signals[name] for name in ("paid", "moved"))
    assert said["score"] == said["reward"] == pytest.approx((paid - 0.1 * moved).mean())
    assert (said["file"], said["decisions"], said["held_back"], said["kpi"]) == ("log.csv", 3360, 840, "gained")
    assert len(said["sha256"]) == 12


def test_no_log_is_refused_with_the_option_that_gives_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a log to learn from") as refused:
        open_halves(CloningSettings(), corridor(tmp_path / "corridor").problem)
    assert refused.value.fix == "give --log FILE"


def test_a_log_that_has_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv"):
        digest_of(str(tmp_path / "gone.csv"))


@pytest.mark.parametrize("wrong", [{"batch": 1}, {"held_back": 0.0}, {"follow": 0.0}, {"residual": Residual(1.0)}])
def test_settings_out_of_their_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="settings of recipe 'cloning'"):
        CloningSettings(**wrong)
