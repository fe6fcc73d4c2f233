"""Into the log: nothing twice, nothing lost, contexts as they came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.core.errors import ConflictError, DataError
from tenure.store import SqliteStore
from tenure.store.labels import known_labels
from tenure.store.records import LogRow
from tenure.store.tables import importing
from tenure.store.tables.importing import Imported, import_log
from tenure.store.tables.logfile import open_log

from .test_stored import BIKES

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "log.sqlite", synchronous="OFF") as opened:
        opened.open_problem("p", "salt")
        yield opened


def take(store: SqliteStore, source: Any, **options: Any) -> Imported:
    return import_log(open_log(source, whole=True, **options), store, "p", now=NOW)


def rows(store: SqliteStore) -> list[LogRow]:
    return store.read_rows("p", limit=1000)


def plain(context: Any) -> Any:
    """A context as what it may hold, texts and lists too."""
    return context


def csv(folder: Path, *lines: str, name: str = "in.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_s_cells_become_the_context_under_their_names(store: SqliteStore, tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "decision_id,unit_id,action,propensity,reward,decided_at,x,colour,open,empty",
        "d1,u1,buy,0.25,1.5,2020-01-01T00:00:00+01:00,7,red,true,",
        "d2,,wait,,,,,0045,false,",
    )
    assert take(store, path) == Imported(2, 0, 1, ())
    first, second = (row.decision for row in rows(store))
    assert plain(first.context) == {"x": 7.0, "colour": "red", "open": "true"}
    assert plain(second.context) == {"colour": "0045", "open": "false"}
    assert (first.unit_id, second.unit_id) == ("u1", "d2")
    assert (first.propensity, second.propensity) == (0.25, None)
    assert first.decided_at == datetime(2019, 12, 31, 23, tzinfo=UTC)
    assert [row.signals for row in rows(store)] == [{"reward": 1.5}, None]
    assert (first.stage, first.arm, first.version, first.reason) == ("imported", "incumbent", "imported", "imported")
    assert known_labels(store, "p") == ("buy", "wait")
    assert store.verify("p").intact


def test_json_contexts_are_kept_whole(store: SqliteStore, tmp_path: Path) -> None:
    record = {"action": "a", "reward": 1, "user": {"tags": ["x", 1, None]}, "context": {"_multi_": {}, "n": 3}}
    take(store, csv(tmp_path, json.dumps(record), name="in.jsonl"))
    assert rows(store)[0].decision.context == {"user": {"tags": ["x", 1, None]}, "_multi_": {}, "n": 3}


def test_typed_cells_keep_their_json_kind(store: SqliteStore) -> None:
    frame = pd.DataFrame(
        {"action": ["a"], "n": [3], "f": [0.1], "yes": [True], "at": pd.to_datetime(["2020-01-01"]), "day": ["x"]}
    )
    take(store, frame.assign(day=[datetime(2020, 1, 2, tzinfo=UTC).date()]), mapping={"columns": {"decided_at": "at"}})
    assert rows(store)[0].decision.context == {"n": 3, "f": 0.1, "yes": True, "day": "2020-01-02"}


def test_the_same_file_again_adds_nothing_and_more_labels_keep_the_old_numbers(
    store: SqliteStore, tmp_path: Path
) -> None:
    path = csv(tmp_path, "action,reward", "b,1", "c,2")
    assert take(store, path) == Imported(2, 0, 2, ())
    before = store.verify("p").rows
    assert take(store, path) == Imported(0, 2, 0, ())
    assert store.verify("p").rows == before
    take(store, csv(tmp_path, "action,reward", "a,1", "c,3", name="more.csv"))
    assert known_labels(store, "p") == ("b", "c", "a")
    assert [row.decision.action for row in rows(store)] == [0, 1, 2, 1]
    assert take(store, path) == Imported(0, 2, 0, ())


def test_an_import_that_was_cut_short_goes_on(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "GROUP", 10)
    path = csv(tmp_path, "action,reward", *["a,1"] * 35)

    def stop(count: int) -> None:
        if count == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_log(open_log(path), store, "p", now=NOW, progress=stop)
    assert len(rows(store)) == 20
    assert take(store, path) == Imported(15, 20, 15, ())


def test_rewards_that_come_later_join_and_other_contents_are_rejected(store: SqliteStore, tmp_path: Path) -> None:
    take(store, csv(tmp_path, "decision_id,action,reward", "d1,a,", "d2,a,1", "d3,a,1"))
    done = take(store, csv(tmp_path, "decision_id,action,reward", "d1,a,5", "d2,b,1", "d3,a,2", name="later.csv"))
    assert (done.written, done.existing, done.outcomes) == (0, 2, 1)
    assert [(r.line, r.reason) for r in done.rejected] == [
        (3, "decision 'd2' is in the log already, with another content"),
        (4, "decision 'd3' has another outcome in the log already"),
    ]
    assert [row.signals for row in rows(store)] == [{"reward": 5.0}, {"reward": 1.0}, {"reward": 1.0}]


def test_one_id_in_several_positions_is_several_decisions(store: SqliteStore, tmp_path: Path) -> None:
    take(store, csv(tmp_path, "decision_id,position,action,reward", "d,1,a,0", "d,2,b,1"))
    assert [(row.decision.decision_id, row.decision.unit_id, row.decision.position) for row in rows(store)] == [
        ("d#1", "d", 1),
        ("d#2", "d", 2),
    ]


def test_a_problem_s_signals_are_found_among_the_columns_and_leave_the_context(
    store: SqliteStore, tmp_path: Path
) -> None:
    store.open_problem("bikes", "salt")
    path = csv(tmp_path, "action,cost,trips,bikes,hour,extra", "few,1.5,2,4,12,z", "many,1.5,2,4,,z")
    labels = ("none", "few", "many")
    log = open_log(path, actions=labels, whole=True)
    assert import_log(log, store, "bikes", now=NOW, problem=BIKES).outcomes == 2
    first, second = store.read_rows("bikes", limit=9)
    assert first.signals == {"cost": 1.5, "trips": 2.0}
    assert first.decision.context == {"bikes": 4.0, "hour": 12.0, "extra": "z"}
    assert np.frombuffer(first.decision.observation, "<f4").tolist() == [4, 12]
    assert np.isnan(np.frombuffer(second.decision.observation, "<f4")[1])
    assert (first.decision.action, first.decision.problem_version) == (1, BIKES.version)
    (batch,) = open_log((store, BIKES)).batches()
    assert batch.reward.tolist() == [2.5, 2.5]


def test_deferred_events_are_kept_without_an_outcome(store: SqliteStore, tmp_path: Path) -> None:
    line = {"_label_cost": -1, "_label_probability": 0.5, "_label_Action": 1, "EventId": "e", "c": {"_multi": [{}, {}]}}
    take(store, csv(tmp_path, json.dumps({**line, "deferred": True}), name="in.dsjson"))
    (row,) = rows(store)
    assert (row.decision.reason, row.signals, row.decision.candidates) == ("deferred", None, "[{}, {}]")
    assert (row.decision.mask, plain(row.decision.context)["_dsjson"]) == (b"\1\1", {"deferred": True})


def test_episodes_told_by_terminals_get_names(store: SqliteStore) -> None:
    take(store, {"action": ["a"] * 4, "reward": [1.0] * 4, "terminal": [0, 1, 0, 0]})
    assert [(row.decision.episode_id, row.decision.step) for row in rows(store)] == [
        ("0", 0),
        ("0", 1),
        ("1", 0),
        ("1", 1),
    ]


def test_tables_in_memory_are_told_by_their_content(store: SqliteStore) -> None:
    table = {"action": ["a", "b"], "reward": [1.0, 2.0]}
    assert take(store, table).written == 2
    assert take(store, table).existing == 2
    assert take(store, {**table, "reward": [1.0, 3.0]}).written == 2


def test_a_log_of_numbers_with_fractions_is_refused(store: SqliteStore) -> None:
    with pytest.raises(DataError, match="labelled actions"):
        take(store, {"action": [0.5, 1.0], "reward": [1.0, 2.0]})


def test_a_kill_between_two_groups_stops_the_import(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "GROUP", 1)
    log = open_log(csv(tmp_path, "action,reward", "a,1", "a,2"))

    def kill(count: int) -> None:
        store.kill("p", actor="ann", reason=str(count), at=NOW)

    with pytest.raises(ConflictError, match="kill"):
        import_log(log, store, "p", now=NOW, progress=kill)
    assert len(rows(store)) == 1


def test_an_infinite_reward_is_kept_in_quarantine(store: SqliteStore, tmp_path: Path) -> None:
    take(store, csv(tmp_path, "action,reward", "a,inf", "a,nan"))
    assert [(row.signals, row.counted) for row in rows(store)] == [({"reward": float("inf")}, False), (None, False)]


def test_one_signal_worth_its_reward_is_told_by_the_reward(store: SqliteStore, tmp_path: Path) -> None:
    only = replace(BIKES, signals=BIKES.signals[:1], reward=BIKES.reward.without("trips"))
    path = csv(tmp_path, "action,reward", "few,-3")
    log = open_log(path, actions=("none", "few", "many"), whole=True)
    store.open_problem("bikes", "salt")
    import_log(log, store, "bikes", now=NOW, problem=only)
    assert store.read_rows("bikes", limit=1)[0].signals == {"cost": 3.0}


def test_signals_of_an_export_are_taken_as_they_are(store: SqliteStore, tmp_path: Path) -> None:
    record = {"action": "a", "reward": 9, "signals": {"cost": 1.5}, "candidates": "no json", "context": {}}
    path = csv(tmp_path, json.dumps(record), name="in.jsonl")
    take(store, path)
    (row,) = rows(store)
    assert (row.signals, row.decision.candidates) == ({"cost": 1.5}, "no json")


def test_a_number_the_log_cannot_hold_is_rejected(store: SqliteStore, tmp_path: Path) -> None:
    lines = [json.dumps({"action": "a", "reward": 1, "context": {"n": n}}) for n in (2**70, 2**63)]
    done = take(store, csv(tmp_path, *lines, name="in.jsonl"))
    assert (done.written, [(r.line, r.reason) for r in done.rejected]) == (1, [(1, "a whole number beyond 64 bits")])
