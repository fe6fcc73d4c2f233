"""The log as columns."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.store import Store

from .rows import NOON, SIGNALS, WAIT, decision, outcome, proposal


def test_the_log_comes_as_typed_columns_in_sequence_order(store: Store) -> None:
    other = np.array([0.1, 7], dtype="<f4").tobytes()
    store.append_decisions([decision("z"), decision("b", explored=True, observation=other, propensity=None)])
    store.append_decisions([decision("a", episode_id=None, step=None, unit_id="station-8", stage="shadow")])
    store.append_outcomes("bikes", [outcome("o", "b")], received_at=NOON, wait=WAIT, signals=SIGNALS)
    store.append_proposals("bikes", [proposal("a")])
    log = store.read_log("bikes")
    assert len(log) == 3
    assert log.decision_id == ["z", "b", "a"]
    assert log.sequence.tolist() == [1, 2, 3]
    assert log.unit_id == ["station-7", "station-7", "station-8"]
    assert log.episode_id == ["day-1", "day-1", None]
    assert log.step.tolist() == [3, 3, -1]
    assert log.decided_at.tolist() == [NOON.replace(tzinfo=None)] * 3
    assert log.stage == ["canary", "canary", "shadow"]
    assert log.arm == ["candidate"] * 3
    assert log.version == ["v1"] * 3
    assert log.action.tolist() == [2, 2, 2]
    np.testing.assert_array_equal(log.propensity, [0.25, np.nan, 0.25])
    assert log.explored.tolist() == [False, True, False]
    assert log.confidence.tolist() == [0.75] * 3
    np.testing.assert_array_equal(log.observation, np.array([[4, 12], [0.1, 7], [4, 12]], dtype=np.float32))
    assert log.joined.tolist() == [False, True, False]
    np.testing.assert_array_equal(log.signals["cost"], [np.nan, 1.5, np.nan])
    assert log.shadow_action.tolist() == [-1, -1, 5]
    assert log.shadow_version == [None, None, "v2"]


def test_columns_have_the_promised_types_even_when_empty(store: Store) -> None:
    store.append_decisions([decision("a")])
    for log in (store.read_log("bikes"), store.read_log("bikes", after_sequence=1)):
        integers = (log.sequence, log.step, log.action, log.shadow_action)
        assert [column.dtype.name for column in integers] == ["int64"] * 4
        floats = (log.propensity, log.confidence, log.observation)
        assert [column.dtype.name for column in floats] == ["float64", "float64", "float32"]
        assert [column.dtype.name for column in (log.explored, log.joined)] == ["bool", "bool"]
        assert log.decided_at.dtype.name == "datetime64[us]"
        assert log.observation.ndim == 2
    assert len(log) == 0


def test_the_log_can_be_read_in_parts(store: Store) -> None:
    store.append_decisions([decision(name, decided_at=NOON + timedelta(hours=k)) for k, name in enumerate("abcd")])
    assert store.read_log("bikes", after_sequence=1, limit=2).decision_id == ["b", "c"]
    assert store.read_log("bikes", upto=NOON + timedelta(hours=1)).decision_id == ["a", "b"]
    assert store.read_log("other").decision_id == []


def test_observations_of_two_widths_cannot_be_one_matrix(store: Store) -> None:
    store.append_decisions([decision("a"), decision("b", observation=bytes(4))])
    with pytest.raises(EvidenceError, match=r"widths of \[1, 2\] features"):
        store.read_log("bikes")


def test_a_count_of_an_untouched_problem_is_zero_everywhere(store: Store) -> None:
    words = {"decisions", "learned", "proposals", "corrections"}
    places = {"joined", "early", "orphan", "late", "repeated", "quarantine"}
    assert store.counts("bikes") == dict.fromkeys(words | places, 0)
