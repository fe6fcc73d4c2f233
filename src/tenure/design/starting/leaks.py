"""Columns that say what came of a decision before it was taken, because the log wrote them down afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.design.starting.decisions import Order, in_order
from tenure.design.starting.dependence import FEWEST, explained, separates
from tenure.design.starting.finding import PARTLY
from tenure.design.starting.roles import Roles
from tenure.design.starting.table import Table, finite, is_known
from tenure.store.tables.words import tokens

EXPLAINED = 0.98
"""Share of the outcome's variance that one column explains, from which it is taken for a function of the outcome."""
SEPARATES = 0.995
"""Area under the ROC curve of a yes-or-no outcome, from which a column gives it away."""
PAIRED = 40
"""Columns whose sums and differences are compared with the outcome, at most."""
LATER = 0.9
"""Share of the rows in which a moment lies after the decision, from which it was written afterwards."""
FIRST_WORDS = frozenset({"outcome", "label", "actual", "truth", "realized", "realised", "after", "signal", "post"})
LAST_WORDS = frozenset({"after", "afterwards", "later", "outcome", "result"})


@dataclass(frozen=True)
class Leak:
    """A column that may not be a feature.

    Args:
        column: its header.
        why: what gives it away.
        kind: `copy` repeats the outcome; `function` follows from it, or is filled in by it; `later` is a moment after
            the decision; `name` says so itself.
    """

    column: str
    why: str
    kind: Literal["copy", "function", "later", "name"]

    def as_dict(self) -> dict[str, str]:
        """Plain fields."""
        return {"column": self.column, "why": self.why, "kind": self.kind}


def find_leaks(table: Table, roles: Roles) -> tuple[Leak, ...]:
    """Every remaining column that is equal to the outcome, a function of it, later than the decision, or filled in
    only where the outcome is one thing."""
    outcome, found = table.numbers(roles.outcome), {}
    orders = _orders(table, roles)
    numeric = {name: values for name in roles.rest if (values := _numbers(table, name)) is not None}
    for name in roles.rest:
        if name in roles.known:
            continue
        leak = _follows(name, numeric[name], outcome) if name in numeric else None
        for order in orders if name in numeric else ():
            leak = leak or _running(name, numeric[name], outcome, *order)
        leak = leak or _later(table, roles, name) or _named(name) or _filled_in(table, name, outcome)
        if leak:
            found[name] = leak
    open_names = [name for name in numeric if name not in found and name not in roles.known]
    for name, why in _sums({name: numeric[name] for name in open_names}, outcome).items():
        found[name] = Leak(name, why, "function")
    for name in [name for name, why in roles.left_out.items() if why == PARTLY]:
        if leak := _filled_in(table, name, outcome):
            found[name] = leak
    return tuple(found[name] for name in table.columns if name in found)


def _orders(table: Table, roles: Roles) -> list[tuple[Ints, Ints]]:
    """Orders in which a column may have been added up: by time and as the file stands, of each unit and of all."""
    unit = roles.episode or roles.unit
    by_unit = [] if unit is None else [Order(roles.time, unit, roles.step), Order(group=unit)]
    whole = [in_order(table, order)[0] for order in (Order(roles.time), Order())]
    return [*(in_order(table, order) for order in by_unit), *((rows, np.zeros_like(rows)) for rows in whole)]


def _numbers(table: Table, name: str) -> Floats | None:
    """A column as numbers; texts by the order of their values, as only equality counts for them."""
    if table.looks[name] in ("number", "boolean"):
        return table.numbers(name)
    if table.looks[name] == "text":
        codes = table.texts(name).dictionary_encode().indices
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=float)
    return None


def _follows(name: str, x: Floats, outcome: Floats) -> Leak | None:
    both = is_known(x) & is_known(outcome)
    if both.sum() >= FEWEST and np.array_equal(x[both], outcome[both]):
        return Leak(name, "it equals the outcome in every row", "copy")
    share = explained(x, outcome)
    if share >= EXPLAINED:
        return Leak(name, f"alone it explains {100 * share:.1f} % of the outcome's variance", "function")
    if len(np.unique(finite(outcome))) == 2:
        area = separates(x, outcome)
        if area >= SEPARATES:
            return Leak(name, f"alone it tells the outcome's two values apart (AUC {area:.3f})", "function")
    return None


def _running(name: str, x: Floats, outcome: Floats, rows: Ints, group: Ints) -> Leak | None:
    """A sum of a unit's outcomes, in the order of time or of the file, that holds the present one.

    Up to the outcome before, such a sum is known, and no leak.
    """
    inside = np.diff(group) == 0
    x = np.where(is_known(x), x, np.nan)
    grown, now = np.diff(x[rows])[inside], outcome[rows][1:][inside]
    known = is_known(grown) & is_known(now)
    grown, now = grown[known], now[known]
    if len(now) < FEWEST or len(np.unique(now)) < 2 or not np.allclose(grown, now, rtol=0, atol=_close(x)):
        return None
    return Leak(name, "it grows by the outcome of the same row, so it was added up afterwards", "function")


def _close(values: Floats) -> float:
    return 1e-9 * float(np.abs(finite(values)).max(initial=1e-300))


def _filled_in(table: Table, name: str, outcome: Floats) -> Leak | None:
    """Whether a cell holds anything, taken as a column of its own: a log fills in afterwards what came to pass."""
    values, counts = np.unique(finite(outcome), return_counts=True)
    usual = values[counts.argmax()]
    area = separates(table.filled(name).astype(float), np.where(is_known(outcome), outcome == usual, np.nan))
    if area < SEPARATES:
        return None
    return Leak(name, f"whether it is filled in tells where the outcome is {usual:g} (AUC {area:.3f})", "function")


def _sums(numeric: dict[str, Floats], outcome: Floats) -> dict[str, str]:
    """Pairs whose sum or difference is the outcome."""
    names, found = list(numeric)[:PAIRED], {}
    tolerance = _close(outcome)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            for sign, word in ((1, "plus"), (-1, "minus")):
                off = numeric[one] + sign * numeric[other] - outcome
                off = np.minimum(np.abs(off), np.abs(off + 2 * outcome)) if sign < 0 else np.abs(off)
                known = finite(off)
                if len(known) >= FEWEST and known.max() <= tolerance and _moves(numeric, (one, other)):
                    found[one] = f"{one} {word} {other} is the outcome"
                    found[other] = found[one]
    return found


def _moves(numeric: dict[str, Floats], names: tuple[str, str]) -> bool:
    return all(np.ptp(finite(numeric[name])) > 0 for name in names)


def _later(table: Table, roles: Roles, name: str) -> Leak | None:
    if table.looks[name] != "time" or roles.time is None:
        return None
    decided, moment = table.moments(roles.time), table.moments(name)
    known = ~(np.isnat(decided) | np.isnat(moment))
    if not known.any():
        return None
    share = float((moment[known] > decided[known]).mean())
    why = f"later than the decision in {100 * share:.0f} % of the rows"
    return Leak(name, why, "later") if share >= LATER else None


def _named(name: str) -> Leak | None:
    words = tokens(name)
    if words and len(words) > 1 and (words[0] in FIRST_WORDS or words[-1] in LAST_WORDS):
        return Leak(name, "its name says that it was known only afterwards", "name")
    return None
