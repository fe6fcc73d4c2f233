"""Trajectories: rows in order or refused, what follows what, and a simulator's run in the same form as a log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.trace import Trace
from tenure.core.trajectories import Trajectories, from_trace

# Three episodes: steps 0, 1, 2; steps 4 and 6 (5 was lost); one alone.
ROWS = Trajectories(
    observation=np.arange(12.0).reshape(6, 2),
    names=("stock", "hour"),
    action=np.array([0, 1, 0, 1, 1, 0]),
    signals={"cost": np.array([1.0, 2.0, np.nan, 4.0, 5.0, 6.0])},
    episode=np.array([0, 0, 0, 1, 1, 2]),
    step=np.array([0, 1, 2, 4, 6, 0]),
    propensity=np.full(6, 0.5),
    world=("a", "b", "a"),
)


def test_a_row_is_followed_by_the_next_step_of_its_own_episode_alone() -> None:
    assert ROWS.following.tolist() == [1, 2, -1, -1, -1, -1]


def test_a_feature_is_found_by_its_name_or_refused() -> None:
    assert ROWS.feature("hour").tolist() == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
    with pytest.raises(EvidenceError, match="'wind'"):
        ROWS.feature("wind")


@pytest.mark.parametrize("wanted", [np.array([1, 2]), np.array([False, True, True])])
def test_some_episodes_are_numbered_from_0_again(wanted: np.ndarray) -> None:
    some = ROWS.take(wanted)
    assert (some.episodes, some.world) == (2, ("b", "a"))
    assert some.episode.tolist() == [0, 0, 1]
    assert some.signals["cost"].tolist() == [4.0, 5.0, 6.0]
    assert some.feature("stock").tolist() == [6.0, 8.0, 10.0]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"propensity": np.ones(5)}, "5 in 'propensity'"),
        ({"signals": {"cost": np.ones(7)}}, "7 in 'cost'"),
        ({"episode": np.array([1, 1, 1, 2, 2, 3])}, "another order"),
        ({"episode": np.array([0, 0, 1, 0, 1, 2])}, "another order"),
        ({"step": np.array([0, 2, 1, 4, 6, 0])}, "one that does not"),
        ({"world": ("a", "b")}, "2"),
    ],
)
def test_rows_that_are_no_trajectories_are_refused(change: dict[str, object], found: str) -> None:
    with pytest.raises(EvidenceError, match=found):
        replace(ROWS, **change)  # type: ignore[arg-type]  # any field, by name


# Two worlds, three steps; the second ends after its first.
START = datetime(2011, 10, 1, tzinfo=UTC)
SIGNALS = {"cost": np.array([[2.0, 6.0], [4.0, 0.0], [3.0, 0.0]])}
SEEN = np.arange(6, dtype=np.float32).reshape(3, 2, 1)


@pytest.mark.parametrize(
    "action",
    [
        np.array([[0, 1], [2, -1], [1, -1]]),
        np.array([[[0.0, 0.5], [1.0, 0.5]], [[2.0, 0.5], [np.nan, np.nan]], [[1.0, 0.5], [np.nan, np.nan]]]),
    ],
    ids=["indices", "vectors"],
)
def test_a_run_becomes_one_episode_per_world_without_what_came_after_its_end(action: np.ndarray) -> None:
    trace = Trace(SIGNALS, action, SEEN, ("x", "y"), START, timedelta(hours=1))
    found = from_trace(trace, ("level",))
    assert trace.alive.tolist() == [[True, True], [True, False], [True, False]]
    assert found.world == ("x", "y")
    assert found.episode.tolist() == [0, 0, 0, 1]
    assert found.step.tolist() == [0, 1, 2, 0]
    assert found.feature("level").tolist() == [0.0, 2.0, 4.0, 1.0]
    assert found.action.reshape(4, -1)[:, 0].tolist() == [0, 2, 1, 1]
    assert found.signals["cost"].tolist() == [2.0, 4.0, 3.0, 6.0]
    assert str(found.at[2]) == "2011-10-01T02:00:00.000000"


def test_a_run_nobody_watched_has_no_trajectories() -> None:
    with pytest.raises(EvidenceError, match="observations"):
        from_trace(Trace(SIGNALS, np.zeros((3, 2), dtype=int), None, ("x", "y"), START, timedelta(hours=1)), ("level",))
