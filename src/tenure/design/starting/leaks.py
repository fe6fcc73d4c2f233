"""Columns that say what came of a decision before it was taken, because the log wrote them down afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats
from tenure.design.starting.names import tokens
from tenure.design.starting.roles import Roles
from tenure.design.starting.table import Table, finite, is_known

EXPLAINED = 0.98
"""Share of the outcome's variance that one column explains, from which it is taken for a function of the outcome."""
SEPARATES = 0.995
"""Area under the ROC curve of a yes-or-no outcome, from which a column gives it away."""
BINS, LEVELS = 32, 50
"""Groups of a column's values: each value where there are at most so many, else bins of equal size."""
FEWEST = 30
"""Rows below which near-perfect dependence is chance."""
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
    numeric = {name: values for name in roles.rest if (values := _numbers(table, name)) is not None}
    for name in roles.rest:
        if name in roles.known:
            continue
        follows = _follows(name, numeric[name], outcome) if name in numeric else None
        leak = follows or _later(table, roles, name) or _named(name) or _filled_in(table, name, outcome)
        if leak:
            found[name] = leak
    open_names = [name for name in numeric if name not in found and name not in roles.known]
    for name, why in _sums({name: numeric[name] for name in open_names}, outcome).items():
        found[name] = Leak(name, why, "function")
    return tuple(found[name] for name in roles.rest if name in found)


def explained(x: Floats, y: Floats) -> float:
    """Share of the variance of y that lies between groups of x, corrected for their number; at most 1.

    Args:
        x: numbers; [n].
        y: numbers; [n].

    Source: the correlation ratio of Pearson (1905), with Kelley's (1935) correction.
    """
    known = is_known(x) & is_known(y)
    x, y = x[known], y[known]
    n, levels = len(x), np.unique(x)
    if len(levels) > LEVELS:
        levels = np.unique(np.quantile(x, np.arange(BINS) / BINS))
    group = np.searchsorted(levels, x, side="right")
    k, total = len(np.unique(group)), float(((y - y.mean()) ** 2).sum()) if n else 0.0
    if n < FEWEST or n < 5 * k or not total:
        return 0.0
    mean = np.bincount(group, y) / np.maximum(np.bincount(group), 1)
    within = float(((y - mean[group]) ** 2).sum())
    return 1 - within / (n - k) / (total / (n - 1))


def separates(x: Floats, y: Floats) -> float:
    """How well x tells the two values of y apart: the area under the ROC curve or its mirror, from 0.5 to 1.

    Source: Mann and Whitney (1947), ties counted half.
    """
    from scipy.stats import rankdata

    known = is_known(x) & is_known(y)
    x, yes = x[known], y[known] == y[known].max(initial=-np.inf)
    positive, negative = int(yes.sum()), int((~yes).sum())
    if min(positive, negative) < 5 or positive + negative < FEWEST:
        return 0.5
    area = (rankdata(x)[yes].sum() - positive * (positive + 1) / 2) / (positive * negative)
    return float(max(area, 1 - area))


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


def _filled_in(table: Table, name: str, outcome: Floats) -> Leak | None:
    """Whether a cell holds anything, taken as a column of its own: a log fills in afterwards what came to pass."""
    values, counts = np.unique(finite(outcome), return_counts=True)
    usual = values[counts.argmax()]
    area = separates(_is_filled(table, name).astype(float), np.where(is_known(outcome), outcome == usual, np.nan))
    if area < SEPARATES:
        return None
    return Leak(name, f"whether it is filled in tells where the outcome is {usual:g} (AUC {area:.3f})", "function")


def _is_filled(table: Table, name: str) -> Bools:
    kind = table.looks[name]
    if kind in ("number", "boolean"):
        return is_known(table.numbers(name))
    if kind == "time":
        return np.asarray(~np.isnat(table.moments(name)))
    cells = table.labels(name) if kind == "text" else table.columns[name]
    return np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), dtype=bool)


def _sums(numeric: dict[str, Floats], outcome: Floats) -> dict[str, str]:
    """Pairs whose sum or difference is the outcome."""
    names, found = list(numeric)[:PAIRED], {}
    tolerance = 1e-9 * float(np.abs(finite(outcome)).max(initial=1e-300))
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
