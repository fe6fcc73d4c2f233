"""A log too long to be held: whole episodes by name, the same in any order, and never more than so many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Bools
from tenure.store.tables.sieve import FEWEST, Sieve, draw_of


@dataclass(frozen=True)
class Rows:
    episode: Any


def sieve(most: int | None) -> Sieve[Rows]:
    return Sieve(most, lambda rows: rows.episode, lambda rows, flags: Rows(rows.episode[flags]))


def log(rows: int, length: int, part: int = 50_000) -> Iterator[Rows]:
    """So many decisions in episodes of that length, a part at a time."""
    for begin in range(0, rows, part):
        yield Rows(np.char.add("e", (np.arange(begin, min(begin + part, rows)) // length).astype(str)).astype(object))


def kept(found: Sieve[Rows]) -> dict[str, int]:
    """Decisions of each episode that stayed."""
    names = np.concatenate([part.episode for part in found.parts]).astype(str)
    return dict(zip(*(each.tolist() for each in np.unique(names, return_counts=True)), strict=True))


def test_a_million_decisions_are_held_as_whole_episodes_within_the_limit_and_one_part() -> None:
    found, held = sieve(100_000), []

    def watched() -> Iterator[Rows]:
        for part in log(1_000_000, 10):
            yield part
            held.append(sum(len(each.episode) for each in found.parts))

    found.take(watched())
    episodes = kept(found)
    assert found.read == 1_000_000
    assert max(held) <= 100_000
    assert set(episodes.values()) == {10}
    assert 25_000 < sum(episodes.values()) <= 100_000
    assert len(episodes) == pytest.approx(100_000 * found.share, rel=0.1)


def test_the_same_episodes_stay_whatever_the_order_and_the_size_of_the_parts() -> None:
    one, other = sieve(5_000), sieve(5_000)
    parts = list(log(40_000, 4, part=1_000))
    one.take(parts)
    other.take(Rows(part.episode[::-1]) for part in reversed(parts))
    assert kept(one) == kept(other)
    assert all(draw_of(name) < one.share for name in kept(one))


def test_a_short_log_stays_whole_and_so_does_one_of_few_long_episodes() -> None:
    for most, rows, length in ((None, 9_000, 10), (10_000, 9_000, 10), (1_000, 20_000, 200)):
        found = sieve(most)
        found.take(log(rows, length))
        assert (found.share, sum(kept(found).values())) == (1.0, rows)


def test_at_least_so_many_episodes_stay_however_long_they_are() -> None:
    found = sieve(1_000)
    found.take(log(200_000, 100))
    assert FEWEST <= len(kept(found)) < 2_000
    assert sum(kept(found).values()) > 1_000


def test_a_part_of_which_nothing_stays_leaves_its_columns_for_an_empty_log() -> None:
    found = sieve(10)
    found.take([Rows(np.array([], dtype=object))])
    assert [len(part.episode) for part in found.parts] == [0]


def test_flags_are_of_the_parts_own_rows() -> None:
    seen: list[Bools] = []

    def chosen(rows: Rows, flags: Bools) -> Rows:
        seen.append(flags)
        return Rows(rows.episode[flags])

    Sieve(10, lambda rows: rows.episode, chosen).take(log(100, 10))
    assert [len(flags) for flags in seen] == [100]
