"""A column named like the propensity that holds none: asked about, before it is taken for anything else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.errors import DataError
from tenure.design.starting.table import Table
from tenure.store.tables.roles import WORDS, key_of
from tenure.store.tables.words import NUMBERS, is_named_propensity

OTHER_MEANINGS = frozenset({"p", "density"})
"""Words that may as well be a price, a probability of anything, or a measure of crowds."""
_NAMES = frozenset(key_of(word) for word in WORDS["propensity"]) - OTHER_MEANINGS


def check_propensity(table: Table, free: Sequence[str], taken: str | None) -> None:
    """The column that was taken, or else every free one of such a name, holds probabilities.

    A cell with nothing in it is no fault here.

    Raises:
        DataError: it holds no numbers, or one outside (0, 1].
    """
    for name in [taken] if taken is not None else [name for name in free if _is_named(table, name)]:
        values = table.numbers(name) if table.looks[name] in NUMBERS else np.zeros(0)
        if not len(values) and (name == taken or key_of(name) in _NAMES):
            raise _faulty(name, f"a column of {table.looks[name]}", f"{table.path}, column {name!r}", False, taken)
        bad = np.flatnonzero(~np.isnan(values) & ~((values > 0) & (values <= 1)))
        if len(bad):
            found = f"{values[bad[0]]:g}" + (f", and {len(bad) - 1} more outside" if len(bad) > 1 else "")
            percent = _is_percent(values)
            found += "; they look like percent" if percent else ""
            raise _faulty(name, found, table.line(int(bad[0])), percent, taken)


def _is_named(table: Table, name: str) -> bool:
    """An empty column plays no role, whatever its name."""
    return table.looks[name] != "empty" and (key_of(name) in _NAMES or is_named_propensity(name))


def _is_percent(values: Floats) -> bool:
    """All lie from 0 to 100, and most above 1."""
    known = values[~np.isnan(values)]
    return bool(known.min() >= 0 and known.max() <= 100 and np.median(known) > 1)


def _faulty(name: str, found: str, where: str, percent: bool, taken: str | None) -> DataError:
    cure = "divide the column by 100" if percent else "log the probability of the action that was taken"
    other = "" if taken is not None else f"; if it means something else, say --feature {name!r} or --ignore {name!r}"
    return DataError(
        expected=f"propensities above 0 and up to 1 in column {name!r}", found=found, where=where, fix=f"{cure}{other}"
    )
