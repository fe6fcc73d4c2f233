"""A log from anywhere into Tenure's own: decisions with their context as it came, outcomes joined, nothing twice.

An import may be cut short and repeated: decisions and outcomes are told by their ids, and rows without one get the
hash of the file and their place in it. Rewards that are NaN were not measured and leave no outcome.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tenure.core.decision import Decision, Outcome
from tenure.core.errors import ConflictError
from tenure.core.problem import Problem
from tenure.store.labels import IMPORT, add_labels
from tenure.store.log import Store
from tenure.store.records import Event
from tenure.store.tables.chunks import Rejection, bad_data
from tenure.store.tables.import_rows import STAGE, Row, Target, rows_of
from tenure.store.tables.logfile import LogFile

GROUP = 2_000
"""Decisions written in one group commit."""


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Args:
        written: decisions that are new in the log.
        existing: decisions that were there before.
        outcomes: outcomes that are new.
        rejected: rows that are not in the log, each with its reason.
    """

    written: int
    existing: int
    outcomes: int
    rejected: tuple[Rejection, ...]


def import_log(
    log: LogFile,
    store: Store,
    name: str,
    *,
    now: datetime,
    problem: Problem | None = None,
    actor: str = "tenure",
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Write a log into a store, in group commits.

    Args:
        log: what was opened; its labels must be the problem's where there is one.
        store: where to; the problem must be open in it.
        name: name of the problem in the store.
        now: moment of the import.
        problem: the project's problem, whose signals and features are used.
        actor: who imports, for the event that says so.
        progress: called with the rows taken so far, after each group.

    Raises:
        DataError: the actions are numbers with fractions, which the log cannot hold.
    """
    if not log.labels:
        found = f"a Box of {log.found.plan.box}"
        fix = "evaluate the file itself with --log; the log of decisions holds labelled actions only"
        raise bad_data("labelled actions", found, log.source.name, fix)
    sha256 = _sha256(log)
    labels = log.actions or add_labels(store, name, log.labels, actor, now)
    target = Target(store, name, labels, problem, store.control(name).kill_epoch, sha256)
    _announce(target, log, actor, now)
    written = existing = outcomes = taken = 0
    rejected = list(log.rejected)
    for group in _groups(rows_of(log, target, rejected)):
        done = _write(target, group, now)
        written, existing = written + done.written, existing + done.existing
        outcomes, taken = outcomes + done.outcomes, taken + len(group)
        rejected += done.rejected
        if progress is not None:
            progress(taken)
    return Imported(written, existing, outcomes, tuple(sorted(rejected, key=lambda rejection: rejection.line)))


def _announce(target: Target, log: LogFile, actor: str, now: datetime) -> None:
    """One event per file, written before its first row."""
    payload = {"file": Path(log.source.name).name, "sha256": target.sha256, "labels": list(target.labels)}
    events = [event.payload for event in target.store.events(target.name) if event.kind == IMPORT]
    if payload["sha256"] not in [event["sha256"] for event in events]:
        target.store.append_event(Event(target.name, IMPORT, actor, f"import of {payload['file']}", now, payload))


def _sha256(log: LogFile) -> str:
    """Hash of the file's bytes; of tables in memory, of the ids and rewards of all rows."""
    paths = getattr(log.source, "paths", None) or [getattr(log.source, "path", Path(log.source.name))]
    digest = hashlib.sha256()
    if all(Path(path).is_file() for path in paths):
        for path in paths:
            with Path(path).open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()
    for batch in log.batches():
        digest.update(batch.features.tobytes() + batch.action.tobytes() + batch.reward.tobytes())
    return digest.hexdigest()


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def _write(target: Target, group: Sequence[Row], now: datetime) -> Imported:
    """One group: decisions, then outcomes; a row whose id stands for something else in the log is rejected."""
    appended = target.store.append_decisions([row.decision for row in group])
    if appended.fenced:
        raise ConflictError(
            expected="no kill or restore while importing",
            found="one came between",
            where=f"the log of {target.name!r}",
            fix="import again; what is written stays written",
        )
    others = {row.decision_id: row for row in appended.existing}
    wrong = [row for row in group if _differs(row.decision, others.get(row.decision.decision_id))]
    rejected = [Rejection(row.line, _other(row.decision.decision_id), row.text()) for row in wrong]
    names = {row.decision.decision_id for row in wrong}
    measured = [row for row in group if row.signals and row.decision.decision_id not in names]
    outcomes, faults = _outcomes(target, measured, now)
    existing = len(appended.existing) - len(wrong)
    return Imported(len(appended.written), existing, outcomes, tuple(rejected + faults))


def _differs(row: Decision, stored: Decision | None) -> bool:
    """An imported row is told by the hash of its content; what a server wrote is taken as it is."""
    return stored is not None and stored.stage == STAGE and stored.request_hash != row.request_hash


def _other(name: str) -> str:
    return f"decision {name!r} is in the log already, with another content"


def _outcomes(target: Target, rows: Sequence[Row], now: datetime) -> tuple[int, list[Rejection]]:
    outcomes = [
        Outcome.observed(f"{row.decision.decision_id}:imported", row.decision.decision_id, row.signals, at)
        for row in rows
        for at in [row.decision.decided_at]
    ]
    if not outcomes:
        return 0, []
    try:
        return _append(target, rows, outcomes, now), []
    except ConflictError:
        return _one_by_one(target, rows, outcomes, now)


def _append(target: Target, rows: Sequence[Row], outcomes: Sequence[Outcome], now: datetime) -> int:
    wait = max(now - min(row.decision.decided_at for row in rows), timedelta())
    signals = {name for row in rows for name in row.signals}
    receipts = target.store.append_outcomes(target.name, outcomes, received_at=now, wait=wait, signals=signals)
    return sum(receipt.status == "created" for receipt in receipts)


def _one_by_one(
    target: Target, rows: Sequence[Row], outcomes: Sequence[Outcome], now: datetime
) -> tuple[int, list[Rejection]]:
    count, rejected = 0, []
    for row, outcome in zip(rows, outcomes, strict=True):
        try:
            count += _append(target, [row], [outcome], now)
        except ConflictError:
            reason = f"decision {outcome.decision_id!r} has another outcome in the log already"
            rejected.append(Rejection(row.line, reason, row.text()))
    return count, rejected
