"""Tokens: shown once, stored as digests, over when revoked or expired, and every session with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tenure.core.errors import ConflictError, UnknownError
from tenure.store import Store
from tenure.store.tokens import PREFIX, SESSION_FOR, Token, Tokens, digest_of

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def one(tokens: Tokens, name: str) -> Token:
    (found,) = [token for token in tokens.list() if token.name == name]
    return found


def test_a_token_is_256_random_bits_behind_a_prefix_that_scanners_find(store: Store) -> None:
    tokens = Tokens(store)
    first, second = tokens.create("ann", "admin", "root", NOW), tokens.create("bob", "admin", "root", NOW)
    assert first.startswith(PREFIX)
    assert len(first) == len(PREFIX) + 43  # 32 bytes in base64 without padding
    assert first != second


def test_only_the_digest_of_a_token_is_stored(store: Store) -> None:
    token = Tokens(store).create("ann", "viewer", "root", NOW)
    with store.database.reading() as connection:
        (row,) = connection.execute("SELECT * FROM token").fetchall()
    assert token not in repr(row)
    assert digest_of(token.encode()) in [bytes(value) for value in row if isinstance(value, bytes | memoryview)]


def test_its_record_says_who_made_it_for_whom_and_what_it_may_do(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "viewer", "root", NOW, NOW + timedelta(days=1))
    assert tokens.list() == [Token(1, "ann", "viewer", NOW, "root", NOW + timedelta(days=1), None)]


def test_a_name_is_given_once_even_after_its_token_was_revoked(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "viewer", "root", NOW)
    tokens.revoke("ann", NOW)
    with pytest.raises(ConflictError, match="'ann'"):
        tokens.create("ann", "admin", "root", NOW)


def test_it_opens_until_the_moment_it_expires(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "viewer", "root", NOW, NOW + timedelta(hours=1))
    assert one(tokens, "ann").opens(NOW + timedelta(minutes=59))
    assert not one(tokens, "ann").opens(NOW + timedelta(hours=1))


def test_a_revoked_token_opens_nothing_and_keeps_its_first_moment(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "viewer", "root", NOW)
    tokens.revoke("ann", NOW)
    tokens.revoke("ann", NOW + timedelta(hours=1))
    assert not one(tokens, "ann").opens(NOW)
    assert one(tokens, "ann").revoked_at == NOW


def test_revoking_whom_nobody_knows_says_so(store: Store) -> None:
    with pytest.raises(UnknownError, match="'eve'"):
        Tokens(store).revoke("eve", NOW)


def test_a_session_opens_what_its_token_opens_for_eight_hours(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "operator", "root", NOW)
    secret = tokens.open_session(one(tokens, "ann"), NOW)
    key = tokens.keys()[digest_of(secret.encode())]
    assert key.token.name == "ann"
    assert key.opens(NOW + SESSION_FOR - timedelta(seconds=1))
    assert not key.opens(NOW + SESSION_FOR)


def test_a_session_ends_with_its_token(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "operator", "root", NOW)
    secret = tokens.open_session(one(tokens, "ann"), NOW)
    tokens.revoke("ann", NOW)
    assert not tokens.keys()[digest_of(secret.encode())].opens(NOW)


def test_a_session_is_closed_by_its_secret_alone(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "operator", "root", NOW)
    mine, other = (tokens.open_session(one(tokens, "ann"), NOW) for _ in range(2))
    tokens.close_session(mine)
    assert digest_of(mine.encode()) not in set(tokens.keys())
    assert digest_of(other.encode()) in set(tokens.keys())


def test_sessions_that_are_over_are_forgotten_when_the_next_one_opens(store: Store) -> None:
    tokens = Tokens(store)
    tokens.create("ann", "operator", "root", NOW)
    old = tokens.open_session(one(tokens, "ann"), NOW)
    tokens.open_session(one(tokens, "ann"), NOW + SESSION_FOR)
    assert digest_of(old.encode()) not in set(tokens.keys())
