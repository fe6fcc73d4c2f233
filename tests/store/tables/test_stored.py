"""Tenure's own log as a source: what counts, corrected, in batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.decision import Arm
from tenure.core.errors import DataError
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Box, Discrete, Feature
from tenure.store import SqliteStore
from tenure.store.tables.logfile import open_log
from tenure.store.tables.stored import Stored

from ..rows import NOON, SIGNALS, WAIT, decision, outcome

BIKES = Problem(
    name="bikes",
    about="how many bikes to bring",
    observation=(Feature("bikes", "bikes"), Feature("hour", "hours")),
    action=Discrete(("none", "few", "many")),
    signals=(Signal("cost", "EUR", 0, 100), Signal("trips", "trips", 0, 100)),
    reward=Reward((Term("cost", -1.0, "EUR", "it is paid"), Term("trips", 2.0, "EUR", "it is earned"))),
    kpis=(KPI("cost", "EUR", "lower", {"cost": 1.0}),),
)

BOXED = replace(BIKES, action=Box(("x", "y"), ("m", "m"), (0.0, 0.0), (1.0, 1.0)))


def test_a_problem_gives_labels_observations_and_the_reward_of_its_signals(store: SqliteStore) -> None:
    store.append_decisions([decision("a"), decision("b", mask=b"\1\0\1"), decision("c", propensity=None)])
    outcomes = [outcome("o", "a", cost=1.5, trips=2.0), outcome("o", "b", cost=float("inf"))]  # b's is in quarantine
    store.append_outcomes("bikes", outcomes, received_at=NOON, wait=WAIT, signals=SIGNALS)
    store.append_correction("bikes", "b", action=0, arm=Arm.INCUMBENT, propensity=1.0, reason="kill", at=NOON)
    log = open_log((store, BIKES))
    (batch,) = log.batches()
    assert (log.labels, log.names) == (("none", "few", "many"), ("bikes", "hour"))
    assert batch.decision_id.tolist() == ["a", "b", "c"]
    assert batch.action.tolist() == [2, 0, 2]
    np.testing.assert_array_equal(batch.propensity, [0.25, 1.0, np.nan])
    np.testing.assert_array_equal(batch.reward, [-1.5 + 4, np.nan, np.nan])
    assert batch.features.tolist() == [[4, 12]] * 3
    assert batch.allowed is not None
    assert batch.allowed.tolist() == [[True] * 3, [True, False, True], [True] * 3]
    assert str(batch.at[0]) == "2011-10-01T12:00:00.000000"


def test_a_name_alone_gives_contexts_and_numbers_for_labels(store: SqliteStore) -> None:
    rows = [decision(f"d{k}", action=k % 3, context={"hour": k, "colour": "red"}) for k in range(25)]
    store.append_decisions(rows)
    store.append_decisions([decision("e", reason="deferred", context={"hour": 99})])
    log = open_log((store, "bikes"), size=10)
    assert (log.labels, log.names, log.rows) == (("0", "1", "2"), ("colour=red", "hour"), 25)
    parts = list(log.batches())
    assert [len(part) for part in parts] == [10, 10, 5]
    assert np.concatenate([part.features[:, 1] for part in parts]).tolist() == list(range(25))
    assert parts[0].episode is not None


def test_flagged_decisions_are_no_evidence_for_anybody(store: SqliteStore) -> None:
    store.append_decisions([decision("a"), decision("b", reason="deferred"), decision("c", reason="skipped")])
    assert store.read_log("bikes").decision_id == ["a"]
    assert [row.decision.decision_id for row in store.read_rows("bikes", limit=9)] == ["a", "b", "c"]


def test_a_log_of_nothing_but_flagged_decisions_gives_no_batch(store: SqliteStore) -> None:
    store.append_decisions([decision("a", reason="deferred")])
    with pytest.raises(DataError, match="at least one row that counts"):
        next(open_log((store, "bikes")).batches())


def test_the_file_of_a_log_is_enough_where_it_holds_one_problem(store: SqliteStore, path: Path) -> None:
    store.append_decisions([decision("a")])
    assert open_log(path).rows == 1
    assert open_log((path, "bikes")).rows == 1
    store.open_problem("cars", "salt")
    with pytest.raises(DataError, match=r"bikes.*cars"):
        open_log(path)
    with pytest.raises(DataError, match="no such file"):
        Stored(path.parent / "absent", None, 10)


def test_an_empty_log_has_no_rows(store: SqliteStore) -> None:
    with pytest.raises(DataError, match="rows"):
        open_log((store, "bikes"))


def test_a_problem_without_labels_has_none(store: SqliteStore) -> None:
    assert Stored(store, BOXED, 10).labels == ()


def test_vectors_come_with_their_densities(store: SqliteStore) -> None:
    drawn = [((0.25, 1.0), 0.5), ((0.75, 0.0), 1.5)]
    store.append_decisions(
        [decision(f"d{k}", action=action, propensity=None, density=each) for k, (action, each) in enumerate(drawn)]
    )
    log = open_log((store, BOXED))
    (batch,) = log.batches()
    assert (log.labels, batch.action.tolist(), batch.propensity.tolist()) == (
        (),
        [[0.25, 1.0], [0.75, 0.0]],
        [0.5, 1.5],
    )


def test_where_some_vectors_were_drawn_by_nobody_none_has_a_density(store: SqliteStore) -> None:
    # by a point mass and a density no row may be weighed, and the rows with one are chosen by what was done
    store.append_decisions(
        [
            decision("a", action=(0.25, 1.0), propensity=None, density=0.5),
            decision("b", action=(0.5, 0.5), propensity=0.75),
        ]
    )
    (batch,) = open_log((store, BOXED)).batches()
    assert np.isnan(batch.propensity).all()
