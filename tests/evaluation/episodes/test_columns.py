"""Episodes from rows in any order: sorted, whole, with the unit they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged, joined
from tenure.evaluation.episodes.columns import Episodes, whole_episodes


def rows(**columns: Any) -> Logged:
    """A log of two actions; episodes 3 and 1 are interleaved."""
    given_: dict[str, Any] = {
        "episode": np.array([3, 1, 3, 1, 1], dtype=np.uint64),
        "step": np.array([1, 0, 0, 2, 1]),
        "unit": np.array([9, 8, 9, 8, 8], dtype=np.uint64),
        "action": np.array([0, 1, 1, 0, 0]),
        "reward": np.array([10.0, 20.0, 30.0, 40.0, 50.0]),
    } | columns
    n = len(given_["reward"])
    rest: dict[str, Any] = {
        "index": np.arange(100, 100 + n),
        "decision_id": np.arange(n).astype(object),
        "propensity": np.full(n, 0.5),
        "features": np.zeros((n, 1)),
        "names": ("x",),
        "labels": ("a", "b"),
    }
    return Logged(**(rest | given_))


P = np.array([[0.2, 0.8], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9], [0.6, 0.4]])


def test_interleaved_rows_become_whole_episodes_in_order() -> None:
    found = Episodes.from_logged(rows(), P, q=np.arange(5.0), v=-np.arange(5.0))
    assert found.episode.tolist() == [1, 3]
    assert found.unit.tolist() == [8, 9]
    assert (len(found), found.steps, found.cluster) == (2, 5, "unit")
    assert found.reward.tolist() == [20, 50, 40, 30, 10]
    assert found.target_prob.tolist() == [0.7, 0.6, 0.1, 0.6, 0.2]
    assert found.index.tolist() == [101, 104, 103, 102, 100]
    assert found.step.tolist() == [0, 1, 2, 0, 1]
    assert found.length.tolist() == [3, 2]
    assert found.q is not None
    assert found.v is not None
    assert found.q.tolist() == [1, 4, 3, 2, 0]
    assert found.v.tolist() == [-1, -4, -3, -2, 0]


def test_a_unit_that_changes_within_an_episode_gives_way_to_the_episode() -> None:
    found = Episodes.from_logged(rows(unit=np.array([9, 8, 9, 7, 8], dtype=np.uint64)), P)
    assert (found.cluster, found.unit.tolist()) == ("episode", [1, 3])


def test_without_a_unit_the_episode_is_the_unit() -> None:
    found = Episodes.from_columns(
        reward=np.ones(2), target_prob=np.ones(2), logged_prob=np.ones(2), episode=[5, 5], step=np.array([0, 1])
    )
    assert (found.cluster, found.unit.tolist(), found.elsewhere.tolist()) == ("episode", [5], [0, 0])


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ([1, 0, 0, 1, 1], "episode 1; .*|step 1 twice"),
        ([1, 0, 0, 3, 1], "no step 2 before 3; in Episodes, episode 1;"),
        ([2, 0, 1, 2, 1], "no step 0 before 1; in Episodes, episode 3;"),
        ([0, 0, 0, 2, 1], "step 0 twice; in Episodes, episode 3;"),
    ],
)
def test_doubled_and_missing_steps_are_refused_by_episode(step: list[int], named: str) -> None:
    with pytest.raises(EvidenceError, match=named):
        Episodes.from_logged(rows(step=np.array(step)), P)


def test_an_action_never_logged_or_not_allowed_counts_as_elsewhere() -> None:
    assert Episodes.from_logged(rows(), P).elsewhere.tolist() == [0] * 5
    unseen = Episodes.from_logged(rows(), P, seen=np.array([True, False]))
    assert unseen.elsewhere.tolist() == [0.7, 0.4, 0.9, 0.6, 0.8]
    barred = np.ones((5, 2), dtype=bool)
    barred[1, 0] = False
    assert Episodes.from_logged(rows(allowed=barred), P).elsewhere.tolist() == [0.3, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"episode": None}, "one-step decisions"),
        ({"step": None}, "one-step decisions"),
        ({"labels": ()}, "continuous"),
        ({"action": np.array([0, 1, 2, 0, 0])}, "row 102"),
        ({"action": np.array([0, 1, 1, -1, 0])}, "row 103"),
    ],
)
def test_a_log_that_holds_no_such_episodes_is_refused(columns: dict[str, Any], named: str) -> None:
    with pytest.raises(EvidenceError, match=named):
        Episodes.from_logged(rows(**columns), P)


def test_probabilities_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(EvidenceError, match="row 102"):
        Episodes.from_logged(rows(), np.where(np.arange(5)[:, None] == 2, 0.3, P))


def test_an_empty_log_and_columns_of_different_lengths_are_refused() -> None:
    none, at = np.zeros(0), np.zeros(0, dtype=np.int64)
    with pytest.raises(EvidenceError, match="empty log"):
        Episodes.from_columns(reward=none, target_prob=none, logged_prob=none, episode=at, step=at)
    with pytest.raises(EvidenceError, match="target_prob: 1"):
        Episodes.from_columns(reward=none, target_prob=np.ones(1), logged_prob=none, episode=at, step=at)


def in_order(lengths: list[int]) -> Logged:
    episode = np.repeat(np.arange(len(lengths)), lengths).astype(np.uint64)
    step = np.concatenate([np.arange(length) for length in lengths])
    n = len(step)
    return rows(episode=episode, step=step, unit=episode, action=np.zeros(n, dtype=np.int64), reward=np.arange(n) / 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 9))
def test_batches_are_cut_between_episodes_and_lose_nothing(lengths: list[int], size: int) -> None:
    whole = in_order(lengths)
    batches = (whole.take(slice(at, at + size)) for at in range(0, len(whole), size))
    parts = list(whole_episodes(batches))
    assert np.concatenate([part.reward for part in parts]).tolist() == whole.reward.tolist()
    ids = [set(np.asarray(part.episode).tolist()) for part in parts]
    assert all(ids)
    assert sum(map(len, ids)) == len(lengths)


def test_no_batch_gives_no_batch_and_nothing_to_join() -> None:
    assert list(whole_episodes([])) == []
    assert list(whole_episodes([in_order([2]).take(slice(0, 0))])) == []
    with pytest.raises(EvidenceError, match="none"):
        joined([])
