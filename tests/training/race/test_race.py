"""Rounds, who goes on, what is trained and what is taken as it was; training itself is played."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ConflictError, EvidenceError, SettingsError
from tenure.core.project import Project, load_project
from tenure.training import RECIPES, CurvePoint, RunRecord, SeedRecord
from tenure.training.race import Race, entering, race, rounds
from tenure.training.record import write_record
from tenure.training.settings import Settings

from ..hot import SIMULATOR, hot_project

INCUMBENT = 10.0
SEEDS = (1, 2, 3)


class Played:
    """Training as the tests want it: each recipe reaches a KPI (lower is better) that may depend on its decisions."""

    def __init__(self, reaches: dict[str, Callable[[int], float]]) -> None:
        self.reaches, self.trained, self.spent = reaches, list[tuple[str, int]](), 0.0

    def train(
        self, project: Project, settings: Settings, seeds: tuple[int, ...], home: Path, run: str, watch: Any
    ) -> RunRecord:
        self.trained.append((settings.recipe, settings.steps))
        self.spent += 2.0
        value = self.reaches[settings.recipe](settings.steps)
        point = CurvePoint(settings.steps, 1, 1.0, value, 0.5, 0.5)
        gain = (INCUMBENT - value) / INCUMBENT
        record = RunRecord(
            run=run,
            problem=project.problem.name,
            problem_version=project.problem.version,
            reward_version=project.problem.reward_version,
            simulator_version=project.simulator.version,
            trained_on=project.simulator.version,
            settings=json.loads(json.dumps(asdict(settings))),
            seeds=tuple(SeedRecord(seed, "v", value, 1.0, (point,)) for seed in seeds),
            chosen="v",
            incumbent=INCUMBENT,
            bound=0.0,
            gain={"value": gain, "low": gain - 0.01, "high": gain + 0.01},
            commit="",
        )
        (home / "runs" / run).mkdir(parents=True, exist_ok=True)
        write_record(record, home / "runs" / run)
        return record


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Any project of labels."""
    return hot_project(tmp_path / "hot")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """PPO is best early, DQN late, A2C never, QR-DQN fails."""

    def fails(_: int) -> float:
        raise EvidenceError(expected="a finite KPI", found="nan", where="training", fix="mend it")

    found = Played(
        {
            "ppo": lambda _: 8.0,
            "dqn": lambda steps: 9.0 if steps <= 40_000 else 5.0,
            "a2c": lambda _: 12.0,
            "qr_dqn": fails,
        }
    )
    monkeypatch.setattr(entering, "train", found.train)
    return found


def entered_as(names: tuple[str, ...]) -> dict[str, Settings]:
    return {name: RECIPES[name].settings() for name in names}


def run_race(project: Project, home: Path, names: tuple[str, ...], **more: Any) -> Race:
    entered = entered_as(names)
    return race(project, entered, SEEDS, home, budget=400_000, **more)


def test_rounds_double_up_to_the_share_as_often_as_halving_leaves_two() -> None:
    assert rounds(2, 10_000, 0.1) == [1_000]
    assert rounds(3, 10_000, 0.1) == [500, 1_000]
    assert rounds(5, 10_000, 0.1) == [250, 500, 1_000]
    assert rounds(8, 10_000, 0.1) == [250, 500, 1_000]


def test_the_weaker_half_leaves_after_each_round(project: Project, played: Played, tmp_path: Path) -> None:
    found = run_race(project, tmp_path / "home", ("a2c", "dqn", "ppo"))
    assert played.trained == [("a2c", 20_000), ("dqn", 20_000), ("ppo", 20_000), ("ppo", 40_000), ("dqn", 40_000)]
    assert [one.name for one in found.rungs[-1].standings] == ["ppo", "dqn"]
    assert found.chosen == "ppo"


def test_gains_are_shares_of_the_incumbent_and_better_is_above_zero(
    project: Project, played: Played, tmp_path: Path
) -> None:
    found = run_race(project, tmp_path / "home", ("a2c", "ppo"))
    best, last = found.rungs[-1].standings
    assert best.gains == pytest.approx((0.2, 0.2, 0.2))
    assert last.gains == pytest.approx((-0.2, -0.2, -0.2))


def test_in_full_the_prediction_is_held_against_what_came(project: Project, played: Played, tmp_path: Path) -> None:
    found = run_race(project, tmp_path / "home", ("a2c", "dqn", "ppo"), full="finalists")
    assert found.chosen == "ppo"  # the share decides; the check is told beside it
    assert found.full is not None
    assert {one.name for one in found.full.standings} == {"dqn", "ppo"}
    assert found.prediction is not None
    assert (found.prediction.holds, found.prediction.late) == (False, "dqn")
    assert found.prediction.regret == pytest.approx(3.0)


def test_all_can_be_trained_in_full(project: Project, played: Played, tmp_path: Path) -> None:
    found = run_race(project, tmp_path / "home", ("a2c", "dqn", "ppo"), full="all")
    assert found.full is not None
    assert [one.name for one in found.full.standings] == ["dqn", "ppo", "a2c"]


def test_what_was_trained_before_is_taken_as_it_is_with_its_cost(
    project: Project, played: Played, tmp_path: Path
) -> None:
    first = run_race(project, tmp_path / "home", ("dqn", "ppo"), spent=lambda: played.spent)
    count = len(played.trained)
    assert run_race(project, tmp_path / "home", ("dqn", "ppo"), spent=lambda: played.spent) == first
    assert len(played.trained) == count
    assert [one.core_s for one in first.rungs[-1].standings] == [2.0, 2.0]
    assert first.rungs[-1].standings[0].score_per_core_s == pytest.approx(0.1)


@pytest.mark.parametrize("change", ["simulator", "settings", "seeds"])
def test_what_was_trained_on_something_else_is_trained_anew(
    project: Project, played: Played, tmp_path: Path, change: str
) -> None:
    entered = entered_as(("dqn", "ppo"))
    race(project, entered, SEEDS, tmp_path / "home", budget=400_000)
    count, seeds = len(played.trained), SEEDS
    if change == "simulator":
        other = hot_project(tmp_path / "other").folder
        (other / "simulator.py").write_text(SIMULATOR.replace("hot-1", "hot-2"))
        project = load_project(other)
    elif change == "settings":
        entered = {name: replace(one, learning_rate=0.5) for name, one in entered.items()}
    else:
        seeds = (4, 5, 6)
    race(project, entered, seeds, tmp_path / "home", budget=400_000)
    assert len(played.trained) == count + 2


def test_one_that_fails_is_out_with_its_reason_and_the_race_goes_on(
    project: Project, played: Played, tmp_path: Path
) -> None:
    found = run_race(project, tmp_path / "home", ("qr_dqn", "ppo"))
    assert found.chosen == "ppo"
    lost = found.rungs[-1].standings[-1]
    assert (lost.name, lost.score) == ("qr_dqn", None)
    assert "a finite KPI" in lost.why


def test_a_race_in_which_everybody_fails_says_what_they_said(project: Project, played: Played, tmp_path: Path) -> None:
    played.reaches["ppo"] = played.reaches["qr_dqn"]
    with pytest.raises(SettingsError, match="that can be trained") as caught:
        run_race(project, tmp_path / "home", ("qr_dqn", "ppo"))
    assert "a finite KPI" in caught.value.found


def test_another_race_in_the_same_place_is_no_contestants_failure(
    project: Project, played: Played, tmp_path: Path
) -> None:
    def held(_: int) -> float:
        raise ConflictError(expected="nobody", found="another process", where="there", fix="wait")

    played.reaches["ppo"] = held
    with pytest.raises(ConflictError):
        run_race(project, tmp_path / "home", ("dqn", "ppo"))


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("ppo",), "at least 2 contestants"), (("ppo", "sac"), "vectors"), (("ppo", "iql"), "learn in worlds")],
)
def test_a_race_that_cannot_be_is_refused_before_anybody_trains(
    project: Project, played: Played, tmp_path: Path, names: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(SettingsError, match=expected):
        run_race(project, tmp_path / "home", names)
    assert played.trained == []


def test_a_round_too_short_for_a_recipe_is_told_before_anybody_trains(
    project: Project, played: Played, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="learning_starts") as caught:
        race(
            project,
            {"ppo": RECIPES["a2c"].settings(), "dqn": RECIPES["dqn"].settings()},
            SEEDS,
            tmp_path,
            budget=20_000,
        )
    assert "recipe 'dqn'" in caught.value.where
    assert played.trained == []


def test_two_seeds_are_too_few(project: Project, played: Played, tmp_path: Path) -> None:
    entered = entered_as(("dqn", "ppo"))
    with pytest.raises(SettingsError, match="3 seeds"):
        race(project, entered, (1, 2), tmp_path, budget=400_000)
