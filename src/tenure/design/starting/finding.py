"""How a column's role is told: by the words of its name, by what it holds and by how it behaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenure.core.arrays import Floats
from tenure.design.starting.names import tokens
from tenure.design.starting.table import Table, finite
from tenure.store.tables.roles import WORDS, key_of

MOST_ACTIONS = 200
"""Different actions; a column with more is a measurement, or must be binned first."""
FEW = 20
"""Different values up to which a column behaves like a choice."""
ALONE = 0.9
"""Share of different values from which a text identifies its row and says nothing about others."""
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
PROPENSITY_WORDS = frozenset({"propensity", "pscore", "probability", "prob"})
LOWER_WORDS = frozenset({
    "cost", "costs", "delay", "late", "lateness", "loss", "losses", "lost", "churn", "churned", "returned",
    "complaint", "complaints", "failure", "failures", "error", "errors", "waiting", "wait", "latency", "penalty",
})  # fmt: skip
"""Words of what there should be less of."""


def lower_is_better(name: str) -> bool:
    """Whether a name says that there should be less of it."""
    return bool(LOWER_WORDS & set(tokens(name)))


def is_outcome_word(name: str) -> bool:
    """Whether a column is named like something that is measured after a decision."""
    return bool(OUTCOME_WORDS & set(tokens(name)))


Found = tuple[str | None, str]
_NOTHING: Found = (None, "")


def _by_word(table: Table, free: Sequence[str], role: str, needs: frozenset[str]) -> Found:
    """A column whose whole name is one of the field's words for a role."""
    for word in WORDS[role]:
        for name in free:
            if key_of(name) == key_of(word) and (table.looks[name] in needs if needs else table.looks[name] != "empty"):
                return name, "by its name"
    return _NOTHING


_ANY: frozenset[str] = frozenset()
NUMBERS = frozenset({"number", "boolean"})
_TIMES = frozenset({"time", "number"})


def _action(table: Table, free: Sequence[str]) -> Found:
    found = _by_word(table, free, "action", frozenset({"number", "boolean", "text"}))
    return found if found[0] else _by_tokens(table, free, ACTION_WORDS, MOST_ACTIONS)


def _by_tokens(table: Table, free: Sequence[str], words: frozenset[str], most: int) -> Found:
    for name in free:
        hit = words & set(tokens(name))
        if hit and table.looks[name] in ("text", "number", "boolean") and 2 <= table.distinct(name) <= most:
            return name, f"its name says {min(hit)!r}, and it has {table.distinct(name)} different values"
    return _NOTHING


def _outcome(table: Table, free: Sequence[str]) -> Found:
    found = _by_word(table, free, "reward", NUMBERS)
    if found[0]:
        return found
    for name in free:
        if is_outcome_word(name) and table.looks[name] in NUMBERS and table.distinct(name) > 1:
            return name, "its name says so, and it is a number"
    return _NOTHING


def _time(table: Table, free: Sequence[str]) -> Found:
    found = _by_word(table, free, "decided_at", _TIMES)
    if found[0]:
        return found
    times = [name for name in free if table.looks[name] == "time"]
    if not times:
        return _NOTHING
    middle = {name: np.nanmedian(_seconds(table, name)) for name in times}
    return min(times, key=lambda name: middle[name]), "the earliest of the columns with times"


def _unit(table: Table, free: Sequence[str]) -> Found:
    found = _by_word(table, free, "unit_id", _ANY)
    if found[0]:
        return found
    for name in free:
        words = set(tokens(name))
        if words & UNIT_WORDS and "id" in words and table.distinct(name) < len(table):
            return name, "its name says so, and it repeats"
    return _NOTHING


def _episode(table: Table, free: Sequence[str]) -> Found:
    return _by_word(table, free, "episode_id", _ANY)


def _step(table: Table, free: Sequence[str]) -> Found:
    return _by_word(table, free, "step", frozenset({"number"}))


def _propensity(table: Table, free: Sequence[str]) -> Found:
    found = _by_word(table, [name for name in free if key_of(name) != "p"], "propensity", frozenset({"number"}))
    names = [found[0]] if found[0] else [name for name in free if PROPENSITY_WORDS & set(tokens(name))]
    for name in names:
        values = finite(table.numbers(name)) if table.looks[name] == "number" else np.zeros(0)
        if len(values) and values.min() > 0 and values.max() <= 1:
            return name, found[1] or "its name says so, and it lies in (0, 1]"
    return _NOTHING


FINDERS = (  # in this order: what has a narrow meaning goes before what has a wide one
    ("propensity", _propensity),
    ("episode", _episode),
    ("step", _step),
    ("time", _time),
    ("unit", _unit),
    ("action", _action),
    ("outcome", _outcome),
)


def _seconds(table: Table, name: str) -> Floats:
    moments = table.moments(name)
    return np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1e6)


def says_nothing(table: Table, name: str) -> str:
    """Why a column tells nothing about a decision; empty where it may."""
    kind = table.looks[name]
    if kind in ("empty", "texts"):
        return "nothing in it" if kind == "empty" else "lists of texts"
    different = 2 if kind == "list" else table.distinct(name)
    if different < 2:
        return "the same in every row"
    if kind == "text" and different > max(FEW, ALONE * len(table)):
        return "different in every row, an id or free text"
    whole = finite(table.numbers(name)) if kind == "number" else np.zeros(0)
    if len(whole) == len(table) > 2 and (np.diff(whole) == 1).all():
        return "a row number"
    return ""


def only_choice(table: Table, free: Sequence[str]) -> Found:
    """By behaviour: the one text that takes few values."""
    choices = [name for name in free if table.looks[name] == "text" and 2 <= table.distinct(name) <= FEW]
    return (choices[0], "the only text that takes few values") if len(choices) == 1 else _NOTHING


def last_number(table: Table, free: Sequence[str]) -> Found:
    """By convention: tables of examples end with what is to be foretold."""
    numbers = [name for name in free if table.looks[name] in NUMBERS]
    return (numbers[-1], "nothing is named like an outcome; this is the last number") if numbers else _NOTHING
