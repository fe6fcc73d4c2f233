"""Live exploration: a floor, a budget that survives a restart and is shared, and a person's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tenure.core.decision import Arm
from tenure.rollout import Exploration, Settings
from tenure.rollout.rules import ExplorationRule
from tenure.rollout.settings import RolloutSettings
from tenure.store import Control, SqliteStore

from .breaking import NOON, TRADES
from .world import decision

CONTROL = Control("toy", 0, 0, False, "canary", 0.5, "v1", False, "salt", None)
DAY = timedelta(days=1)


def exploring(rate: float = 0.1, **rule: Any) -> Exploration:
    return Exploration(Settings(rollout=RolloutSettings(exploration=rate), exploration=ExplorationRule(**rule)), TRADES)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "log.db", synchronous="OFF") as opened:
        opened.open_problem("toy", "salt")
        yield opened


def write(store: SqliteStore, count: int, size: float = 1.0, at: Any = NOON, *, explored: bool = True) -> None:
    first = store.control("toy").sequence
    rows = [
        decision(
            f"d{first + row}",
            decided_at=at,
            explored=explored,
            context={"size": size},
            arm=Arm.CANDIDATE,
            kill_epoch=store.kill_epoch("toy"),
        )
        for row in range(count)
    ]
    store.append_decisions(rows)


@pytest.mark.parametrize(
    ("rate", "said", "rule", "epsilon"),
    [
        (0.1, None, {}, 0.1),
        (0.1, 0.3, {}, 0.3),
        (0.1, 0.0, {}, 0.0),
        (0.0, None, {"floor": 0.05}, 0.0),
        (0.01, None, {"floor": 0.05}, 0.05),
        (0.1, 0.0, {"floor": 0.05}, 0.0),
        (0.1, None, {"risk": 0.5}, 0.1),
        (0.1, None, {"risk": 0.6}, 0.0),
        (0.1, None, {"risk": 0.3, "risk_limit": 0.2}, 0.0),
        (0.1, 0.2, {"risk": 0.9}, 0.2),
    ],
)
def test_the_rate_is_the_settings_or_a_persons_with_a_floor_and_off_above_the_risk_limit(
    rate: float, said: float | None, rule: dict[str, Any], epsilon: float
) -> None:
    assert exploring(rate, **rule).epsilon("", NOON, replace(CONTROL, exploration=said)) == epsilon


def test_the_days_budget_is_spent_by_explored_decisions_alone_and_comes_back_at_midnight() -> None:
    budget = exploring(per_day=2)
    for explored in (True, False, False):
        budget.update("", NOON, explored)
    assert budget.epsilon("", NOON, CONTROL) == 0.1
    budget.update("", NOON, True)
    assert budget.epsilon("", NOON, CONTROL) == 0.0
    assert budget.epsilon("", NOON + timedelta(hours=11, minutes=59), CONTROL) == 0.0
    assert budget.epsilon("", NOON + timedelta(hours=12), CONTROL) == 0.1


def test_what_a_group_has_explored_counts_before_it_is_in_the_log() -> None:
    budget = exploring(per_day=3, segment="size", per_segment=2)
    budget.update("1", NOON, True)
    assert budget.epsilon("1", NOON, CONTROL, Counter({"2": 1})) == 0.1
    assert budget.epsilon("1", NOON, CONTROL, Counter({"1": 1})) == 0.0
    assert budget.epsilon("2", NOON, CONTROL, Counter({"1": 1})) == 0.1
    assert budget.epsilon("2", NOON, CONTROL, Counter({"1": 1, "3": 1})) == 0.0
    assert budget.epsilon("1", NOON, CONTROL) == 0.1


def test_a_clock_that_falls_back_does_not_give_the_budget_again() -> None:
    budget = exploring(per_day=1)
    budget.update("", NOON, True)
    assert budget.epsilon("", NOON - DAY, CONTROL) == 0.0


def test_a_segment_has_a_budget_of_its_own() -> None:
    budget = exploring(segment="size", per_segment=1)
    assert (budget.segment({"size": 2.0}), budget.segment({}), exploring().segment({"size": 2.0})) == ("2", "", "")
    budget.update("2", NOON, True)
    assert (budget.epsilon("2", NOON, CONTROL), budget.epsilon("3", NOON, CONTROL)) == (0.0, 0.1)


def test_a_restart_keeps_what_the_day_has_spent(store: SqliteStore) -> None:
    write(store, 5, at=NOON - DAY)
    write(store, 2)
    write(store, 7, explored=False)
    for per_day, epsilon in ((2, 0.0), (3, 0.1)):
        again = exploring(per_day=per_day)
        again.read(store, NOON)
        assert again.epsilon("", NOON, CONTROL) == epsilon


def test_replicas_share_the_budget_once_they_read(store: SqliteStore) -> None:
    mine = exploring(per_day=5, segment="size", per_segment=3)
    mine.read(store, NOON)
    write(store, 1)
    mine.update("1", NOON, True)
    write(store, 2)  # another replica's
    assert mine.epsilon("1", NOON, CONTROL) == 0.1
    mine.read(store, NOON)
    assert mine.epsilon("1", NOON, CONTROL) == 0.0
    assert mine.epsilon("2", NOON, CONTROL) == 0.1
    write(store, 1, size=2.0)
    mine.read(store, NOON)
    assert mine.epsilon("2", NOON, CONTROL) == 0.1
    write(store, 1, size=2.0)
    mine.read(store, NOON)
    assert mine.epsilon("3", NOON, CONTROL) == 0.0


def test_ones_own_decisions_are_not_counted_twice(store: SqliteStore) -> None:
    mine = exploring(per_day=4)
    for _ in range(3):
        write(store, 1)
        mine.update("", NOON, True)
        mine.read(store, NOON)
    assert mine.epsilon("", NOON, CONTROL) == 0.1
