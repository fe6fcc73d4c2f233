"""Roles told by one word of a column's name and by what it holds, where no whole name is one that the field uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow.compute as pc

from tenure.core.arrays import Floats
from tenure.store.tables.roles import Look
from tenure.store.tables.values import to_numbers, to_texts, to_times

MOST_ACTIONS = 200
"""Different actions; a column with more is a measurement, or must be binned first."""
FEW = 20
"""Different values up to which a column behaves like a choice."""
ACTION_WORDS = frozenset({
    "action", "decision", "choice", "chosen", "arm", "treatment", "variant", "offer", "offered", "assigned",
    "selected", "policy",
})  # fmt: skip
OUTCOME_WORDS = frozenset({
    "reward", "outcome", "click", "clicks", "clicked", "conversion", "conversions", "converted", "revenue",
    "profit", "margin", "sale", "sales", "sold", "purchase", "purchased", "purchases", "bought", "churn",
    "churned", "returned", "delay", "late", "lateness", "cost", "costs", "loss", "losses", "lost", "complaint",
    "complaints", "success", "failure", "failures", "target", "label", "result", "kpi",
})  # fmt: skip
UNIT_WORDS = frozenset({
    "user", "customer", "client", "unit", "device", "member", "account", "patient", "machine", "vehicle", "store",
    "session",
})  # fmt: skip
PROPENSITY_WORDS = frozenset({"propensity", "pscore"})
CHANCE_WORDS = frozenset({"probability", "prob"})
"""A propensity where an action's word stands beside them; alone they may be the probability of anything."""
LOWER_WORDS = frozenset({
    "cost", "costs", "delay", "late", "lateness", "loss", "losses", "lost", "churn", "churned", "returned",
    "complaint", "complaints", "failure", "failures", "error", "errors", "waiting", "wait", "latency", "penalty",
})  # fmt: skip
"""Words of what there should be less of."""
NUMBERS = frozenset({"number", "boolean"})
YES, NO = frozenset({"y", "yes", "t", "true", "1"}), frozenset({"n", "no", "f", "false", "0"})
Found = tuple[str | None, str]
NOTHING: Found = (None, "")


class Columns(Protocol):
    """Columns in memory."""

    def __len__(self) -> int: ...

    @property
    def looks(self) -> Mapping[str, Look]:
        """What each holds."""
        ...

    def distinct(self, name: str) -> int:
        """How many different values one has."""
        ...

    def numbers(self, name: str) -> Floats:
        """One as numbers, NaN where there is none; [n]."""
        ...

    def moments(self, name: str) -> Any:
        """One as moments, NaT where there is none; datetime64[us] [n]."""
        ...


@dataclass(frozen=True, eq=False)
class FirstRows:
    """The first rows of a source; `Columns`."""

    looks: Mapping[str, Look]
    sample: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.sample.values())))

    def distinct(self, name: str) -> int:
        """How many different values a column has."""
        return int(pc.count_distinct(to_texts(self.sample[name]).drop_null()).as_py())

    def numbers(self, name: str) -> Floats:
        """A column as numbers."""
        return to_numbers(self.sample[name])[0]

    def moments(self, name: str) -> Any:
        """A column as moments."""
        return to_times(self.sample[name])[0]


def tokens(text: str) -> tuple[str, ...]:
    """The words a header is made of, lower case; camelCase counts as two.

    >>> tokens("deliveredAt"), tokens("Total-Cost (EUR)")
    (('delivered', 'at'), ('total', 'cost', 'eur'))
    """
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text)
    return tuple(word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word)


def lower_is_better(name: str) -> bool:
    """Whether a name says that there should be less of it."""
    return bool(LOWER_WORDS & set(tokens(name)))


def is_outcome_word(name: str) -> bool:
    """Whether a column is named like something that is measured after a decision."""
    return bool(OUTCOME_WORDS & set(tokens(name)))


def action_of(table: Columns, free: Sequence[str]) -> Found:
    """What was done: a word of its name, and few enough different values."""
    for name in free:
        hit = ACTION_WORDS & set(tokens(name))
        if hit and table.looks[name] in ("text", *NUMBERS) and 2 <= table.distinct(name) <= MOST_ACTIONS:
            return name, f"its name says {min(hit)!r}, and it has {table.distinct(name)} different values"
    return NOTHING


def outcome_of(table: Columns, free: Sequence[str]) -> Found:
    """What came of it: a word of its name, and numbers that differ."""
    for name in free:
        if is_outcome_word(name) and table.looks[name] in NUMBERS and table.distinct(name) > 1:
            return name, "its name says so, and it is a number"
    return NOTHING


def time_of(table: Columns, free: Sequence[str]) -> Found:
    """The earliest of the columns of moments."""
    times = [name for name in free if table.looks[name] == "time"]
    if not times:
        return NOTHING
    middle = {name: np.nanmedian(_seconds(table, name)) for name in times}
    return min(times, key=lambda name: middle[name]), "the earliest of the columns with times"


def unit_of(table: Columns, free: Sequence[str]) -> Found:
    """Whom it was for: an id by its name that comes again."""
    for name in free:
        words = set(tokens(name))
        if words & UNIT_WORDS and "id" in words and table.distinct(name) < len(table):
            return name, "its name says so, and it repeats"
    return NOTHING


def propensity_of(table: Columns, free: Sequence[str]) -> Found:
    """The probability of what was done: a word of its name, and within (0, 1]."""
    for name in free:
        if is_named_propensity(name) and is_probability(table, name):
            return name, "its name says so, and it lies in (0, 1]"
    return NOTHING


def is_named_propensity(name: str) -> bool:
    """Whether a word of a column's name says that it is the probability of what was done."""
    words = set(tokens(name))
    return bool(words & PROPENSITY_WORDS or (words & CHANCE_WORDS and words & ACTION_WORDS))


def says_yes_and_no(values: Collection[str]) -> bool:
    """Whether texts say yes and no and nothing else, so that a row with any of them is not thereby singled out.

    >>> says_yes_and_no(["y", "n"]), says_yes_and_no(["1.0", "0.0"]), says_yes_and_no(["y"])
    (True, True, False)
    """
    words = {value.strip().lower().removesuffix(".0") for value in values}
    return words <= YES | NO and bool(words & YES) and bool(words & NO)


def is_probability(table: Columns, name: str) -> bool:
    """Numbers above 0 and up to 1."""
    values = table.numbers(name) if table.looks[name] == "number" else np.zeros(0)
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0 and values.max() <= 1)


BY_WORDS: Mapping[str, Callable[[Columns, Sequence[str]], Found]] = {
    "propensity": propensity_of,
    "decided_at": time_of,
    "unit_id": unit_of,
    "action": action_of,
    "reward": outcome_of,
}
"""In this order: what has a narrow meaning goes before what has a wide one."""


def _seconds(table: Columns, name: str) -> Floats:
    moments = table.moments(name)
    return np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1e6)


def by_words(table: Columns, free: Sequence[str], filled: Collection[str]) -> dict[str, tuple[str, str, float]]:
    """Roles that are not filled, by words of the columns that are free: the column, why, and -1 where less is better.

    Args:
        table: the first rows.
        free: columns that nobody has taken.
        filled: roles that have a column.
    """
    found: dict[str, tuple[str, str, float]] = {}
    for role, find in BY_WORDS.items():
        taken = {column for column, _, _ in found.values()}
        name, why = NOTHING if role in filled else find(table, [column for column in free if column not in taken])
        if name is not None:
            found[role] = (name, why, -1.0 if role == "reward" and lower_is_better(name) else 1.0)
    return found
