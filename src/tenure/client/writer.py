"""The thread that commits what was observed, one per process and log, in groups."""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from tenure.core.decision import Arm, Decision, Outcome
from tenure.core.problem import Problem
from tenure.core.spaces import Discrete
from tenure.store import SqliteStore
from tenure.store.labels import add_labels, known_labels

LARGEST_GROUP = 2000
"""Rows of one group commit."""
LARGEST_BACKLOG = 100_000
"""Rows that may wait; further ones are lost, and counted."""
STAGE = "observed"
ALWAYS = timedelta(days=36500)

log = logging.getLogger("tenure.client")


class Called(NamedTuple):
    """One call: the context as JSON bytes, the action's label, its probability, and when (seconds since 1970)."""

    decision_id: str
    unit_id: str
    context: bytes
    action: str
    propensity: float
    at: float
    latency_us: int


class Came(NamedTuple):
    """What came of a decision."""

    outcome_id: str
    decision_id: str
    signals: Mapping[str, float]
    at: float


class Writer:
    """Commits calls and outcomes of one problem into one log file, behind those who put them.

    Args:
        problem: a name, or a `Problem`.
        path: the log file; made with its folder when absent.
    """

    def __init__(self, problem: str | Problem, path: Path) -> None:
        self._problem = problem if isinstance(problem, Problem) else None
        self._name = problem.name if isinstance(problem, Problem) else problem
        self._path, self.lost = path, 0
        self._queue: queue.SimpleQueue[Called | Came | threading.Event] = queue.SimpleQueue()
        self._store: SqliteStore | None = None
        self._writing = threading.Lock()
        self._labels: tuple[str, ...] = ()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="tenure-observe", daemon=True)
        self._thread.start()

    def put(self, row: Called | Came) -> None:
        """Take a row; it is lost, and counted, where too many wait."""
        if self._queue.qsize() >= LARGEST_BACKLOG:
            self.lose(1, OverflowError(f"{LARGEST_BACKLOG} rows wait for the log"))
        else:
            self._queue.put(row)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything put so far is committed or lost; False when that took longer."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout_s)

    def pause(self) -> None:
        """Let the current commit end and close the file, until `resume`.

        A child that is forked off while a file is open inherits SQLite's note that its own process holds the locks,
        and waits for itself.
        """
        self._writing.acquire()
        if self._store is not None:
            self._store.close()
            self._store = None

    def resume(self) -> None:
        """Write on."""
        self._writing.release()

    def lose(self, rows: int, error: Exception) -> None:
        """Count rows that are not in the log, and say so once per cause."""
        self.lost += rows
        if str(error) not in self._said:
            self._said.add(str(error))
            log.error("%d row(s) of %r were not logged: %s", rows, self._name, error)

    def _run(self) -> None:
        while True:
            group: list[Called | Came] = []
            waiting: list[threading.Event] = []
            self._take(self._queue.get(), group, waiting)
            while len(group) < LARGEST_GROUP and not self._queue.empty():
                self._take(self._queue.get(), group, waiting)
            with self._writing:
                try:
                    self._write(group)
                except Exception as error:  # the next group gets its chance
                    self.lose(len(group), error)
            for done in waiting:
                done.set()

    @staticmethod
    def _take(row: Any, group: list[Called | Came], waiting: list[threading.Event]) -> None:
        if isinstance(row, threading.Event):
            waiting.append(row)
        else:
            group.append(row)

    def _write(self, group: Sequence[Called | Came]) -> None:
        if not group:
            return
        store = self._opened()
        calls = [row for row in group if isinstance(row, Called)]
        self._append(store, calls)
        came = [row for row in group if isinstance(row, Came)]
        outcomes = [_outcome(row) for row in came]
        if outcomes:
            names = {name for row in came for name in row.signals}
            known = self._problem.signal_names if self._problem else names
            now = datetime.now(UTC)
            store.append_outcomes(self._name, outcomes, received_at=now, wait=ALWAYS, signals=known)

    def _append(self, store: SqliteStore, calls: Sequence[Called]) -> None:
        """Write decisions under the epoch in force; a kill does not stop the incumbent's own rows."""
        while calls:
            epoch = store.kill_epoch(self._name)
            rows = [row for call in calls if (row := self._decision(store, call, epoch)) is not None]
            done = store.append_decisions(rows)
            if done.existing:
                ids = sorted({row.decision_id for row in done.existing})[:3]
                self.lose(len(done.existing), ValueError(f"decision ids that were in the log before, such as {ids}"))
            fenced = {row.decision_id for row in done.fenced}
            calls = [call for call in calls if call.decision_id in fenced]

    def _opened(self) -> SqliteStore:
        if self._store is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            store = SqliteStore(self._path)
            store.open_problem(self._name, self._problem.version if self._problem else self._name)
            self._labels = known_labels(store, self._name)
            self._store = store
        return self._store

    def _decision(self, store: SqliteStore, call: Called, epoch: int) -> Decision | None:
        try:
            context = msgspec.json.decode(call.context)
            number = self._number(store, call.action)
            observation = b"" if self._problem is None else _observation(self._problem, context)
            if not 0 < call.propensity <= 1:
                raise ValueError(f"propensity {call.propensity} outside (0, 1]")
        except (ValueError, TypeError, KeyError) as error:
            self.lose(1, error)
            return None
        return Decision(
            decision_id=call.decision_id,
            problem=self._name,
            problem_version=self._problem.version if self._problem else STAGE,
            unit_id=call.unit_id,
            episode_id=None,
            step=None,
            decided_at=datetime.fromtimestamp(call.at, UTC),
            context=context,
            observation=observation,
            mask=None,
            stage=STAGE,
            arm=Arm.INCUMBENT,
            version=STAGE,
            action=number,
            propensity=call.propensity,
            explored=False,
            confidence=1.0,
            kill_epoch=epoch,
            reason=STAGE,
            latency_us=call.latency_us,
            request_hash=hashlib.sha256(call.context + call.action.encode()).hexdigest(),
        )

    def _number(self, store: SqliteStore, label: str) -> int:
        """The number of a label; a new one of a log without a project gets the next."""
        if self._problem is not None:
            labels = self._problem.action.labels if isinstance(self._problem.action, Discrete) else ()
            return labels.index(label)
        if label not in self._labels:
            self._labels = add_labels(store, self._name, [label], "observe", datetime.now(UTC))
        return self._labels.index(label)


def _observation(problem: Problem, context: Mapping[str, Any]) -> bytes:
    values = [context.get(feature.name, feature.default) for feature in problem.observation]
    missing = [feature.name for feature, value in zip(problem.observation, values, strict=True) if value is None]
    if missing:
        raise KeyError(f"no value for the feature(s) {missing}")
    return np.array(values, dtype="<f4").tobytes()


def _outcome(row: Came) -> Outcome:
    return Outcome.observed(row.outcome_id, row.decision_id, row.signals, datetime.fromtimestamp(row.at, UTC))


_writers: dict[tuple[str, Path], Writer] = {}
_paused: list[Writer] = []
_making = threading.Lock()


def writer_of(problem: str | Problem, path: Path | None) -> Writer:
    """This process's writer for a log; made, with its thread, when first used."""
    name = problem.name if isinstance(problem, Problem) else problem
    key = name, path or Path(os.environ.get("TENURE_HOME", ".tenure")) / name / "log.sqlite"
    found = _writers.get(key)
    if found is None:
        with _making:
            if not _writers:
                # A process made by multiprocessing leaves without atexit, but runs finalizers.
                Finalize(None, flush_all, exitpriority=10)
            found = _writers[key] = _writers.get(key) or Writer(problem, key[1])
    return found


def flush_all(timeout_s: float = 10.0) -> None:
    """Wait for every log of this process."""
    for writer in list(_writers.values()):
        writer.flush(timeout_s)


def _before_fork() -> None:
    _making.acquire()
    _paused.extend(_writers.values())
    for writer in _paused:
        writer.pause()


def _after_fork_in_parent() -> None:
    while _paused:
        _paused.pop().resume()
    _making.release()


def _after_fork_in_child() -> None:
    """A child has none of its parent's threads: it starts writers of its own, and leaves its parent's rows to it."""
    _paused.clear()
    _writers.clear()
    _making.release()


atexit.register(flush_all)
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
