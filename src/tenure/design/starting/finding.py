"""How a column's role is told: by the words of its name, by what it holds and by how it behaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tenure.design.starting.table import Table, finite
from tenure.store.tables.roles import WORDS, key_of
from tenure.store.tables.words import (
    BY_WORDS,
    FEW,
    NOTHING,
    NUMBERS,
    Found,
    is_probability,
)

ALONE = 0.9
"""Share of different values from which a text identifies its row and says nothing about others."""
PARTLY = "the same wherever it is filled in"
"""Said of a column that may still tell something by its empty cells."""
_ANY: frozenset[str] = frozenset()
_TIMES = frozenset({"time", "number"})


def _by_word(table: Table, free: Sequence[str], role: str, needs: frozenset[str]) -> Found:
    """A column whose whole name is one of the field's words for a role."""
    for word in WORDS[role]:
        for name in free:
            if key_of(name) == key_of(word) and (table.looks[name] in needs if needs else table.looks[name] != "empty"):
                return name, "by its name"
    return NOTHING


def _either(role: str, needs: frozenset[str]) -> Callable[[Table, Sequence[str]], Found]:
    """By the whole name where one of the field's words is there, else by one word of it."""

    def found(table: Table, free: Sequence[str]) -> Found:
        named = _by_word(table, free, role, needs)
        return named if named[0] else BY_WORDS[role](table, free)

    return found


def _episode(table: Table, free: Sequence[str]) -> Found:
    return _by_word(table, free, "episode_id", _ANY)


def _step(table: Table, free: Sequence[str]) -> Found:
    return _by_word(table, free, "step", frozenset({"number"}))


def _propensity(table: Table, free: Sequence[str]) -> Found:
    """As the others, but a letter alone is no propensity, and what lies outside (0, 1] is none."""
    wide = [name for name in free if key_of(name) != "p"]
    named = _by_word(table, wide, "propensity", frozenset({"number"}))
    return named if named[0] and is_probability(table, named[0]) else BY_WORDS["propensity"](table, wide)


FINDERS = (  # in this order: what has a narrow meaning goes before what has a wide one
    ("propensity", _propensity),
    ("episode", _episode),
    ("step", _step),
    ("time", _either("decided_at", _TIMES)),
    ("unit", _either("unit_id", _ANY)),
    ("action", _either("action", NUMBERS | {"text"})),
    ("outcome", _either("reward", NUMBERS)),
)


def says_nothing(table: Table, name: str) -> str:
    """Why a column tells nothing about a decision; empty where it may."""
    kind = table.looks[name]
    if kind in ("empty", "texts"):
        return "nothing in it" if kind == "empty" else "lists of texts"
    different = 2 if kind == "list" else table.distinct(name)
    if different < 2:
        return "the same in every row" if table.filled(name).all() else PARTLY
    if kind == "text" and different > max(FEW, ALONE * len(table)):
        return "different in every row, an id or free text"
    whole = finite(table.numbers(name)) if kind == "number" else np.zeros(0)
    if len(whole) == len(table) > 2 and (np.diff(whole) == 1).all():
        return "a row number"
    return ""


def only_choice(table: Table, free: Sequence[str]) -> Found:
    """By behaviour: the one text that takes few values."""
    choices = [name for name in free if table.looks[name] == "text" and 2 <= table.distinct(name) <= FEW]
    return (choices[0], "the only text that takes few values") if len(choices) == 1 else NOTHING


def last_number(table: Table, free: Sequence[str]) -> Found:
    """By convention: tables of examples end with what is to be foretold."""
    numbers = [name for name in free if table.looks[name] in NUMBERS]
    return (numbers[-1], "nothing is named like an outcome; this is the last number") if numbers else NOTHING
