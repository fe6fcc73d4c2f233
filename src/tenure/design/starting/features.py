"""Features and signals as a first draft of problem.py states them: names, units and bounds guessed from the data."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc

from tenure.core.arrays import Floats
from tenure.design.starting.decisions import Column
from tenure.design.starting.names import remark, slugs
from tenure.design.starting.roles import Guess, Roles
from tenure.design.starting.table import Table, finite
from tenure.store.tables.values import plain
from tenure.store.tables.words import lower_is_better, tokens

VALUES = 12
"""Values of a category that become a feature of their own, the most frequent ones."""
UNITS = {
    "eur": "EUR", "usd": "USD", "gbp": "GBP", "chf": "CHF", "revenue": "money", "price": "money", "cost": "money",
    "profit": "money", "pct": "%", "percent": "%", "s": "seconds", "sec": "seconds", "seconds": "seconds",
    "min": "minutes", "minutes": "minutes", "hours": "hours", "days": "days", "ms": "milliseconds", "km": "km",
    "kg": "kg", "click": "clicks", "clicks": "clicks", "clicked": "clicks", "age": "years", "count": "count",
}  # fmt: skip
"""Units that words of a header say."""
LEFT_OUT = "left out"
"""The role of a column that may say something, of which nothing can be made here."""
UNKNOWN = "1"
"""The unit of what has none, or none that is known yet."""


@dataclass(frozen=True)
class FeatureDraft:
    """One feature as problem.py and data.py write it; `missing` stands for a cell that is empty."""

    source: Column
    unit: str
    low: float
    high: float
    about: str
    optional: bool


@dataclass(frozen=True)
class SignalDraft:
    """One signal: its name, header, unit, bounds, three typical values from low to high, and which way is better."""

    name: str
    column: str
    unit: str
    low: float
    high: float
    typical: tuple[float, float, float]
    better: str
    missing: float = math.nan

    @property
    def negative(self) -> bool:
        """Its mean lies below 0, so that a share can be stated of what is short of 0 only."""
        return self.typical[1] < 0

    @property
    def kpi(self) -> str:
        """Name of the KPI over it: its mean, or where that is negative its mean with the sign turned."""
        return f"minus_{self.name}" if self.negative else f"mean_{self.name}"

    @property
    def kpi_better(self) -> str:
        """Which direction of that KPI is an improvement."""
        turned = {"lower": "higher", "higher": "lower"}
        return turned[self.better] if self.negative else self.better

    @property
    def paid_in(self) -> str:
        """What a reward over it is counted in."""
        return "points" if self.unit == UNKNOWN else self.unit


def draft_features(table: Table, roles: Roles, kept: tuple[str, ...]) -> tuple[list[FeatureDraft], list[Guess]]:
    """Features of the columns that remain, and what was guessed of each column."""
    wanted: list[tuple[str, str, str]] = []
    guesses = []
    for name in kept:
        parts, why = _parts(table, name)
        wanted += [(name, *part) for part in parts]
        guesses.append(Guess(name, "feature" if parts else LEFT_OUT, why))
    cycles = [] if roles.time is None else _cycles(table, roles.time)
    if roles.time is not None and cycles:
        wanted += [(roles.time, kind, "") for kind in cycles]
        guesses.append(Guess(roles.time, "feature", f"its {' and '.join(cycles)}"))
    if not wanted:
        wanted, why = [(roles.action, "constant", "")], "nothing is known before the decision; one constant stands in"
        guesses.append(Guess(roles.action, "feature", why))
    names = slugs(_title(*one) for one in wanted)
    return [_feature(table, name, *one) for name, one in zip(names, wanted, strict=True)], guesses


def draft_signal(table: Table, column: str, name: str) -> SignalDraft:
    """A signal from a column of numbers."""
    values = finite(table.numbers(column))
    low, high = _bounds(values, zero=True)
    middle = float(values.mean())
    typical = (float(values.min()), middle, float(values.max()))
    better = "lower" if lower_is_better(column) else "higher"
    return SignalDraft(name, column, unit_of(column, values), low, high, typical, better)


def unit_of(header: str, values: Floats) -> str:
    """A unit from the words of a header, such as `Temp (C)` or `wait_minutes`; `1` where they say none."""
    told = re.search(r"[\[(]([^\])]{1,12})[\])]\s*$", header)
    if told and re.fullmatch(r"[\w%$/° ]+", told[1]):
        return remark(told[1])
    for word in reversed(tokens(header)):
        if word in UNITS:
            return UNITS[word]
    return "0 or 1" if _is_flag(values) and not told else UNKNOWN


def _is_flag(values: Floats) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _parts(table: Table, name: str) -> tuple[list[tuple[str, str]], str]:
    """Kind and value of each feature that a column becomes, and why."""
    kind = table.looks[name]
    if kind in ("number", "boolean"):
        return [("number", "")], f"a {kind}"
    if kind == "time":
        return [], "another time; say in data.py what of it was known"
    if kind == "list":
        lengths = pc.list_value_length(plain(table.columns[name])).drop_null()
        width = int(pc.mode(lengths)[0]["mode"].as_py())
        return [("item", str(place)) for place in range(width)], f"a list of {width} numbers"
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(table.labels(name).drop_null()).to_pylist()}
    ranked = sorted(counts, key=lambda value: (-counts[value], value))[:VALUES]
    rest = len(counts) - len(ranked)
    told = f"a category of {len(counts)} values" + (f"; the {rest} rarer ones share all zeros" if rest else "")
    return [("is", value) for value in ranked], told


def _title(column: str, kind: str, value: str) -> str:
    if kind == "number":
        return column
    return "constant" if kind == "constant" else f"{column} {kind} {value}"


def _cycles(table: Table, name: str) -> list[str]:
    """What of a moment comes again and differs between rows: `hour`, `weekday`."""
    if table.looks[name] == "number" and np.nanmax(table.numbers(name), initial=0) < 1e8:
        return []  # a counter, no moment since 1970
    kinds: list[Literal["hour", "weekday"]] = ["hour", "weekday"]
    return [kind for kind in kinds if len(np.unique(finite(Column("", name, kind).numbers(table)))) > 1]


def _feature(table: Table, name: str, column: str, kind: str, value: str) -> FeatureDraft:
    if kind in ("hour", "weekday"):
        unit, high = ("hour of day", 23.0) if kind == "hour" else ("day, 0 is Monday", 6.0)
        return FeatureDraft(Column(name, column, kind), unit, 0.0, high, "of the decision, UTC", False)  # type: ignore[arg-type]
    if kind == "constant":
        return FeatureDraft(Column(name, column, "is", ""), UNKNOWN, 0.0, 1.0, "nothing was known; replace it", True)
    if kind == "is":
        about = f"{remark(column)} is {remark(value)}"
        return FeatureDraft(Column(name, column, "is", value), "0 or 1", 0.0, 1.0, about, True)
    source = Column(name, column, kind, value)  # type: ignore[arg-type]
    every = source.numbers(table)
    values = finite(every)
    values = values if len(values) else np.zeros(1)
    lost = len(every) - len(finite(every))
    missing = float(np.median(values))
    low, high = _bounds(values)
    about = f"{remark(column)}; missing in {lost} of {len(every)} rows" if lost else remark(column)
    return FeatureDraft(
        Column(name, column, source.kind, value, missing), unit_of(column, values), low, high, about, bool(lost)
    )


def _bounds(values: Floats, zero: bool = False) -> tuple[float, float]:
    """Bounds with room: half the range on both sides, rounded outward; 0 stays 0, and shares stay in [0, 1]."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    room = 0.5 * (high - low) or max(abs(high), 1.0)
    least = 0.0 if low >= 0 else -_rounded_up(room - low)
    most = _rounded_up(high + room) if high > 0 else (0.0 if zero else high + room)
    return least, max(most, least + 1.0)


def _rounded_up(value: float) -> float:
    """The next number with two digits: 0.0123 gives 0.013, 1234 gives 1300."""
    if value <= 0:
        return 0.0
    digit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / digit * (1 - 1e-12)) * digit:.12g}")
