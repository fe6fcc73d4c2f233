"""What columns hold, and features as numbers: categories one-hot, booleans 0 and 1, times as seconds since 1970."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats
from tenure.store.tables.roles import Look
from tenure.store.tables.values import TRUTH, plain, to_matrix, to_numbers, to_texts, to_times

MOST = 32
"""Values of a category that get an indicator of their own, the most frequent ones; the rest share `other`."""
COUNTED = 65_536
"""Different values of a category counted at once; of more than that the rarer half is forgotten."""
ENOUGH = 0.9
"""Share of the first rows' cells that must be numbers (or times) for a column of texts to be one of them."""
_DATE = r"^\s*\d{4}-\d{2}-\d{2}(?:[T ]|$)"


@dataclass(frozen=True)
class FeatureColumn:
    """A column that is one or several features.

    Args:
        column: its name in the source.
        kind: how it becomes numbers.
        width: numbers in each cell of a list.
        values: of a category: those with an indicator, most frequent first.
        rest: of a category: whether it has other values too.
    """

    column: str
    kind: Literal["number", "time", "list", "category"]
    width: int = 1
    values: tuple[str, ...] = ()
    rest: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """One name per number."""
        if self.kind == "list":
            return tuple(f"{self.column}_{k}" for k in range(self.width))
        if self.kind == "category":
            return tuple(f"{self.column}={value}" for value in self.values) + (f"{self.column}=other",) * self.rest
        return (self.column,)

    def numbers(self, values: Any) -> tuple[Floats, Bools]:
        """The features of each cell, and which cells cannot be read; float64 [n, names], bool [n]."""
        if self.kind == "list":
            return to_matrix(values, self.width)
        if self.kind == "category":
            return self._indicators(to_texts(values)), np.zeros(len(values), dtype=bool)
        if self.kind == "time":
            moments, bad, _ = to_times(values)
            seconds = np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1e6)
            return seconds[:, None], bad
        numbers, bad = to_numbers(values)
        return numbers[:, None], bad

    def _indicators(self, texts: Any) -> Floats:
        """A missing value has no indicator at all."""
        found = np.zeros((len(texts), len(self.names)))
        if not self.names:
            return found
        index = pc.index_in(texts, value_set=pa.array(self.values, pa.string()))
        place = pc.fill_null(index, len(self.values)).to_numpy(zero_copy_only=False)
        there = np.asarray(texts.is_valid()) & (place < len(self.names))
        found[there.nonzero()[0], place[there]] = 1.0
        return found


def look(values: Any) -> Look:
    """What a column's first rows hold."""
    values = plain(values)
    kind = values.type
    if values.null_count == len(values):
        return "empty"
    if pa.types.is_string(kind):
        return _look_at_texts(to_texts(values))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return "texts" if _is_text(kind.value_type) else "list"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    return "number" if _is_number(kind) else "texts"


def _is_number(kind: Any) -> bool:
    return any(is_it(kind) for is_it in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _is_text(kind: Any) -> bool:
    return not (_is_number(kind) or pa.types.is_boolean(kind))


def _look_at_texts(texts: Any) -> Look:
    texts = texts.drop_null()
    if not len(texts):
        return "empty"
    if pc.all(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(list(TRUTH)))).as_py():
        return "boolean"
    _, bad = to_numbers(texts)
    if 1 - bad.mean() >= ENOUGH:
        return "number"
    dates = pc.match_substring_regex(texts, _DATE).to_numpy(zero_copy_only=False)
    return "time" if dates.mean() >= ENOUGH else "text"


def feature_column(name: str, kind: Look, values: Any) -> FeatureColumn:
    """How a column becomes features, as far as the first rows tell."""
    if kind == "list":
        lengths = pc.list_value_length(plain(values)).drop_null()
        return FeatureColumn(name, "list", int(pc.mode(lengths)[0]["mode"].as_py()))
    if kind == "text":
        return FeatureColumn(name, "category")
    return FeatureColumn(name, "time" if kind == "time" else "number")


class Tally:
    """Counts the values of a category in bounded memory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.pruned = False

    def update(self, texts: Any) -> None:
        """Take in the next cells."""
        for pair in pc.value_counts(texts.drop_null()).to_pylist():
            self.counts[pair["values"]] += pair["counts"]
        if len(self.counts) > COUNTED:
            self.counts = Counter(dict(self.counts.most_common(COUNTED // 2)))
            self.pruned = True

    def column(self, name: str) -> FeatureColumn:
        """The category with its most frequent values; of equally frequent ones the first by text."""
        ranked = sorted(self.counts, key=lambda value: (-self.counts[value], value))
        return FeatureColumn(name, "category", 1, tuple(ranked[:MOST]), self.pruned or len(ranked) > MOST)


def ordered_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in order: by number if all are whole numbers, else by text.

    >>> ordered_labels(["10", "9"]), ordered_labels(["b", "a", "10"])
    (('9', '10'), ('10', 'a', 'b'))
    """
    found: Sequence[str] = sorted(set(labels))
    if all(label.removeprefix("-").isdecimal() for label in found):
        found = sorted(found, key=int)
    return tuple(found)
