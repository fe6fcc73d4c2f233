"""What goes out of the log and in again is the same log, in every form."""

from __future__ import annotations

import struct
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenure.core.decision import Arm, Decision, Outcome
from tenure.store import SqliteStore
from tenure.store.labels import IMPORT
from tenure.store.records import Event, LogRow
from tenure.store.tables.exporting import export_log
from tenure.store.tables.importing import import_log
from tenure.store.tables.logfile import Form, open_log
from tenure.store.tables.stored import Stored, mask_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FORMS: dict[Form, str] = {
    "csv": "x.csv",
    "jsonl": "x.jsonl",
    "parquet": "x.parquet",
    "dsjson": "x.dsjson",
    "obp": "x.csv",
    "npz": "x.npz",
    "scope-rl": "x.npz",
}
LABELS = ("3.0", "buy", "10")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
floats = st.floats(allow_nan=False)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=5,
)
names = texts | st.sampled_from(["action", "reward", "p", "click", "timestamp", "done", "context", "_dsjson_", "f"])
rows = st.fixed_dictionaries(
    {
        "unit_id": texts,
        "episode_id": st.none() | texts,
        "step": st.none() | st.integers(0, 2**40),
        "decided_at": st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
        "context": st.dictionaries(names, values, max_size=4),
        "candidates": st.none() | st.just('[{"a":1.5},{"b":"x"},{}]'),
        "mask": st.none() | st.sampled_from([b"\1\1\1", b"\1\0\1"]),
        "action": st.sampled_from([0, 2]),
        "propensity": st.none() | floats,
        "position": st.none() | st.integers(0, 9),
        "reward": st.none() | floats,
        "explored": st.booleans(),
        "reason": st.sampled_from(["imported", "deferred", "skipped"]),
        "confidence": st.floats(0, 1),
    }
)


def fill(store: SqliteStore, generated: dict[str, dict[str, Any]]) -> None:
    """Rows by id, as an import would have written them."""
    store.open_problem("p", "salt")
    store.append_event(Event("p", IMPORT, "test", "labels", NOW, {"labels": list(LABELS), "sha256": "", "file": ""}))
    for name, row in generated.items():
        fields = {**row, "decided_at": row["decided_at"].replace(tzinfo=UTC)}
        reward = fields.pop("reward")
        store.append_decisions([decision(name, **fields)])
        if reward is not None:
            outcome = Outcome.observed(f"{name}:imported", name, {"reward": reward}, NOW)
            store.append_outcomes("p", [outcome], received_at=NOW, wait=timedelta(days=99_999), signals={"reward"})


def decision(name: str, **fields: Any) -> Decision:
    """An imported decision."""
    fixed: dict[str, Any] = {
        "observation": b"",
        "stage": "imported",
        "arm": Arm.INCUMBENT,
        "version": "v",
        "kill_epoch": 0,
    }
    return Decision(
        decision_id=name, problem="p", problem_version="imported", latency_us=3, request_hash="", **fixed, **fields
    )


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)


def seen(log: Stored, row: LogRow) -> dict[str, Any]:
    """What must be the same; actions and masks by label, floats by their bits (-0 and 0 are one reward)."""
    kept = row.decision
    mask = mask_of(kept.mask)
    reward = None if row.signals is None else row.signals["reward"] + 0.0
    return {
        "id": kept.decision_id,
        "unit": (kept.unit_id, kept.episode_id, kept.step, kept.position),
        "at": kept.decided_at,
        "context": repr(kept.context),
        "candidates": kept.candidates and kept.candidates.replace(" ", ""),
        "action": log.label(kept.action),
        "allowed": mask and sorted(log.label(k) for k, allowed in enumerate(mask) if allowed),
        "propensity": bits(kept.propensity),
        "reward": (bits(reward), row.counted),
        "kept": (kept.stage, kept.arm, kept.version, kept.reason, kept.explored, kept.confidence, kept.latency_us),
    }


def contents(store: SqliteStore) -> list[dict[str, Any]]:
    log = Stored(store, "p", 100)
    return [seen(log, row) for row in log.rows()]


@pytest.mark.parametrize("form", FORMS)
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a failing log is small as it is, and shrinking one takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
@given(generated=st.dictionaries(texts, rows, min_size=1, max_size=6))
def test_export_and_import_give_the_same_log(form: Form, generated: dict[str, dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FORMS[form]
        with (
            SqliteStore(Path(folder) / "a", synchronous="OFF") as first,
            SqliteStore(Path(folder) / "b", synchronous="OFF") as second,
        ):
            fill(first, generated)
            assert export_log(first, "p", path, form) == len(generated)
            second.open_problem("p", "salt")
            done = import_log(open_log(path, form=form, whole=True), second, "p", now=NOW)
            assert done.rejected == ()
            for again, before in zip(contents(second), contents(first), strict=True):
                assert again == before
