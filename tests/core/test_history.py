"""Windows hold the newest observation first; the rules of a problem read on in the first columns."""

from __future__ import annotations

import numpy as np
import pytest
from tests.simulators.worlds import Always, line_problem

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError
from tenure.core.history import History, Newest, Remembered, remembering
from tenure.core.policy import Proposal


class Told:
    """Keeps what it was shown."""

    version = "told"
    history = History(3)

    def __init__(self) -> None:
        self.shown: list[Floats] = []

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        self.shown.append(observation)
        return Proposal(np.zeros(len(observation), dtype=np.int64), np.ones(len(observation)))


def rows(*values: float) -> Floats:
    """Observations of one feature."""
    return np.array(values, dtype=np.float32)[:, None]


def test_a_window_begins_with_the_first_observation_in_every_place_and_forgets_the_oldest() -> None:
    policy = Told()
    run = remembering(policy)
    for step in ((1.0, 5.0), (2.0, 6.0), (3.0, 7.0), (4.0, 8.0)):
        run.propose(rows(*step), None, np.zeros(2))
    assert [shown.tolist() for shown in policy.shown] == [
        [[1, 1, 1], [5, 5, 5]],
        [[2, 1, 1], [6, 5, 5]],
        [[3, 2, 1], [7, 6, 5]],
        [[4, 3, 2], [8, 7, 6]],
    ]
    seen = np.stack([rows(1, 5), rows(2, 6), rows(3, 7), rows(4, 8)])
    assert np.array_equal(History(3).windows(seen), np.stack(policy.shown))


def test_each_run_has_windows_of_its_own() -> None:
    policy = Told()
    for value in (1.0, 2.0):
        remembering(policy).propose(rows(value), None, np.zeros(1))
    assert policy.shown[1].tolist() == [[2, 2, 2]]
    assert isinstance(remembering(policy), Remembered)
    plain = Always(1)
    assert remembering(plain) is plain


def test_the_older_features_say_how_old_they_are_and_refer_to_their_own_age() -> None:
    problem = line_problem()
    wide = History(2).problem(problem).observation
    assert [one.name for one in wide] == ["position", "walked", "position, 1 step ago", "walked, 1 step ago"]
    assert [one.lag for one in wide] == [0, 0, 1, 1]
    assert wide[:2] == problem.observation


def test_a_rule_reads_the_newest() -> None:
    policy = Told()
    Newest(policy, 1).propose(np.array([[4, 3, 2]], dtype=np.float32), None, np.zeros(1))
    assert policy.shown[0].tolist() == [[4]]


def test_weights_halve_with_the_half_life_and_sum_to_one() -> None:
    weights = History(3, half_life=1.0).weights
    assert weights.tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"steps": 3, "half_life": 0.0}, {"steps": 3, "half_life": -1.0}])
def test_what_is_no_history_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ProblemError, match=r"\[train.history\]"):
        History(**wrong)  # type: ignore[arg-type]
