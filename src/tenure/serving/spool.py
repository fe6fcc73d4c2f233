"""Answers given while the log could not be written: kept on this server's own disk until the log takes them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from tenure.core.decision import Arm, Decision
from tenure.core.errors import UnfitError
from tenure.serving.settle import Settler
from tenure.store import Appended, Store

MOST_ROWS = 100_000
"""Rows a spool takes; further answers are given all the same, and counted as unlogged."""

log = logging.getLogger("tenure.serving")

_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Decision)


class Spool:
    """Rows that wait for the log, in the order they were answered; one file per server.

    A row is durable when `put` says so. The log takes each once, however often a drain is broken off: its id is there
    or it is not. A line torn by a crash was never acknowledged, and is passed over.

    Args:
        path: a file of one JSON row per line; None keeps rows in memory only, which is never durable.
        sync: makes what was written to a file survive a loss of power.
    """

    def __init__(self, path: Path | None = None, sync: Callable[[int], None] = os.fsync) -> None:
        self._path, self._sync = path, sync
        self._lock = threading.Lock()
        self._rows = _read(path) if path is not None else {}
        self.set_aside = 0
        """Rows the log would never take, since the start."""
        if path is not None:
            _make(path)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, decision_id: str) -> Decision | None:
        """The row that waits under an id."""
        return self._rows.get(decision_id)

    def put(self, rows: Sequence[Decision]) -> bool:
        """Keep rows whose ids are not waiting yet; whether all are durable now."""
        with self._lock:
            new = {row.decision_id: row for row in reversed(rows) if row.decision_id not in self._rows}
            if len(self._rows) + len(new) > MOST_ROWS:
                return False
            self._rows |= reversed(new.items())
            return self._path is not None and (not new or self._written(self._path, list(new.values())))

    def drain(self, store: Store, settler: Settler, now: datetime, most: int) -> int:
        """Move up to so many rows into the log; how many were moved.

        A learned row the log holds under the id of a spooled one was written without anybody knowing: it is corrected
        to what was answered.

        Raises:
            StoreError: the log is still away; what was not moved stays.
        """
        with self._lock:
            due = list(islice(self._rows.values(), most))
            if not due:
                return 0
            epoch = store.kill_epoch(due[0].problem)
            groups = self._appended(store, [replace(row, kill_epoch=epoch) for row in due])
            if any(appended.fenced for appended in groups):
                return 0  # a kill came between: the next drain takes them under its epoch
            answered = {row.decision_id: row for row in due}
            for stored in [stored for appended in groups for stored in appended.existing]:
                row = answered[stored.decision_id]
                if stored.request_hash != row.request_hash:
                    self._set_aside(row, "the log holds another request under its id")
                elif stored.arm is Arm.CANDIDATE:
                    settler.corrected(row.decision_id, row.action, row.reason, now, row.propensity)
            for decision_id in answered:
                del self._rows[decision_id]
            if not self._rows:
                self._empty()
            return len(due)

    def _appended(self, store: Store, rows: Sequence[Decision]) -> list[Appended]:
        """What became of the rows; where the log cannot keep one of them, each goes by itself."""
        try:
            return [store.append_decisions(rows)]
        except UnfitError as error:
            if len(rows) == 1:
                self._set_aside(rows[0], error.found)
                return []
            return [appended for row in rows for appended in self._appended(store, [row])]

    def _set_aside(self, row: Decision, why: str) -> None:
        """Keep a row that the log will never take in a file of its own, so that the others are not held up."""
        log.error("decision %r does not go to the log, it is set aside: %s", row.decision_id, why)
        self.set_aside += 1
        if self._path is not None:
            self._written(self._path.with_suffix(".aside"), [row])

    def _written(self, path: Path, rows: Sequence[Decision]) -> bool:
        try:
            with path.open("ab") as file:
                # Before the rows, too: what a full disk has left of an earlier line must not spoil this one.
                file.write(b"\n" + b"".join([_encode(row) + b"\n" for row in rows]))
                file.flush()
                self._sync(file.fileno())
        except OSError as error:
            log.warning("the spool %s cannot be written: %s", path, error)
            return False
        return True

    def _empty(self) -> None:
        """Drop what the log has taken; if that fails, the log will find it there again and nothing is doubled."""
        if self._path is None:
            return
        try:
            with self._path.open("wb") as file:
                self._sync(file.fileno())
        except OSError as error:
            log.warning("the spool %s cannot be emptied: %s", self._path, error)


def _make(path: Path) -> None:
    """Have the file's name survive a loss of power before its first row must."""
    path.touch()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> dict[str, Decision]:
    """Rows of a file by id, the first of each; what is no row is passed over."""
    rows: dict[str, Decision] = {}
    if not path.exists():
        return rows
    for line in path.read_bytes().splitlines():
        try:
            row = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if line:
                log.warning(
                    "the spool %s holds a torn line of %d bytes, which nobody was told was kept", path, len(line)
                )
            continue
        rows.setdefault(row.decision_id, row)
    return rows
