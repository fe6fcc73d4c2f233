"""Which column is what, guessed from names, types and behaviour; every guess says why and can be corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tenure.core.errors import DataError
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
TIME_WORDS = frozenset({"time", "timestamp", "date", "datetime", "at", "ts", "moment"})
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


@dataclass(frozen=True)
class Guess:
    """What a column was taken for, and why."""

    column: str
    role: str
    why: str

    def as_dict(self) -> dict[str, str]:
        """Plain fields."""
        return {"column": self.column, "role": self.role, "why": self.why}


@dataclass(frozen=True)
class Told:
    """Columns by role as a person said; None where nothing was. `features` were known before the decision."""

    action: str | None = None
    outcome: str | None = None
    time: str | None = None
    unit: str | None = None
    propensity: str | None = None
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roles:
    """Columns by role.

    Args:
        action, outcome: what was done, and what came of it.
        time, unit, episode, step, propensity: their columns; None where the log has none.
        left_out: columns that say nothing, each with the reason.
        rest: all others, in the file's order.
        known: those of the rest that a person says were known before the decision.
        guesses: every role with its reason.
    """

    action: str
    outcome: str
    time: str | None
    unit: str | None
    episode: str | None
    step: str | None
    propensity: str | None
    left_out: Mapping[str, str]
    rest: tuple[str, ...]
    known: frozenset[str]
    guesses: tuple[Guess, ...]


@dataclass
class _Taking:
    """Columns as they are given away."""

    table: Table
    free: list[str]
    taken: dict[str, str] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)

    def take(self, role: str, column: str | None, why: str) -> None:
        if column is not None and role not in self.taken:
            self.taken[role] = column
            self.free.remove(column)
            self.guesses.append(Guess(column, role, why))


def guess_roles(table: Table, told: Told) -> Roles:
    """Give every column a role.

    Raises:
        DataError: a named column does not exist, nothing says which action was taken or what came of it, there is one
            action only or too many, or the outcome is no number.
    """
    _check_told(table, told)
    taking = _Taking(table, [name for name in table.columns if name not in told.ignore])
    for role in ("action", "outcome", "time", "unit", "propensity"):
        taking.take(role, getattr(told, role), "as you said")
    taking.free = [name for name in taking.free if name not in told.features]
    left_out = dict.fromkeys(told.ignore, "as you said") | _own_words(taking)
    for role, find in _FINDERS:
        if role not in taking.taken:
            taking.take(role, *find(table, taking.free))
    left_out |= {name: why for name in taking.free if (why := _says_nothing(table, name))}
    taking.free = [name for name in taking.free if name not in left_out and name not in told.features]
    for role, find in (("action", _only_choice), ("outcome", _last_number)):
        if role not in taking.taken:
            taking.take(role, *find(table, taking.free))
    _check_found(table, taking)
    taken = taking.taken
    _check_action(table, taken["action"])
    _check_outcome(table, taken["outcome"])
    rest = tuple(name for name in table.columns if name in taking.free or name in told.features)
    optional = {role: taken.get(role) for role in ("time", "unit", "episode", "step", "propensity")}
    return Roles(
        taken["action"],
        taken["outcome"],
        **optional,
        left_out=left_out,
        rest=rest,
        known=frozenset(told.features) | table.inner,
        guesses=tuple(taking.guesses),
    )


def lower_is_better(name: str) -> bool:
    """Whether a name says that there should be less of it."""
    return bool(LOWER_WORDS & set(tokens(name)))


def is_outcome_word(name: str) -> bool:
    """Whether a column is named like something that is measured after a decision."""
    return bool(OUTCOME_WORDS & set(tokens(name)))


def _own_words(taking: _Taking) -> dict[str, str]:
    """Columns of Tenure's and others' exports that are neither feature nor outcome."""
    words = ("decision_id", "candidates", "signals", "tenure", "allowed", "flag", "timeout", "terminal")
    keys = {key_of(word): word for role in words for word in WORDS[role]}
    found = {name: f"a log's {keys[key_of(name)]}" for name in taking.free if key_of(name) in keys}
    taking.free = [name for name in taking.free if name not in found]
    return found


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
_NUMBERS = frozenset({"number", "boolean"})
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
    found = _by_word(table, free, "reward", _NUMBERS)
    if found[0]:
        return found
    for name in free:
        if is_outcome_word(name) and table.looks[name] in _NUMBERS and table.distinct(name) > 1:
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


_FINDERS = (
    ("propensity", _propensity),
    ("episode", _episode),
    ("step", _step),
    ("time", _time),
    ("unit", _unit),
    ("action", _action),
    ("outcome", _outcome),
)


def _seconds(table: Table, name: str) -> np.typing.NDArray[np.float64]:
    moments = table.moments(name)
    return np.where(np.isnat(moments), np.nan, moments.astype("int64") / 1e6)


def _says_nothing(table: Table, name: str) -> str:
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


def _only_choice(table: Table, free: Sequence[str]) -> Found:
    """By behaviour: the one text that takes few values."""
    choices = [name for name in free if table.looks[name] == "text" and 2 <= table.distinct(name) <= FEW]
    return (choices[0], "the only text that takes few values") if len(choices) == 1 else _NOTHING


def _last_number(table: Table, free: Sequence[str]) -> Found:
    numbers = [name for name in free if table.looks[name] in _NUMBERS]
    return (numbers[-1], "nothing is named like an outcome; this is the last number") if numbers else _NOTHING


def _check_told(table: Table, told: Told) -> None:
    asked = [name for role in ("action", "outcome", "time", "unit", "propensity") if (name := getattr(told, role))]
    absent = [name for name in (*asked, *told.features, *told.ignore) if name not in table.columns]
    if absent:
        raise _bad(f"columns of {list(table.columns)}", f"{absent}", str(table.path), "correct the option")
    every = (*asked, *told.features, *told.ignore)
    twice = [name for name in every if every.count(name) > 1]
    if twice:
        raise _bad("one role for each column", f"{twice[0]!r} in two options", str(table.path), "correct the options")


def _check_found(table: Table, taking: _Taking) -> None:
    if "action" not in taking.taken:
        choices = {name: table.distinct(name) for name in taking.free if 2 <= table.distinct(name) <= FEW}
        told = ", ".join(f"{name} ({count} values)" for name, count in choices.items()) or "none"
        raise _bad(
            "a column that says which action was taken",
            f"none named so; columns with few values: {told}",
            f"{table.path}, line 1",
            "name it with --action; where the log has no decision in it, it is no log of decisions",
        )
    if "outcome" not in taking.taken:
        raise _bad(
            "a column of numbers that says what came of each decision",
            f"none among {list(table.columns)}",
            f"{table.path}, line 1",
            "add the outcome to the export, or name it with --outcome",
        )


def _check_action(table: Table, name: str) -> None:
    count = table.distinct(name)
    if table.looks[name] in ("list", "texts", "time") or count > MOST_ACTIONS:
        found = f"{count} different values in {name!r}"
        raise _bad(
            f"labelled actions, at most {MOST_ACTIONS}", found, f"{table.path}, column {name!r}",
            "bin it into a column of its own, or name another with --action",
        )  # fmt: skip
    if count < 2:
        only = next(iter(table.labels(name).drop_null().to_pylist()), "nothing")
        raise _bad(
            "two actions or more", f"only {only!r}", f"{table.path}, column {name!r}",
            "log what else could have been done; a log of one action can compare nothing",
        )  # fmt: skip


def _check_outcome(table: Table, name: str) -> None:
    values = table.numbers(name) if table.looks[name] in _NUMBERS else np.full(len(table), np.nan)
    if len(np.unique(finite(values))) < 2:
        found = "the same number in every row" if len(finite(values)) else f"a column of {table.looks[name]}"
        raise _bad(
            "an outcome in numbers that differ", found, f"{table.path}, column {name!r}",
            "name a numeric column with --outcome",
        )  # fmt: skip


def _bad(expected: str, found: str, where: str, fix: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix=fix)
