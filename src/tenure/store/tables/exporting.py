"""The log out of Tenure, in the forms others read; what a form has no word for goes into columns of its own.

Every form carries `context` (the JSON as it came) and `tenure` (who answered, in which stage and why), from which an
import makes the same decisions again: ids, contexts, candidates and floats to the bit, times to the microsecond. In a
form with words for single features these are repeated from the context for its readers. Not in any form: shadow
proposals, outcomes that do not count, and what a correction replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tenure.core.problem import Problem
from tenure.store.log import Store
from tenure.store.records import FLAGS, LogRow
from tenure.store.rows import to_json
from tenure.store.tables.chunks import bad_data
from tenure.store.tables.logfile import Form, form_of
from tenure.store.tables.roles import WORDS, key_of
from tenure.store.tables.stored import Stored, mask_of
from tenure.store.tables.writers import SCHEMA, WRITERS, Record, Writing

PAGE = 5_000
"""Decisions read at a time."""
_TAKEN = {"", *map(key_of, SCHEMA.names), *(key_of(word) for words in WORDS.values() for word in words)}


def export_log(
    store: Store, problem: Problem | str, path: Path, form: Form | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:  # fmt: skip
    """Write all decisions of a problem to a file, whole or not at all; returns how many.

    Raises:
        DataError: there is none, a density is among them, or the form cannot hold one of them.
    """
    form = form or form_of(path)
    log = Stored(store, problem, PAGE)
    if not store.read_rows(log.key, limit=1):
        raise bad_data("decisions to export", "none", log.name, "import or record some first")
    writing = Writing(log.labels, _features(log))
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("wb") as file:
            count = WRITERS[form](file, _counted(_records(log), progress), writing)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return count


def _counted(records: Iterable[Record], progress: Callable[[int], None] | None) -> Iterator[Record]:
    for count, record in enumerate(records, start=1):
        yield record
        if progress is not None and count % PAGE == 0:
            progress(count)


def _records(log: Stored) -> Iterator[Record]:
    for row in log.rows():
        yield _record(log, row)


def _record(log: Stored, row: LogRow) -> Record:
    """One decision under the names of SCHEMA."""
    decision = row.decision
    if isinstance(decision.action, tuple) or decision.density is not None:
        found = f"a vector or its density in {decision.decision_id!r}"
        raise bad_data("labelled actions", found, log.name, "export it by hand")
    mask = mask_of(decision.mask)
    kept = {
        "stage": decision.stage,
        "arm": decision.arm.value,
        "version": decision.version,
        "reason": decision.reason,
        "explored": decision.explored,
        "confidence": decision.confidence,
        "latency_us": decision.latency_us,
    }
    signals = None if row.signals is None or set(row.signals) == {"reward"} else to_json(row.signals)
    return {
        "decision_id": decision.decision_id,
        "unit_id": decision.unit_id,
        "episode_id": decision.episode_id,
        "step": decision.step,
        "decided_at": decision.decided_at,
        "action": log.label(decision.action),
        "propensity": decision.propensity,
        "reward": log.reward(row),
        "position": decision.position,
        "mask": None if mask is None else _allowed(mask, log),
        "flag": decision.reason if decision.reason in FLAGS else None,
        "signals": signals,
        "candidates": decision.candidates,
        "context": to_json(decision.context),
        "tenure": to_json(kept),
    }


def _allowed(mask: Sequence[bool], log: Stored) -> str:
    """The allowed actions as a JSON list of their labels: right whatever order the reader puts labels in."""
    return json.dumps([log.label(k) for k, allowed in enumerate(mask) if allowed])


def _features(log: Stored) -> tuple[str, ...]:
    """Members of the contexts that are a number or text in every row, in order of their names."""
    names: set[str] | None = None
    for row in log.rows():
        context = row.decision.context
        plain = {name for name, value in context.items() if isinstance(value, int | float | str) and _is_name(name)}
        names = plain if names is None else names & plain
    return tuple(sorted(names or ()))


def _is_name(name: str) -> bool:
    """Names that can stand as a column of their own, beside all words with a role."""
    return name == name.strip() and name.isprintable() and key_of(name) not in _TAKEN
