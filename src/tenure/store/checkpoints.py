"""Signed checkpoints: where the log stood, told outside it, so that not even its owner can rewrite it unseen."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenure.core.clock import to_text
from tenure.core.errors import StoreError
from tenure.store import journal
from tenure.store.database import Connection
from tenure.store.erasure import erased, first_filled
from tenure.store.keys import key_id, signing_key
from tenure.store.log import Store
from tenure.store.records import Verification

_HEAD = "SELECT sequence, hash FROM head WHERE problem = ?"
_INSERT = "INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_STORED = "SELECT sequence, hash, at, key, signature FROM checkpoint WHERE problem = ? ORDER BY sequence"
_COMMIT = "SELECT hash FROM commit_log WHERE problem = ? AND last_sequence = ?"


@dataclass(frozen=True)
class Checkpoint:
    """A signed word on where a log stood.

    Args:
        problem: name of the problem.
        sequence: number of its last row.
        hash: of the chain up to that row, in hex.
        at: when it was signed, UTC, as text.
        key: first 16 hex digits of the public key's SHA-256.
        signature: Ed25519 over all of these, in hex.
    """

    problem: str
    sequence: int
    hash: str
    at: str
    key: str
    signature: str

    def signed(self) -> bytes:
        """The bytes under the signature."""
        return json.dumps(["tenure checkpoint", self.problem, self.sequence, self.hash, self.at, self.key]).encode()

    def is_by(self, key: Ed25519PublicKey) -> bool:
        """Whether this key signed it."""
        try:
            key.verify(bytes.fromhex(self.signature), self.signed())
        except (InvalidSignature, ValueError):
            return False
        return True


def sign(store: Store, problem: str, key: Ed25519PrivateKey, at: datetime, file: Path) -> Checkpoint | None:
    """Sign the log's head into its table and, durably, onto a file outside the database; None while it is empty.

    Raises:
        StoreError: database or file cannot be written.
    """
    with store.database.writing() as connection:
        journal.read_control(connection, problem)
        sequence, digest = connection.execute(_HEAD, (problem,)).get
        if sequence == 0:
            return None
        plain = Checkpoint(problem, sequence, digest.hex(), to_text(at), key_id(key.public_key()), "")
        signature = key.sign(plain.signed())
        connection.execute(_INSERT, (problem, sequence, digest, plain.at, plain.key, signature))
    done = replace(plain, signature=signature.hex())
    _append(file, done)
    return done


def read_checkpoints(store: Store, problem: str, file: Path) -> list[Checkpoint]:
    """All of the table and of the file, each once, by number; a line that was torn off by a crash is passed over.

    Raises:
        StoreError: a line that is whole is no checkpoint.
    """
    with store.database.reading() as connection:
        rows = connection.execute(_STORED, (problem,)).fetchall()
    stored = [Checkpoint(problem, row[0], row[1].hex(), row[2], row[3], row[4].hex()) for row in rows]
    try:
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise _unusable(file, str(error)) from error
    told = [_checkpoint(file, number, line) for number, line in enumerate(lines, 1) if line.endswith("}")]
    return sorted({*stored, *(one for one in told if one.problem == problem)}, key=lambda one: one.sequence)


def verify_log(
    store: Store, problem: str, checkpoints: Sequence[Checkpoint], public: Ed25519PublicKey | None
) -> Verification:
    """Recompute the chain, and hold it against what was signed.

    The chain finds an edit by whoever does not rewrite all that follows it. Checkpoints find that too, and a cut tail.

    Args:
        store: the log.
        problem: name of the problem.
        checkpoints: what was signed; those by other keys are counted, not checked.
        public: the key they are checked with; None checks none.

    Returns:
        Intact, or the first number that cannot be trusted; with the numbers of checkpoints and of rows erased.

    Raises:
        UnknownError: the problem was never opened.
    """
    mine = [one for one in checkpoints if public is not None and one.key == key_id(public)]
    with store.database.snapshot() as connection:
        chain = journal.verify(connection, problem)
        rows, told = erased(connection, problem)
        faults = [] if chain.first_bad is None else [(chain.first_bad, chain.reason)]
        faults += _faults(connection, problem, mine, public)
        filled = first_filled(connection, problem)
    if rows != told:
        faults.append((1, f"{rows} rows are erased, the events of erasure say {told}"))
    if filled is not None:
        faults.append((filled, f"row {filled} was erased, and says more than an erasure leaves"))
    counted = len(mine), rows, len(checkpoints) - len(mine)
    if faults:
        first_bad, reason = min(faults)
        return Verification(False, min(chain.rows, first_bad - 1), first_bad, reason, *counted)
    return Verification(True, chain.rows, None, chain.reason, *counted)


def _faults(
    connection: Connection, problem: str, mine: Sequence[Checkpoint], public: Ed25519PublicKey | None
) -> list[tuple[int, str]]:
    """The first checkpoint the log does not agree with, as the number after the last one it agrees with."""
    good, (last, _) = 0, connection.execute(_HEAD, (problem,)).get
    for one in mine:
        if public is None or not one.is_by(public):
            return [(good + 1, f"the checkpoint at row {one.sequence} was changed after it was signed")]
        digest = connection.execute(_COMMIT, (problem, one.sequence)).get
        if last < one.sequence:
            return [(last + 1, f"the log ends at row {last}; row {one.sequence} was signed on {one.at}")]
        if digest is None or digest.hex() != one.hash:
            return [(good + 1, f"rows up to {one.sequence} are not those that were signed on {one.at}")]
        good = one.sequence
    return []


class Signer:
    """Signs now and then; for the server's watch thread.

    Args:
        store: the log.
        problem: name of the problem.
        keys: folder of the key.
        file: where checkpoints are told outside the database.
        every_rows: sign when so many rows are new.
        every: sign when the last time is so long ago and a row is new.
    """

    def __init__(
        self, store: Store, problem: str, keys: Path, file: Path, *, every_rows: int = 10_000,
        every: timedelta = timedelta(minutes=5),
    ) -> None:  # fmt: skip
        self._store, self._problem, self._file = store, problem, file
        self._key = signing_key(keys)
        self._every_rows, self._every = every_rows, every
        self._last: tuple[int, datetime] | None = None

    def maybe(self, now: datetime, sequence: int) -> Checkpoint | None:
        """Sign if it is time; `sequence` is the log's last number as the caller knows it.

        Raises:
            StoreError: database or file cannot be written.
        """
        if self._last is None:
            return self.sign(now)
        rows, span = sequence - self._last[0], now - self._last[1]
        return self.sign(now) if rows >= self._every_rows or (rows > 0 and span >= self._every) else None

    def sign(self, now: datetime) -> Checkpoint | None:
        """Sign now: after a kill or restore, at the server's start and at its end.

        Raises:
            StoreError: database or file cannot be written.
        """
        done = sign(self._store, self._problem, self._key, now, self._file)
        self._last = (0 if done is None else done.sequence, now)
        return done


def _append(file: Path, checkpoint: Checkpoint) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab+") as lines:
            # After a crash in the middle of a line, the next one begins anew.
            if lines.tell() and os.pread(lines.fileno(), 1, lines.tell() - 1) != b"\n":
                lines.write(b"\n")
            lines.write(json.dumps(asdict(checkpoint)).encode() + b"\n")
            lines.flush()
            os.fsync(lines.fileno())
    except OSError as error:
        raise _unusable(file, str(error)) from error


def _checkpoint(file: Path, number: int, line: str) -> Checkpoint:
    try:
        return Checkpoint(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise _unusable(file, f"line {number}: {error}") from error


def _unusable(file: Path, found: str) -> StoreError:
    return StoreError(
        expected="a file of signed checkpoints, one a line, that can be read and written",
        found=found,
        where=str(file),
        fix="mend the rights, or restore the file from a backup: it is what the log is held against",
    )
