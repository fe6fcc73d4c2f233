"""Tokens and the sessions made from them: only digests are stored, a token is shown once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenure.core.clock import from_text, to_text
from tenure.core.errors import ConflictError, UnknownError
from tenure.store.database import Connection
from tenure.store.log import Store

PREFIX = "tnr_"
"""What every token begins with, so that scanners of code and logs find one that leaked."""
SECRET_BYTES = 32
SESSION_FOR = timedelta(hours=8)
"""How long a person stays logged in to the page."""

_COLUMNS = "id, name, role, created_at, created_by, expires_at, revoked_at"


@dataclass(frozen=True)
class Token:
    """A token's record, without the token.

    Args:
        id: its number.
        name: who uses it, as the log will call them.
        role: what it may do, as a word.
        created_at: when, UTC.
        created_by: who made it.
        expires_at: from when on it opens nothing; None for never.
        revoked_at: when it was taken back; None while it was not.
    """

    id: int
    name: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    def opens(self, now: datetime) -> bool:
        """It is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class Key:
    """What a digest opens: a token, until a moment of the session's own if it is a session."""

    token: Token
    until: datetime | None = None

    def opens(self, now: datetime) -> bool:
        """Neither the session nor its token is over."""
        return self.token.opens(now) and (self.until is None or now < self.until)


def digest_of(secret: bytes) -> bytes:
    """What is stored of a token or session: BLAKE2b, 32 bytes.

    A secret holds 256 random bits, so that a plain hash can neither be searched nor timed.

    Source: Aumasson et al. (2013), RFC 7693.
    """
    return hashlib.blake2b(secret, digest_size=32).digest()


class Tokens:
    """Who may come in, beside the log.

    Args:
        store: whose database holds them.
    """

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def create(self, name: str, role: str, by: str, at: datetime, expires: datetime | None = None) -> str:
        """Make a token; it is returned here and never again.

        Args:
            name: who will use it; each name once, revoked ones included, so that the log stays clear.
            role: what it may do.
            by: who makes it.
            at: now, UTC.
            expires: from when on it opens nothing.

        Raises:
            ConflictError: the name is taken.
        """
        token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        values = name, role, digest_of(token.encode()), to_text(at), by, _text(expires)
        with self._database.writing() as connection:
            _check_free(connection, name)
            connection.execute(
                """INSERT INTO token (name, role, digest, created_at, created_by, expires_at)
                VALUES (?, ?, ?, ?, ?, ?)""",
                values,
            )
        return token

    def revoke(self, name: str, at: datetime) -> None:
        """Take a token back, with every session made from it; twice is allowed, the first moment stays.

        Raises:
            UnknownError: there is none of that name.
        """
        with self._database.writing() as connection:
            if connection.execute("SELECT id FROM token WHERE name = ?", (name,)).fetchone() is None:
                raise UnknownError(
                    expected="the name of a token",
                    found=repr(name),
                    where="the list of tokens",
                    fix="see `tenure token list`",
                )
            connection.execute(
                "UPDATE token SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", (to_text(at), name)
            )

    def list(self) -> list[Token]:
        """Every token ever made, oldest first."""
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM token ORDER BY id")]  # noqa: S608

    def keys(self) -> Mapping[bytes, Key]:
        """What each digest of a token or session opens."""
        with self._database.snapshot() as connection:
            rows = connection.execute(f"SELECT digest, {_COLUMNS} FROM token").fetchall()  # noqa: S608
            sessions = connection.execute("SELECT digest, token, expires_at FROM session").fetchall()
        tokens = {row[1]: _token(row[1:]) for row in rows}
        opened = {bytes(row[0]): Key(tokens[row[1]]) for row in rows}
        return opened | {bytes(digest): Key(tokens[token], from_text(until)) for digest, token, until in sessions}

    def open_session(self, token: Token, at: datetime) -> str:
        """Log a token's holder in; sessions that are over are forgotten. Returns the session's secret."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE expires_at <= ?", (to_text(at),))
            connection.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?)",
                (digest_of(secret.encode()), token.id, to_text(at), to_text(at + SESSION_FOR)),
            )
        return secret

    def close_session(self, secret: str) -> None:
        """Log out; a session that is over is none."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM session WHERE digest = ?", (digest_of(secret.encode()),))


def _check_free(connection: Connection, name: str) -> None:
    if connection.execute("SELECT id FROM token WHERE name = ?", (name,)).fetchone() is not None:
        raise ConflictError(
            expected="a name that no token has or had",
            found=repr(name),
            where="the list of tokens",
            fix="choose another: the log tells people apart by it",
        )


def _token(row: tuple[Any, ...]) -> Token:
    number, name, role, created_at, created_by, expires_at, revoked_at = row
    return Token(number, name, role, from_text(created_at), created_by, _moment(expires_at), _moment(revoked_at))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
