"""Checkpoints judged by a log: values worked by hand, what it cannot say, and who is chosen by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.training.corridor import Expert, Mixed, corridor, log_of
from tests.training.recipes.grounds import ground

from tenure.core import KPI, Box, Discrete, Feature, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats
from tenure.core.errors import SettingsError
from tenure.core.trajectories import Trajectories
from tenure.training.offline_judging import LogJudge
from tenure.training.recipes import RECIPES
from tenure.training.record import CurvePoint, SeedRecord

PROBLEM = Problem(
    name="coin",
    about="Heads or tails.",
    observation=(Feature("shown", "", 0, 1),),
    action=Discrete(("tails", "heads")),
    signals=(Signal("won", "$", -9, 9),),
    reward=Reward((Term("won", 1.0, "$/$", "it pays"),)),
    kpis=(KPI("won", "$", "higher", {"won": 1.0}),),
    horizon=2,
    discount=0.5,
)


class Heads:
    """Always heads."""

    version = "heads"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.ones(len(observation), dtype=np.int64), np.ones(len(observation)))


def log(episodes: int = 40, **columns: Any) -> Trajectories:
    """Fair coins in two steps. Heads first in every second episode, heads then in every second of these; it wins 2 and
    then 4, tails win nothing."""
    first, second = np.arange(episodes) % 2, np.arange(episodes) // 2 % 2
    action = np.column_stack([first, second]).ravel()
    given: dict[str, Any] = {
        "observation": np.zeros((2 * episodes, 1)),
        "names": ("shown",),
        "action": action,
        "signals": {"won": action * np.tile([2.0, 4.0], episodes)},
        "episode": np.repeat(np.arange(episodes), 2),
        "step": np.tile([0, 1], episodes),
        "propensity": np.full(2 * episodes, 0.5),
        "world": tuple(str(number) for number in range(episodes)),
    }
    return Trajectories(**(given | columns))


def judged(found: Trajectories, problem: Problem = PROBLEM) -> dict[str, Any]:
    return LogJudge(found, problem, problem.reward)(Heads())


def test_the_value_is_the_discounted_return_of_an_episode() -> None:
    found = judged(log(400))
    # Heads win 2, and a step later 4 at a half: 4. The log's coins win half of each: 1 + 2 / 2.
    assert found["value"] == pytest.approx(4.0)
    assert found["logged"] == pytest.approx(2.0)
    assert found["low"] <= 4.0 <= found["high"]
    assert (found["estimator"], found["verdict"]) == ("pdwis", "pass")


def test_a_policy_that_loses_fails() -> None:
    signals = {"won": -log(400).signals["won"]}
    assert judged(log(400, signals=signals))["verdict"] == "fail"


def test_a_log_that_never_shows_the_action_says_nothing() -> None:
    found = judged(log(action=np.zeros(80, dtype=int)))
    assert found["value"] is None
    assert found["verdict"] == "inconclusive"
    assert found["reason"]


class Edge:
    """Heads, and in one situation of two what no coin ever showed."""

    version = "edge"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.where(observation[:, 0] > 0, 2, 1), np.ones(len(observation)))


def test_a_policy_that_often_wants_what_the_log_never_shows_has_no_value() -> None:
    three = replace(PROBLEM, action=Discrete(("tails", "heads", "edge")))
    shown = np.repeat(np.arange(4_000) // 4 % 2, 2)[:, None].astype(float)
    judge = LogJudge(log(4_000, observation=shown), three, three.reward)
    assert judge(Heads())["value"] == pytest.approx(4.0)
    found = judge(Edge())
    assert found["value"] is None
    assert found["verdict"] == "inconclusive"
    assert found["reason"] == "50.0% of the target's decisions were never taken in this log"


def test_episodes_that_miss_something_are_left_out() -> None:
    propensity, steps = np.full(80, 0.5), np.tile([0, 1], 40)
    propensity[0], steps[3] = np.nan, 2
    judge = LogJudge(log(propensity=propensity, step=steps), PROBLEM, PROBLEM.reward)
    assert judge.log.world == tuple(str(number) for number in range(2, 40))


@pytest.mark.parametrize(
    ("columns", "problem", "expected"),
    [
        ({"propensity": np.full(80, np.nan)}, PROBLEM, "reward and propensity"),
        ({}, replace(PROBLEM, action=Box(("a",), ("",), (0.0,), (1.0,))), "labels"),
    ],
)
def test_what_no_log_can_choose_by_is_refused(columns: Any, problem: Problem, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as refused:
        LogJudge(log(**columns), problem, problem.reward)
    assert 'choose = "simulator"' in refused.value.fix


def point(steps: int, score: float, value: float | None) -> CurvePoint:
    return CurvePoint(steps, steps, 1.0, score, 0.5, 0.5, by_log={"value": value})


def test_the_logs_estimate_ranks_before_the_simulators_and_without_any_the_last_is_taken() -> None:
    kpi = PROBLEM.kpis[0]
    curve = (point(1, 9.0, 1.0), point(2, 5.0, 2.0), point(3, 7.0, None))
    assert max(curve, key=lambda each: each.merit(kpi)).steps == 2
    silent = (point(1, 9.0, None), point(2, 5.0, None))
    assert max(silent, key=lambda each: each.merit(kpi)).steps == 2
    seeds = [SeedRecord(seed, str(seed), 0.0, 1.0, each) for seed, each in enumerate((silent, curve))]
    assert max(seeds, key=lambda seed: seed.merit(kpi)).version == "1"


def test_a_recipe_that_chooses_by_its_log_keeps_what_it_said_in_the_curve(tmp_path: Path) -> None:
    project = corridor(tmp_path / "corridor")
    path = log_of(project, Mixed(), tmp_path / "mixed.csv")
    settings = replace(RECIPES["cloning"].settings(steps=25_600, checkpoint_every=50), log=str(path), choose="log")  # type: ignore[call-arg]
    trained = RECIPES["cloning"].train(ground(project, settings, tmp_path / "seed"))
    assert [each.by_log["verdict"] for each in trained.curve]
    assert {each.by_log["estimator"] for each in trained.curve} == {"pdwis"}


def test_the_expert_is_worth_more_than_a_mixed_log(tmp_path: Path) -> None:
    project = corridor(tmp_path / "corridor")
    from tenure.training.offline import open_halves

    path = log_of(project, Mixed(), tmp_path / "mixed.csv")
    settings = replace(RECIPES["iql"].settings(), log=str(path), held_back=0.9)  # type: ignore[call-arg]
    kept = open_halves(settings, project.problem).kept  # type: ignore[arg-type]
    found = LogJudge(kept, project.problem, project.problem.reward)(Expert())
    assert found["value"] is None or found["value"] > found["logged"]
