"""Which column is what, guessed from names, types and behaviour; every guess says why and can be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from tenure.core.errors import DataError
from tenure.design.starting.finding import FINDERS, last_number, only_choice, says_nothing
from tenure.design.starting.propensity import check_propensity
from tenure.design.starting.table import Table, finite
from tenure.store.tables.roles import FOREIGN, WORDS, key_of
from tenure.store.tables.words import FEW, MOST_ACTIONS, NUMBERS, is_outcome_word, says_yes_and_no


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
            action only or too many, the outcome is no number, or a propensity is none.
    """
    _check_told(table, told)
    taking = _Taking(table, [name for name in table.columns if name not in told.ignore])
    for role in ("action", "outcome", "time", "unit", "propensity"):
        taking.take(role, getattr(told, role), "as you said")
    taking.free = [name for name in taking.free if name not in told.features]
    left_out = dict.fromkeys(told.ignore, "as you said") | _own_words(taking)
    for role, find in FINDERS:
        if role not in taking.taken:
            taking.take(role, *find(table, taking.free))
    check_propensity(table, taking.free, taking.taken.get("propensity"))
    left_out |= {name: why for name in taking.free if (why := says_nothing(table, name))}
    taking.free = [name for name in taking.free if name not in left_out and name not in told.features]
    _check_named_outcome(table, taking)
    for role, find in (("action", only_choice), ("outcome", last_number)):
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


def _own_words(taking: _Taking) -> dict[str, str]:
    """Columns of Tenure's and others' exports that are neither feature nor outcome."""
    words = ("decision_id", "candidates", "signals", "tenure", "allowed", "flag", "timeout", "terminal")
    keys = {key_of(word): (word, FOREIGN.get(role, ())) for role in words for word in WORDS[role]}
    found = {
        name: f"a log's {keys[key_of(name)][0]}"
        for name in taking.free
        if key_of(name) in keys and taking.table.looks[name] not in keys[key_of(name)][1]
    }
    # As `tenure assess` does: yes and no give no reason why a row does not count.
    flags = [name for name in found if key_of(name) == "flag"]
    found = {name: why for name, why in found.items() if name not in flags or not _says_yes_and_no(taking.table, name)}
    taking.free = [name for name in taking.free if name not in found]
    return found


def _says_yes_and_no(table: Table, name: str) -> bool:
    return table.distinct(name) <= FEW and says_yes_and_no(pc.unique(table.texts(name).drop_null()).to_pylist())


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


def _check_named_outcome(table: Table, taking: _Taking) -> None:
    """A column that is named like the outcome and holds texts is asked about, before any number stands in for it."""
    named = [name for name in taking.free if is_outcome_word(name) and table.looks[name] == "text"]
    if "outcome" in taking.taken or not named:
        return
    cells = table.texts(named[0])
    row = int(np.flatnonzero(np.isnan(table.numbers(named[0])) & np.asarray(cells.is_valid()))[0])
    raise _bad(
        f"numbers in {named[0]!r}, which is named like the outcome",
        repr(cells[row].as_py()),
        table.line(row),
        "write it as a plain number in the export, or name another column with --outcome",
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
    values = table.numbers(name) if table.looks[name] in NUMBERS else np.full(len(table), np.nan)
    if len(np.unique(finite(values))) < 2:
        found = "the same number in every row" if len(finite(values)) else f"a column of {table.looks[name]}"
        raise _bad(
            "an outcome in numbers that differ", found, f"{table.path}, column {name!r}",
            "name a numeric column with --outcome",
        )  # fmt: skip


def _bad(expected: str, found: str, where: str, fix: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix=fix)
