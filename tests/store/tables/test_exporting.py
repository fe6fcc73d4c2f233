"""Out of the log: each form in its own words, whole files or none."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tenure.core.decision import Outcome
from tenure.core.errors import DataError
from tenure.store import SqliteStore
from tenure.store.tables.exporting import export_log
from tenure.store.tables.logfile import Form, open_log

from ..rows import NOON, SIGNALS, WAIT, decision, outcome
from .test_stored import BIKES


def fill(store: SqliteStore, **changes: Any) -> None:
    store.append_decisions([decision("d1", position=3, action=1, **changes), decision("d2", episode_id="e", **changes)])
    store.append_outcomes("bikes", [outcome("o", "d1")], received_at=NOON, wait=WAIT, signals=SIGNALS)


def test_dsjson_has_vw_s_words(store: SqliteStore, tmp_path: Path) -> None:
    fill(store, candidates='[{"id": "x"}, {"id": "y"}, {"id": "z"}]')
    assert export_log(store, BIKES, tmp_path / "out.dsjson") == 2
    first, second = map(json.loads, (tmp_path / "out.dsjson").read_text().splitlines())
    assert (first["_label_cost"], first["_label_probability"], first["_label_Action"]) == (-2.5, 0.25, 2)
    assert (first["_labelIndex"], first["EventId"], first["Timestamp"]) == (1, "d1", "2011-10-01T12:00:00.000000Z")
    assert first["c"] == {"bikes": 4.0, "hour": 12.0, "_multi": [{"id": "x"}, {"id": "y"}, {"id": "z"}]}
    assert "_label_cost" not in second


def test_obp_tables_have_the_columns_of_the_open_bandit_data(store: SqliteStore, tmp_path: Path) -> None:
    fill(store)
    export_log(store, BIKES, tmp_path / "out.csv", "obp")
    table = pd.read_csv(tmp_path / "out.csv")
    names = ["timestamp", "item_id", "position", "click", "propensity_score", "bikes", "hour"]
    assert list(table.columns)[:7] == names
    assert table[names[1:]].iloc[0].to_list() == ["few", 3, 2.5, 0.25, 4, 12]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("npz", ("observations", "actions", "rewards", "terminals", "propensity")),
        ("scope-rl", ("state", "action", "reward", "terminal", "pscore")),
    ],
)
def test_arrays_have_the_names_of_their_libraries(
    store: SqliteStore, tmp_path: Path, form: Form, words: tuple[str, ...]
) -> None:
    fill(store)
    export_log(store, "bikes", tmp_path / "out.npz", form)
    with np.load(tmp_path / "out.npz") as arrays:
        observations, actions, rewards, terminals, propensity = (arrays[word] for word in words)
        assert arrays["names"].tolist() == ["bikes", "hour"]
    assert observations.tolist() == [[4, 12], [4, 12]]
    assert (actions.dtype.kind, actions.tolist()) == ("i", [1, 2])
    assert (terminals.tolist(), propensity.tolist()) == ([1, 1], [0.25, 0.25])
    np.testing.assert_array_equal(rewards, [np.nan, np.nan])  # a name alone has no reward over two signals


def test_an_export_can_be_evaluated_like_any_log(store: SqliteStore, tmp_path: Path) -> None:
    fill(store)
    forms: dict[Form, str] = {"csv": "a.csv", "jsonl": "a.jsonl", "parquet": "a.parquet", "dsjson": "a.dsjson"}
    for form, name in forms.items():
        export_log(store, BIKES, tmp_path / name, form)
        (batch,) = open_log(tmp_path / name).batches()
        assert batch.names == ("bikes", "hour")
        assert batch.features.tolist() == [[4, 12], [4, 12]]
        np.testing.assert_array_equal(batch.reward, [2.5, np.nan])


def test_a_file_is_whole_or_as_it_was(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"  # on SQLite: PostgreSQL takes no such row in the first place
    path.write_text("before")
    fill(store)
    store.append_decisions([decision("d\0")])
    with pytest.raises(DataError, match="NUL"):
        export_log(store, "bikes", path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    assert export_log(store, "bikes", tmp_path / "out.jsonl") == 3


@pytest.mark.parametrize(
    ("changes", "form", "found"),
    [
        ({"density": 0.5, "propensity": None}, "csv", "density"),
        ({"context": {"_multi": 1}}, "dsjson", "_multi"),
    ],
)
def test_what_a_form_cannot_hold_is_refused(
    store: SqliteStore, tmp_path: Path, changes: dict[str, Any], form: Form, found: str
) -> None:
    fill(store, **changes)
    with pytest.raises(DataError, match=found):
        export_log(store, "bikes", tmp_path / "out", form)


def test_a_vector_is_not_exported(store: SqliteStore, tmp_path: Path) -> None:
    store.append_decisions([decision("v", action=(0.5, 1.0), propensity=1.0)])
    with pytest.raises(DataError, match="a vector or its density in 'v'"):
        export_log(store, "bikes", tmp_path / "out.csv")


def test_an_empty_log_and_a_name_without_a_form_are_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="decisions to export"):
        export_log(store, "bikes", tmp_path / "out.csv")
    fill(store)
    with pytest.raises(DataError, match="a file named"):
        export_log(store, "bikes", tmp_path / "out")


def test_long_exports_tell_how_far_they_are(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.store.tables.exporting.PAGE", 2)
    monkeypatch.setattr("tenure.store.tables.writers.PAGE", 3)
    store.append_decisions([decision(f"d{k}") for k in range(7)])
    store.append_outcomes("bikes", [Outcome.lost("d1")], received_at=NOON, wait=timedelta(hours=1), signals=SIGNALS)
    seen: list[int] = []
    assert export_log(store, "bikes", tmp_path / "out.parquet", progress=seen.append) == 7
    assert seen == [2, 4, 6]
    assert open_log(tmp_path / "out.parquet").rows == 7
