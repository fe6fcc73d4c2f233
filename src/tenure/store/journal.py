"""One gap-free, hash-chained order per problem: numbers are taken and sealed in the writer's transaction."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tenure.core.errors import FencedError, UnknownError
from tenure.store.chain import Link, NumberedRow, chained, verify_chain
from tenure.store.database import Connection
from tenure.store.records import Control, Verification
from tenure.store.rows import Values, control_from, decision_bytes, event_bytes, hashed_correction

_CONTROL = """SELECT problem, sequence, kill_epoch, killed, stage, share, version, paused, salt, changed_at, cap,
    exploration FROM head WHERE problem = ?"""

# The fence: no row comes back when the epoch has moved on, and then nothing may be written; nor anything learned while
# the problem is killed, whatever epoch a server believes it has seen.
_TAKE = """UPDATE head SET sequence = sequence + ? WHERE problem = ? AND kill_epoch = ? AND killed <= ?
RETURNING sequence, hash"""

_MOVED = """SELECT kill_epoch <> ? OR EXISTS (SELECT 1 FROM correction WHERE problem = ? AND sequence > ?)
FROM head WHERE problem = ?"""

_DECISIONS = "SELECT * FROM decision WHERE problem = ? ORDER BY sequence"

_EVENTS = """SELECT e.*, c.decision_id, c.action, c.arm, c.propensity, c.reason, c.vector
FROM event e LEFT JOIN correction c ON c.problem = e.problem AND c.sequence = e.sequence
WHERE e.problem = ? ORDER BY e.sequence"""

_STRAY = """SELECT min(sequence) FROM correction c WHERE problem = ?
AND NOT EXISTS (SELECT 1 FROM event WHERE problem = c.problem AND sequence = c.sequence)"""


@dataclass(frozen=True)
class Numbers:
    """Numbers taken for one commit, first to last (inclusive), and the hash they continue."""

    problem: str
    first: int
    last: int
    prev_hash: bytes


def read_control(connection: Connection, problem: str) -> Control:
    """The control row of a problem.

    Raises:
        UnknownError: the problem was never opened in this file.
    """
    values = connection.execute(_CONTROL, (problem,)).fetchone()
    if values is None:
        raise _unknown(problem)
    return control_from(values)


def read_epoch(connection: Connection, problem: str) -> int:
    """The kill epoch of a problem.

    Raises:
        UnknownError: the problem was never opened in this file.
    """
    epoch: int | None = connection.execute("SELECT kill_epoch FROM head WHERE problem = ?", (problem,)).get
    if epoch is None:
        raise _unknown(problem)
    return epoch


def still_stands(connection: Connection, problem: str, epoch: int, sequence: int) -> bool:
    """Whether nothing took back what was committed up to a number under an epoch: no kill, restore or correction since.

    Raises:
        UnknownError: the problem was never opened in this file.
    """
    moved = connection.execute(_MOVED, (epoch, problem, sequence, problem)).get
    if moved is None:
        raise _unknown(problem)
    return not moved


def take(connection: Connection, problem: str, count: int, epoch: int, *, learned: bool = False) -> Numbers:
    """Take the next numbers, if the kill epoch is still the one that was seen.

    Args:
        connection: inside the transaction that writes the rows.
        problem: name of the problem.
        count: how many, at least 1.
        epoch: the kill epoch the rows were made under.
        learned: a candidate decided one of the rows.

    Raises:
        FencedError: the epoch has moved on, or something learned was to be written while the problem is killed.
        UnknownError: the problem was never opened.
    """
    row = connection.execute(_TAKE, (count, problem, epoch, int(not learned))).fetchone()
    if row is None:
        raise fenced(epoch, read_control(connection, problem))
    last, prev_hash = row
    return Numbers(problem, last - count + 1, last, prev_hash)


def seal(connection: Connection, numbers: Numbers, rows: Sequence[bytes]) -> None:
    """Chain the rows written under the numbers."""
    digest = chained(numbers.prev_hash, rows)
    link = (numbers.problem, numbers.first, numbers.last, numbers.prev_hash, digest)
    connection.execute("INSERT INTO commit_log VALUES (?, ?, ?, ?, ?)", link)
    connection.execute("UPDATE head SET hash = ? WHERE problem = ?", (digest, numbers.problem))


def fenced(seen: int, control: Control) -> FencedError:
    """The error for work done under an epoch that has passed."""
    return FencedError(
        expected=f"kill epoch {control.kill_epoch}",
        found=f"kill epoch {seen}",
        where=f"the log of {control.problem!r}",
        fix="read the control row again and decide anew; the incumbent answers meanwhile",
    )


def _unknown(problem: str) -> UnknownError:
    return UnknownError(
        expected="a problem this log was opened for",
        found=repr(problem),
        where="the log's head",
        fix="check the name, or open the problem first",
    )


def verify(connection: Connection, problem: str) -> Verification:
    """Recompute a problem's chain from its rows; the connection must hold one snapshot.

    Raises:
        UnknownError: the problem was never opened.
    """
    read_control(connection, problem)
    links = (
        Link(*values)
        for values in connection.execute(
            "SELECT first_sequence, last_sequence, prev_hash, hash FROM commit_log WHERE problem = ? ORDER BY 1",
            (problem,),
        )
    )
    head = connection.execute("SELECT 1, sequence, hash, hash FROM head WHERE problem = ?", (problem,)).get
    rows = heapq.merge(_decision_rows(connection, problem), _event_rows(connection, problem), key=lambda row: row[0])
    found = verify_chain(links, rows, Link(*head))
    stray = connection.execute(_STRAY, (problem,)).get
    if found.intact and stray is not None:
        return Verification(False, found.rows, stray, f"the correction at {stray} was never committed")
    return found


def _decision_rows(connection: Connection, problem: str) -> Iterator[NumberedRow]:
    for values in _readable(connection.execute(_DECISIONS, (problem,))):
        yield values[24], decision_bytes(values)


def _event_rows(connection: Connection, problem: str) -> Iterator[NumberedRow]:
    for values in _readable(connection.execute(_EVENTS, (problem,))):
        correction = hashed_correction(values[7:]) if values[7] is not None else None
        yield values[1], event_bytes(values[:7], correction)


def _readable(rows: Iterable[Values]) -> Iterator[Values]:
    """Rows up to the first whose text a flipped bit made unreadable: from there on they are missing."""
    with suppress(UnicodeDecodeError):
        yield from rows
