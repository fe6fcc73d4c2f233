"""JSON lines: nested members, what is broken, and numbers as Python writes them."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

from tenure.store.tables.jsonlines import JsonLines, flat
from tenure.store.tables.logfile import open_log


def written(folder: Path, *lines: str | bytes | dict[str, Any], name: str = "log.jsonl") -> Path:
    path = folder / name
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    data = b"\n".join(text.encode() if isinstance(text, str) else text for text in texts)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def test_members_of_a_context_keep_their_names_unless_another_has_them() -> None:
    record = {"reward": 1, "context": {"reward": 2, "hour": 3}, "user": {"age": {"years": 4}}, "_tag": 5}
    assert flat(record) == {"reward": 1, "user.age.years": 4, "_tag": 5, "context.reward": 2, "hour": 3}
    assert flat({"context": None, "features": [1, 2], "candidates": [{"a": 1}]}) == {
        "features": [1, 2],
        "candidates": '[{"a": 1}]',
    }


def test_broken_lines_are_listed_and_the_others_read(tmp_path: Path) -> None:
    good = {"action": "a", "reward": 1.5, "propensity": 0.5}
    path = written(tmp_path, good, "", "{broken", "[1, 2]", b'{"action": "\xff"}', good, name="log.jsonl.gz")
    log = open_log(path)
    assert [(r.line, r.text) for r in log.rejected] == [(3, "{broken"), (4, "[1, 2]"), (5, '{"action": "\\xff"}')]
    assert "no JSON" in log.rejected[0].reason
    assert "no JSON object" in log.rejected[1].reason
    assert [index for batch in log.batches() for index in batch.index.tolist()] == [0, 4]


def test_python_s_nan_is_read_and_stays_for_the_estimators_to_refuse(tmp_path: Path) -> None:
    path = written(tmp_path, '{"action": "a", "reward": NaN, "x": Infinity}', '{"action": "b", "reward": 2, "x": 1}')
    (batch,) = open_log(path).batches()
    assert math.isnan(batch.reward[0])
    assert batch.features.tolist() == [[math.inf], [1.0]]


def test_names_the_first_rows_lack_are_said(tmp_path: Path) -> None:
    lines = [{"action": "a", "reward": 1}] * 10_001
    log = open_log(written(tmp_path, *lines, {"action": "a", "reward": 1, "late": 3}))
    assert "left out: late (not in the first rows)" in log.summary


def test_a_context_member_is_a_feature_whatever_its_name(tmp_path: Path) -> None:
    line = {"action": "a", "reward": 1, "context": {"timestamp": 7, "p": 0.5}}
    log = open_log(written(tmp_path, line, line))
    assert set(log.names) == {"timestamp", "p"}
    assert set(log.mapping.roles) == {"action", "reward"}


def test_a_file_of_objects_that_are_no_decisions_has_no_first_row(tmp_path: Path) -> None:
    source = JsonLines(written(tmp_path, "{broken"))
    assert source.sample() == {}
    assert source.inner == frozenset()


def test_half_a_surrogate_pair_and_endless_nesting_cost_their_line(tmp_path: Path) -> None:
    good = {"action": "a", "reward": 1}
    path = written(tmp_path, good, '{"action": "\\ud800"}', '{"action": ' + "[" * 5000 + "]" * 5000 + "}")
    reasons = [(r.line, r.reason) for r in open_log(path).rejected]
    assert reasons == [(2, "it is not UTF-8"), (3, "it is nested too deeply")]
