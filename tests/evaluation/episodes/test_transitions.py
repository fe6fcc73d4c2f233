"""Transitions: what follows each step, and where nothing does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.logged import Logged
from tenure.evaluation.episodes.transitions import Transitions, rounds_needed


def rows(**columns: Any) -> Logged:
    """Episode 1 has steps 0 to 2, episode 4 one step; rows are interleaved, feature = 10 episode + step."""
    episode, step = np.array([1, 4, 1, 1], dtype=np.uint64), np.array([2, 0, 0, 1])
    given: dict[str, Any] = {
        "index": np.arange(4),
        "decision_id": np.arange(4).astype(object),
        "unit": episode,
        "action": np.array([0, 1, 1, 0]),
        "propensity": np.full(4, 0.5),
        "reward": np.array([12.0, 40.0, 10.0, 11.0]),
        "features": (10.0 * episode + step)[:, None],
        "names": ("x",),
        "labels": ("a", "b"),
        "episode": episode,
        "step": step,
    }
    return Logged(**(given | columns))


P = np.tile([0.3, 0.7], (4, 1))
NONE = np.empty(0, dtype=np.uint64)


def test_rows_are_sorted_and_the_last_step_of_an_ended_episode_leads_nowhere() -> None:
    found = Transitions.from_logged(rows(), P)
    assert found.features[:, 0].tolist() == [10, 11, 12, 40]
    assert found.reward.tolist() == [10, 11, 12, 40]
    assert found.following.tolist() == [1, 2, -1, -1]
    assert found.taken.tolist() == [True] * 4
    assert found.row.tolist() == [2, 3, 0, 1]
    assert found.owner.tolist() == [1, 1, 1, 4]
    assert (found.actions, found.cluster, found.length.tolist()) == (2, "unit", [3, 1])


def test_the_last_row_of_a_cut_episode_is_a_state_only() -> None:
    found = Transitions.from_logged(rows(), P, cut=np.array([1], dtype=np.uint64))
    assert found.following.tolist() == [1, 2, -1, -1]
    assert found.taken.tolist() == [True, True, False, True]


def test_a_cut_episode_that_is_not_in_the_log_is_refused() -> None:
    with pytest.raises(EvidenceError, match="found 7"):
        Transitions.from_logged(rows(), P, cut=np.array([7], dtype=np.uint64))


def test_actions_the_whole_log_never_took_count_as_elsewhere() -> None:
    found = Transitions.from_logged(rows(), P, seen=np.array([True, False]))
    assert found.elsewhere.tolist() == [0.7] * 4


@pytest.mark.parametrize(
    ("cut", "discount", "rounds"),
    [
        (NONE, 1.0, 3),
        # 0.01^2 is below 0.001 before three steps have passed.
        (NONE, 0.01, 2),
        (NONE, 0.9, 3),
        # ln 0.001 / ln 0.9 = 65.56.
        (np.array([1], dtype=np.uint64), 0.9, 66),
    ],
)
def test_rounds_reach_the_end_or_what_the_discount_leaves(cut: Any, discount: float, rounds: int) -> None:
    assert rounds_needed(Transitions.from_logged(rows(), P, cut=cut), discount) == rounds


def test_a_cut_episode_without_a_discount_has_no_value() -> None:
    with pytest.raises(EvidenceError, match="below 1"):
        rounds_needed(Transitions.from_logged(rows(), P, cut=np.array([4], dtype=np.uint64)), 1.0)
