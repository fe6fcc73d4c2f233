"""The columns of a shadow report check themselves, and count what they hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.shadow_logs import replay_of, shadow_log

from tenure.core.errors import EvidenceError
from tenure.evaluation.shadow.log import Margin, ShadowLog, hashed


def test_delivered_differing_measured_and_days_by_hand() -> None:
    log = shadow_log(4, action=np.array([0, 1, 1, 0]), proposed=[1, 1, -1, -1], time=np.array([1.0, 2, 3, np.nan]))
    assert log.delivered.tolist() == [True, True, False, False]
    assert log.differs.tolist() == [True, False, False, False]
    assert log.measured.tolist() == [True, True, True, False]
    assert log.days == 2  # the days of the two rows with a proposal


def test_an_empty_log_has_no_days() -> None:
    assert shadow_log(0).days == 0


@pytest.mark.parametrize("proposed", [[0, 2], [-2, 1], [0]])
def test_proposals_that_are_no_actions_or_too_few_are_refused(proposed: list[int]) -> None:
    with pytest.raises(EvidenceError):
        shadow_log(2, proposed=proposed)


def test_columns_of_another_length_are_refused() -> None:
    log = shadow_log(5)
    with pytest.raises(EvidenceError, match="per row"):
        ShadowLog(log.rows, log.proposed, {"time": np.zeros(4)})
    with pytest.raises(EvidenceError, match="per row"):
        replace(replay_of(log, np.zeros(5), np.zeros(5)), cluster=log.rows.unit[:3])


def test_a_replay_with_an_unknown_signal_is_refused() -> None:
    log = shadow_log(5)
    with pytest.raises(EvidenceError, match="simulator"):
        replay_of(log, [0, 1, np.nan, 3, 4], np.zeros(5))


def test_margins_are_absolute_or_a_share_of_the_incumbent_s_size() -> None:
    assert Margin(0.5).of(-20) == 0.5
    assert Margin(0.5, relative=True).of(-20) == 10


def test_equal_names_hash_alike_everywhere() -> None:
    assert hashed(["a", "b", "a"]).tolist() == [hashed(["a"])[0], hashed(["b"])[0], hashed(["a"])[0]]
    assert hashed(["tenure"])[0] == 15126313520579493715  # b2sum -l 64, read from the low end
    assert len(hashed([])) == 0
