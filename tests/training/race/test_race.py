"""Halving, the winner, and whether it was rightly foretold; trained by a stand-in with known scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import EvidenceError, SettingsError
from tenure.core.evidence import Verdict
from tenure.core.project import Project, load_project
from tenure.training import CurvePoint, RunRecord, SeedRecord, Settings
from tenure.training.race import halving as module
from tenure.training.race.halving import Race, race
from tenure.training.recipes import RECIPES
from tenure.training.record import fresh_folder, write_record
from tenure.training.resume import hashes_of

INCUMBENT = 10.0
Cost = Callable[[int], float]


def raced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, costs: dict[str, Cost], **options: Any
) -> tuple[Race, list[str]]:
    """A race of recipes whose cost after so many steps is known; and which runs were trained."""
    trained: list[str] = []

    def stand_in(
        project: Project, settings: Settings, seeds: tuple[int, ...], home: Path, run: str, _: object
    ) -> RunRecord:
        trained.append(run)
        record = record_of(project, settings, seeds, run, costs[settings.recipe](settings.steps))
        write_record(record, fresh_folder(home / "runs", run))
        return record

    monkeypatch.setattr(module, "_trained", stand_in)
    contestants = {name: RECIPES[name].settings() for name in costs}
    found = race(load_project("bikes"), contestants, (1, 2, 3), folder, **{"budget": 8_000_000, **options})
    return found, trained


def record_of(project: Project, settings: Settings, seeds: tuple[int, ...], run: str, cost: float) -> RunRecord:
    """A record of seeds that end near a cost, 0.1 apart."""
    hashes, excess = hashes_of(project, settings), 0.2 if cost < 1 else 0.0
    done = [SeedRecord(seed, f"v{seed}", cost + 0.1 * (seed - 2), 1.0, (point(cost),), excess) for seed in seeds]
    return RunRecord(
        run=run,
        problem=project.problem.name,
        problem_version=hashes["problem"],
        reward_version=hashes["reward"],
        simulator_version=hashes["simulator"],
        settings=json.loads(json.dumps(asdict(settings))),
        seeds=tuple(done),
        chosen="v1",
        incumbent=INCUMBENT,
        bound=None,
        gain={},
        commit="",
        trained_on=hashes["simulator"],
        recipe=settings.recipe,
    )


def point(cost: float) -> CurvePoint:
    return CurvePoint(1, 1, 2.0, cost, 0.5, 1.0)


def flat(cost: float) -> Cost:
    return lambda steps: cost


def test_the_weaker_half_leaves_after_each_round_but_two_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {"ppo": flat(8), "a2c": flat(9), "dqn": flat(9.5), "qr_dqn": flat(9.2)}
    found, trained = raced(tmp_path, monkeypatch, costs)
    assert [rung.steps for rung in found.rungs] == [200_000, 400_000, 800_000]
    assert [[one.name for one in rung.standings] for rung in found.rungs] == [
        ["ppo", "a2c", "qr_dqn", "dqn"],
        ["ppo", "a2c"],
        ["ppo", "a2c"],
    ]
    assert len(trained) == 8
    assert found.chosen == "ppo"
    assert found.rungs[-1].standings[0].gains == pytest.approx((0.21, 0.2, 0.19))
    assert found.verdict is Verdict.PASS


def test_nobody_may_beat_the_incumbent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = raced(tmp_path / "all", monkeypatch, {"ppo": flat(11), "a2c": flat(12)})
    assert found.chosen is None
    assert found.reason.startswith("Nobody beats the incumbent: ppo gains -10.0%")
    assert found.verdict is Verdict.FAIL
    near, _ = raced(tmp_path / "near", monkeypatch, {"ppo": flat(10), "a2c": flat(12)})
    assert (near.chosen, near.verdict) == (None, Verdict.INCONCLUSIVE)


def test_a_winner_that_breaks_a_limit_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = raced(tmp_path, monkeypatch, {"ppo": flat(0.5), "a2c": flat(9)})
    assert found.chosen == "a2c", "the other one is ranked behind all that keep their limits"
    both, _ = raced(tmp_path / "both", monkeypatch, {"ppo": flat(0.5), "a2c": flat(0.6)})
    assert both.chosen is None
    assert "exceeds one by 20.0%" in both.reason


def test_the_whole_budget_says_whether_the_share_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late: Cost = lambda steps: 9.0 if steps < 8_000_000 else 7.0  # noqa: E731
    found, trained = raced(tmp_path, monkeypatch, {"ppo": flat(8), "dqn": late}, full=True)
    assert found.chosen == "ppo"
    assert found.prediction is not None
    assert (found.prediction.early, found.prediction.late, found.prediction.holds) == ("ppo", "dqn", False)
    assert found.prediction.regret == pytest.approx(0.1)
    assert trained[-2:] == ["ppo-8000000", "dqn-8000000"]


def test_what_is_finished_is_not_trained_again_unless_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"ppo": flat(8), "a2c": flat(9)}
    first, _ = raced(tmp_path, monkeypatch, costs)
    again, trained = raced(tmp_path, monkeypatch, costs)
    assert (again, trained) == (first, [])
    monkeypatch.setattr(module, "hashes_of", lambda *_: {"problem": "x", "reward": "x", "simulator": "x"})
    _, trained = raced(tmp_path, monkeypatch, costs)
    assert len(trained) == 6


def test_one_that_cannot_be_trained_is_out_with_its_reason_and_the_race_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(steps: int) -> float:
        raise EvidenceError(expected="a reward", found="NaN", where="world 3", fix="mend it")

    found, _ = raced(tmp_path, monkeypatch, {"ppo": flat(8), "a2c": flat(9), "dqn": broken})
    assert found.chosen == "ppo"
    assert "found NaN" in next(one.why for one in found.rungs[0].standings if one.name == "dqn")
    with pytest.raises(SettingsError, match="a contestant that can be trained"):
        raced(tmp_path / "none", monkeypatch, {"ppo": broken, "a2c": broken})


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}])
def test_a_race_of_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="the race"):
        raced(tmp_path, monkeypatch, {"ppo": flat(8), "a2c": flat(9)}, **wrong)
    with pytest.raises(SettingsError, match="at least two contestants"):
        raced(tmp_path, monkeypatch, {"ppo": flat(8)})
