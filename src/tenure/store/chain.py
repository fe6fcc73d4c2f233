"""The hash chain as pure functions: each commit's hash covers its rows and the hash before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from tenure.store.records import Verification

GENESIS = bytes(32)
"""The hash before the first commit."""

NumberedRow = tuple[int, bytes]
"""A row's sequence number and its canonical bytes."""


@dataclass(frozen=True)
class Link:
    """One commit: rows first to last (inclusive), the hash before it and its own."""

    first: int
    last: int
    prev_hash: bytes
    hash: bytes


def chained(prev_hash: bytes, rows: Iterable[bytes]) -> bytes:
    """SHA-256 over the previous hash and the rows of one commit, in order."""
    return hashlib.sha256(prev_hash + b"".join(rows)).digest()


def verify_chain(links: Iterable[Link], rows: Iterable[NumberedRow], head: Link) -> Verification:
    """Recompute a chain from its rows.

    Args:
        links: the commits, by first number.
        rows: decisions and events, by number.
        head: what the log says of itself: its last number and hash (the other fields are not read).

    Returns:
        Intact, or the first number that cannot be trusted with the reason.
    """
    remaining = iter(rows)
    last = Link(0, 0, GENESIS, GENESIS)
    for link in links:
        fault = _fault(last, link, remaining)
        if fault is not None:
            return _broken(last.last, *fault)
        last = link
    return _tail(last, remaining, head)


def _fault(before: Link, link: Link, remaining: Iterator[NumberedRow]) -> tuple[int, str] | None:
    """What is wrong with one commit: the number and the reason, or None; takes its rows off the iterator."""
    due = before.last + 1
    if link.first != due or link.last < link.first:
        return due, f"the commit that starts with row {due} is missing"
    if link.prev_hash != before.hash:
        return due, f"the commit at row {due} does not follow the one before it"
    rows = list(islice(remaining, link.last - link.first + 1))
    for number, found in zip(range(link.first, link.last + 1), [row[0] for row in rows] + [None], strict=False):
        if number != found:
            return number, f"row {number} is missing, or another stands in its place"
    if chained(link.prev_hash, (row[1] for row in rows)) != link.hash:
        return due, f"rows {link.first} to {link.last} are not what was committed"
    return None


def _tail(last: Link, remaining: Iterator[NumberedRow], head: Link) -> Verification:
    stray = next(remaining, None)
    if stray is not None:
        return _broken(last.last, stray[0], f"row {stray[0]} belongs to no commit")
    if (last.last, last.hash) != (head.last, head.hash):
        return _broken(last.last, last.last + 1, f"the log ends at row {last.last}, its head says {head.last}")
    return Verification(True, last.last, None, f"all {last.last} rows are as they were committed")


def _broken(rows: int, first_bad: int, reason: str) -> Verification:
    return Verification(False, rows, first_bad, reason)
