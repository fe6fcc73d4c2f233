"""Numbers with decimal commas and dates with the day first, read as what they are where a file leaves no doubt.

A column is judged by its first rows. `12,5` can only have a decimal comma and `31/12/2026` only the day first; `1,234`
and `01/02/2026` are either, and follow what the rest of the file shows. Where nothing shows it, the column is refused
when it is read, with the line, since a wrong guess is wrong by a factor of 1000 or by months and looks sound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tenure.store.tables.chunks import SAMPLE, Chunk, Source, bad_data
from tenure.store.tables.roles import WORDS, key_of
from tenure.store.tables.values import MISSING

Kind = Literal["comma", "point", "day", "month", "unclear"]
"""Decimal commas; decimal points with commas between thousands; day or month first; not to be told."""
ENOUGH = 0.9
"""Share of a column's cells that must look the same."""
_POWER = r"(?:[eE][+-]?\d+)?$"
_SIGN = r"^[+-]?"
NUMBER = _SIGN + r"\d[\d.,]*" + _POWER
COMMA = _SIGN + r"(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?" + _POWER
POINT = _SIGN + r"(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?" + _POWER
COMMA_GROUP, POINT_GROUP = _SIGN + r"[1-9]\d{0,2},\d{3}$", _SIGN + r"[1-9]\d{0,2}\.\d{3}$"
"""One group of three digits: a fraction to some, thousands to others."""
DATE = (
    r"^(?P<one>\d{1,2})(?P<mark>[./-])(?P<two>\d{1,2})[./-](?P<year>\d{4})"
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,6})?))?)?(?P<zone>Z|[+-]\d{2}:\d{2})?$"
)
_NO_NUMBERS = frozenset(key_of(w) for role in ("allowed", "candidates", "signals", "tenure") for w in WORDS[role])
_WORDS: Mapping[Kind, str] = {
    "comma": "numbers with decimal commas",
    "point": "numbers with commas between thousands",
    "day": "dates with the day first",
    "month": "dates with the month first",
}


@dataclass(frozen=True)
class Notation:
    """How one column is written.

    Args:
        kind: what its cells are.
        line: of a cell that shows it, from 1.
        cell: that cell.
    """

    kind: Kind
    line: int
    cell: str


class Rewritten:
    """A file of texts, some columns of which are rewritten with decimal points and ISO dates."""

    typed = False

    def __init__(self, source: Source, found: Mapping[str, Notation], leave: Collection[str]) -> None:
        self.source, self.name, self.found = source, source.name, {k: v for k, v in found.items() if k not in leave}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is read as what, a line for each kind."""
        kinds: dict[Kind, list[str]] = {}
        for name, each in self.found.items():
            kinds.setdefault(each.kind, []).append(name)
        told = [(kind, names) for kind, names in kinds.items() if kind != "unclear"]
        return tuple(f"{_WORDS[kind]}: {', '.join(names)} (such as {self._shown(names[0])})" for kind, names in told)

    def _shown(self, name: str) -> str:
        each = self.found[name]
        return f"{each.cell!r} in line {each.line}, read as {rewritten(pa.array([each.cell]), each.kind)[0].as_py()}"

    def sample(self) -> Mapping[str, Any]:
        """The first rows; columns that cannot be told as they came."""
        sample = self.source.sample()
        return {name: self._column(name, values) for name, values in sample.items()}

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:
        """Every row in order.

        Raises:
            DataError: one of the columns cannot be told.
        """
        for name in columns:
            if name in self.found and self.found[name].kind == "unclear":
                raise _unclear(name, self.found[name], self.name)
        for chunk in self.source.chunks(columns, [name for name in numbers if name not in self.found]):
            yield replace(chunk, columns={name: self._column(name, cells) for name, cells in chunk.columns.items()})

    def _column(self, name: str, values: Any) -> Any:
        return rewritten(values, self.found[name].kind) if name in self.found else values


def as_written(source: Source, separator: str, leave: Collection[str] = ()) -> Source:
    """The source itself where it is written with decimal points and ISO dates, else one that reads it so.

    Args:
        source: of texts.
        separator: of its fields; semicolons are what programs write whose numbers have commas.
        leave: columns that nobody reads as numbers or dates.
    """
    names = list(source.sample())
    if "tenure" in names:  # our own export, whose texts are texts
        return source
    chunk = next(iter(source.chunks(names, ())), None)
    if chunk is None:
        return source
    found = notations({name: cells.slice(0, SAMPLE) for name, cells in chunk.columns.items()}, chunk.line, separator)
    return Rewritten(source, found, leave) if found else source


def notations(columns: Mapping[str, Any], line: Any, separator: str) -> dict[str, Notation]:
    """Columns that are not written with decimal points and ISO dates, and how they are.

    Args:
        columns: texts by name.
        line: of each row.
        separator: of the fields.
    """
    found: dict[str, Notation] = {}
    told = {name: _cells(cells) for name, cells in columns.items() if key_of(name) not in _NO_NUMBERS}
    numbers = {name: seen for name, cells in told.items() if (seen := _seen_number(cells))}
    shown = frozenset(kind for seen in numbers.values() for kind in seen.sure)
    for name, seen in numbers.items():
        kind = _number_kind(seen, shown, separator)
        if kind is not None:
            found[name] = _notation(told[name], kind, "," if seen.commas else "[.]", line)
    dates = {name: parts for name, cells in told.items() if (parts := _seen_date(cells)) is not None}
    first = frozenset(each for parts in dates.values() for each in parts)
    for name, parts in dates.items():
        known = parts or first
        date: Kind = next(iter(known)) if len(known) == 1 else "unclear"
        found[name] = _notation(told[name], date, DATE, line)
    return found


def rewritten(values: Any, kind: Kind) -> Any:
    """Cells as decimal points and ISO dates; those that are written otherwise as they came."""
    if kind == "unclear":
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    if kind in ("day", "month"):
        return _iso(values, trimmed, kind)
    dropped, decimal, shape = (".", ",", COMMA) if kind == "comma" else (",", ".", POINT)
    plain = pc.replace_substring(pc.replace_substring(trimmed, dropped, ""), decimal, ".")
    return pc.if_else(pc.match_substring_regex(trimmed, shape), plain, values)


def _iso(values: Any, trimmed: Any, kind: Kind) -> Any:
    parts = pc.extract_regex(trimmed, DATE)
    day, month = ("one", "two") if kind == "day" else ("two", "one")

    def two(name: str) -> Any:
        return pc.utf8_lpad(parts.field(name), 2, "0")

    timed = pc.not_equal(parts.field("hour"), "")
    second = pc.if_else(pc.equal(parts.field("second"), ""), "00", parts.field("second"))
    clock = pc.binary_join_element_wise(two("hour"), parts.field("minute"), second, ":")
    date = pc.binary_join_element_wise(parts.field("year"), two(month), two(day), "-")
    moment = pc.if_else(timed, pc.binary_join_element_wise(date, clock, "T"), date)
    whole = pc.binary_join_element_wise(moment, parts.field("zone"), "")
    return pc.if_else(pc.is_valid(parts), whole, values)


def _cells(values: Any) -> Any:
    """Cells without spaces around them, null where there is nothing."""
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), trimmed)


def _count(cells: Any, shape: str) -> int:
    return pc.sum(pc.match_substring_regex(cells, shape)).as_py() or 0


@dataclass(frozen=True)
class _Seen:
    """Numbers of a column: what its cells show for sure, and which separators stand in groups or anywhere."""

    sure: frozenset[Kind]
    groups: str
    commas: bool


def _seen_number(cells: Any) -> _Seen | None:
    """None where they are no numbers, or have neither point nor comma."""
    known = cells.drop_null()
    marked = known.filter(pc.match_substring_regex(known, "[.,]"))
    either = [_count(marked, COMMA_GROUP), _count(marked, POINT_GROUP)]
    comma, point = (_count(marked, shape) - sum(either) for shape in (COMMA, POINT))
    numbers = comma + point + sum(either)
    if not len(marked) or numbers < ENOUGH * len(marked) or _count(known, NUMBER) < ENOUGH * len(known):
        return None
    told: dict[Kind, int] = {"comma": comma, "point": point}
    sure: frozenset[Kind] = frozenset(kind for kind, count in told.items() if count > (1 - ENOUGH) * (comma + point))
    groups = "".join(mark for mark, count in zip(",.", either, strict=True) if count)
    return _Seen(sure, groups, bool(_count(marked, ",")))


def _number_kind(seen: _Seen, shown: frozenset[Kind], separator: str) -> Kind | None:
    """How a column of numbers is written; None where it can stay."""
    if len(seen.sure) == 2 or (not seen.sure and seen.groups == ",."):
        return "unclear"
    kinds = seen.sure or shown
    if not kinds or len(kinds) == 2:
        return "unclear" if seen.commas or kinds else None
    kind = next(iter(kinds))
    if kind == "point":
        return "point" if seen.commas else None
    # Thousands with points and nothing else: only programs that part fields by semicolons write them so.
    return "comma" if seen.sure or seen.commas or separator == ";" else "unclear"


def _seen_date(cells: Any) -> frozenset[Kind] | None:
    """Which part the cells show to come first, none where they show nothing; None where they are no such dates."""
    known = cells.drop_null()
    if not len(known) or _count(known, DATE) < ENOUGH * len(known):
        return None
    parts = pc.extract_regex(known, DATE).drop_null()
    one, two = (pc.max(pc.cast(parts.field(name), pa.int64())).as_py() for name in ("one", "two"))
    dots = pc.all(pc.equal(parts.field("mark"), ".")).as_py()
    shown: set[Kind] = {"day"} if one > 12 or dots else set()
    return frozenset(shown | ({"month"} if two > 12 else set()))


def _notation(cells: Any, kind: Kind, shape: str, line: Any) -> Notation:
    """With the first cell that shows it."""
    place = pc.index(pc.fill_null(pc.match_substring_regex(cells, shape), False), True).as_py()
    return Notation(kind, int(line[max(place, 0)]), cells[max(place, 0)].as_py())


def _unclear(name: str, found: Notation, where: str) -> Exception:
    is_date = bool(_count(pa.array([found.cell]), DATE))
    expected = "dates whose day and month can be told apart" if is_date else "numbers whose fractions can be told"
    what = "day or month first" if is_date else "a fraction or thousands"
    fix = (
        "write the dates as year-month-day"
        if is_date
        else "write the numbers with a decimal point and nothing between thousands"
    )
    return bad_data(
        expected,
        f"{found.cell!r} in column {name!r}, which may be {what}, and no other column of the file shows which",
        f"{where}:{found.line}",
        f"{fix}, or leave the column out (--ignore COL, or `ignore` in a mapping)",
    )
