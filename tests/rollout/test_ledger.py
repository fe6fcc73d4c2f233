"""Log frames by hand, folded into units: the sums, what is missing, and that the cut does not matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.rollout import Ledger
from tenure.rollout.ledger import first_whole_day, midnight_of
from tenure.store import LogFrame

from .world import PROBLEM

FIRST = 15_248
"""1 October 2011."""
HOUR = np.timedelta64(1, "h")
ROWS = 12


def frame(n: int = ROWS, **changes: Any) -> LogFrame:
    """n rows, two a unit, four hours apart from midnight of the first day; each costs its number and serves 3 of 4."""
    number = np.arange(n)
    made = LogFrame(
        decision_id=[f"d{row}" for row in range(n)],
        sequence=number + 1,
        unit_id=[f"u{row // 2}" for row in range(n)],
        episode_id=[f"e{row // 2 % 2}" for row in range(n)],
        step=number,
        decided_at=np.datetime64("2011-10-01T00:00", "us") + number * 4 * HOUR,
        stage=["shadow"] * n,
        arm=["incumbent"] * n,
        version=["rule"] * n,
        action=number,
        propensity=np.ones(n),
        explored=np.zeros(n, dtype=bool),
        confidence=np.ones(n),
        observation=number[:, None].astype(np.float32),
        joined=np.ones(n, dtype=bool),
        signals={"cost": number.astype(float), "asked": np.full(n, 4.0), "served": np.full(n, 3.0)},
        shadow_action=np.ones(n, dtype=np.int64),
        shadow_version=["v1"] * n,
    )
    return replace(made, **changes)


def folded(*frames: LogFrame, version: str | None = None) -> Ledger:
    ledger = Ledger(PROBLEM, version)
    for one in frames:
        ledger.update(one, FIRST + 30)
    return ledger


def told(ledger: Ledger) -> Any:
    """Everything a ledger says, in plain values."""
    units = {
        name: {field: value.tolist() if isinstance(value, np.ndarray) else value for field, value in vars(unit).items()}
        for name, unit in ledger.units.items()
    }
    learned = [np.concatenate(parts).tolist() for parts in (ledger.learned_action, ledger.learned_observation) if parts]
    return units, ledger.sequence, ledger.proposals, ledger.shadowed, ledger.explored, learned


def test_sums_by_unit() -> None:
    ledger = folded(frame())
    assert list(ledger.units) == [f"u{number}" for number in range(6)]
    third = ledger.units["u2"]
    assert (third.decisions, third.joined, third.learned, third.controlled) == (2, 2, 0, 2)
    assert third.above.tolist() == [4 + 5, 3 + 3, 3 + 3]
    assert third.below.tolist() == [2, 4 + 4, 2]
    assert (third.day, third.episode_id, third.first_observation.tolist()) == (FIRST, "e0", [4.0])
    assert ledger.units["u3"].day == FIRST + 1
    assert (ledger.sequence, ledger.proposals, ledger.shadowed) == (12, 12, 12)


def test_a_missing_outcome_counts_as_the_mean_and_never_as_free() -> None:
    joined = np.ones(ROWS, dtype=bool)
    joined[[5, 6, 7]] = False
    cost = np.where(joined, np.arange(ROWS), np.nan).astype(float)
    ledger = folded(frame(joined=joined, signals=dict(frame().signals) | {"cost": cost}))
    half, none = ledger.units["u2"], ledger.units["u3"]
    assert (half.decisions, half.joined, half.above[0], half.total(0)) == (2, 1, 4.0, 8.0)
    assert half.is_comparable
    assert (none.joined, none.is_comparable) == (0, False)


def test_an_outcome_without_some_signal_is_no_outcome() -> None:
    served = np.full(ROWS, 3.0)
    served[4] = np.nan
    unit = folded(frame(signals=dict(frame().signals) | {"served": served})).units["u2"]
    assert (unit.joined, unit.above.tolist()) == (1, [5.0, 3.0, 3.0])


def test_a_log_without_any_outcome_is_folded_too() -> None:
    ledger = folded(frame(joined=np.zeros(ROWS, dtype=bool), signals={}))
    assert [unit.joined for unit in ledger.units.values()] == [0] * 6


def test_usual_cost_is_the_mean_per_unit_of_each_episode() -> None:
    joined = np.ones(ROWS, dtype=bool)
    joined[[0, 1]] = False
    ledger = folded(frame(joined=joined))
    assert ledger.usual(ledger.units.values(), PROBLEM.kpis[0]) == {
        "e0": ((4 + 5) + (8 + 9)) / 2,
        "e1": ((2 + 3) + (6 + 7) + (10 + 11)) / 3,
    }
    assert ledger.usual([], PROBLEM.kpis[0]) == {}


def test_a_unit_without_an_episode_is_its_own() -> None:
    assert folded(frame(episode_id=[None] * ROWS)).units["u4"].episode_id == "u4"


def test_explored_rows_are_left_out_of_the_replay_sample() -> None:
    arm = ["candidate"] * 6 + ["incumbent"] * 6
    explored = np.zeros(ROWS, dtype=bool)
    explored[[1, 4]] = True
    ledger = folded(frame(arm=arm, version=["v1"] * ROWS, explored=explored))
    assert np.concatenate(ledger.learned_action).tolist() == [0, 2, 3, 5]
    assert np.concatenate(ledger.learned_observation).ravel().tolist() == [0, 2, 3, 5]
    assert ledger.explored == 2
    assert [unit.learned for unit in ledger.units.values()] == [2, 2, 2, 0, 0, 0]


def test_only_its_own_version_counts() -> None:
    versions = ["v1", "v2"] * 6
    ledger = folded(frame(arm=["candidate"] * ROWS, version=versions, shadow_version=versions), version="v2")
    assert [unit.learned for unit in ledger.units.values()] == [1] * 6
    assert np.concatenate(ledger.learned_action).tolist() == [1, 3, 5, 7, 9, 11]
    assert (ledger.proposals, ledger.shadowed) == (6, 12)


def test_proposals_count_in_shadow_only() -> None:
    ledger = folded(frame(stage=["shadow"] * 4 + ["canary"] * 8, shadow_action=np.array([1, -1] * 6)))
    assert (ledger.proposals, ledger.shadowed) == (2, 4)


def test_a_unit_that_changed_its_arm_is_compared_with_nobody() -> None:
    arm = ["candidate", "incumbent", "candidate", "fallback", "incumbent", "incumbent"] * 2
    units = folded(frame(arm=arm)).units
    assert [unit.is_comparable for unit in units.values()] == [False, True, True] * 2
    assert [unit.is_candidate for unit in units.values()] == [True, True, False] * 2


@given(st.lists(st.integers(0, ROWS), max_size=4), st.lists(st.sampled_from(["candidate", "incumbent"]), min_size=ROWS))
def test_the_same_result_wherever_the_frame_is_cut(cuts: list[int], arms: list[str]) -> None:
    whole = frame(arm=arms[:ROWS], version=["v1"] * ROWS, explored=np.arange(ROWS) % 5 == 0)
    edges = [0, *sorted(cuts), ROWS]
    parts = [part(whole, first, last) for first, last in pairwise(edges)]
    assert told(folded(*parts)) == told(folded(whole))


def part(whole: LogFrame, first: int, last: int) -> LogFrame:
    """Rows first to last, the last left out."""
    fields: dict[str, Any] = {
        name: {k: v[first:last] for k, v in column.items()} if isinstance(column, dict) else column[first:last]
        for name, column in vars(whole).items()
    }
    return LogFrame(**fields)


def test_since_begins_with_the_first_whole_day() -> None:
    ledger = folded(frame())
    midnight = datetime(2011, 10, 1, tzinfo=UTC)
    assert len(ledger.since(midnight)) == 6
    assert len(ledger.since(midnight + timedelta(seconds=1))) == 3
    assert first_whole_day(midnight) == FIRST
    assert first_whole_day(midnight + timedelta(microseconds=1)) == FIRST + 1
    assert midnight_of(FIRST) == midnight


@pytest.mark.parametrize(
    ("now", "wait_h", "closed_days", "units"),
    [
        ("2011-10-03T00:00", 4, 2, 6),  # the last row is of 20:00: its outcome has had its four hours
        ("2011-10-03T00:00", 5, 1, 3),
        ("2011-10-03T00:59", 5, 1, 3),
        ("2011-10-03T01:00", 5, 2, 6),
        ("2011-10-03T12:00", 48, 0, 0),  # two days' wait keeps two days open, not one
        ("2011-10-03T20:00", 48, 1, 3),
        ("2011-10-04T19:59", 48, 1, 3),
        ("2011-10-04T20:00", 48, 3, 6),
        ("2011-10-02T12:00", 1, 1, 3),  # a day that is not over is open
    ],
)
def test_a_day_closes_when_its_last_outcome_can_no_longer_come(
    now: str, wait_h: int, closed_days: int, units: int
) -> None:
    ledger = Ledger(PROBLEM)
    ledger.fold_closed(frame(), datetime.fromisoformat(now).replace(tzinfo=UTC), timedelta(hours=wait_h))
    assert ledger.closed_before == FIRST + closed_days
    assert sum(unit.decisions > 0 for unit in ledger.units.values()) == units


@given(st.permutations(range(ROWS)), st.lists(st.integers(1, 80), max_size=6))
def test_rows_committed_out_of_order_are_folded_once_each(order: list[int], looks: list[int]) -> None:
    """Replicas commit around midnight in any order: a late number must not hide an earlier moment."""
    stamped = frame(decided_at=frame().decided_at[order])
    ledger, start = Ledger(PROBLEM), datetime(2011, 10, 1, tzinfo=UTC)
    for hours in [*sorted(looks), 96]:
        unread = part(stamped, ledger.sequence, ROWS)
        ledger.fold_closed(unread, start + timedelta(hours=hours), timedelta(hours=1))
    assert sum(unit.decisions for unit in ledger.units.values()) == ROWS
    assert {name: unit.above[0] for name, unit in ledger.units.items()} == {
        name: unit.above[0] for name, unit in folded(stamped).units.items()
    }
    assert (ledger.sequence, ledger.ahead) == (ROWS, set())
