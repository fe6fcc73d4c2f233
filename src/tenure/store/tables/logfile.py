"""`open_log`: a log from anywhere as a source of batches, with a summary of what was understood."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tenure.core.logged import Logged
from tenure.store.tables.chunks import Rejection, Source, bad_data
from tenure.store.tables.columnar import Parquet, Table, from_arrays, from_frame, from_npz
from tenure.store.tables.delimited import Delimited
from tenure.store.tables.expanded import Expanded, opens
from tenure.store.tables.features import feature_column, look
from tenure.store.tables.files import opened
from tenure.store.tables.jsonlines import JsonLines
from tenure.store.tables.notation import as_written
from tenure.store.tables.repeats import known_actions, number_columns
from tenure.store.tables.roles import ColumnMapping, guess, read_mapping
from tenure.store.tables.scanning import Scan, counts, scan
from tenure.store.tables.shaping import Shaper
from tenure.store.tables.understanding import Plan, Understood, select, understand
from tenure.store.tables.words import FirstRows, by_words, says_yes_and_no

Form = Literal["csv", "jsonl", "parquet", "dsjson", "obp", "npz", "scope-rl"]
SUFFIXES: Mapping[str, Form] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".dsjson": "dsjson", ".parquet": "parquet", ".pq": "parquet", ".npz": "npz",
}  # fmt: skip
SIZE = 65_536
"""Rows of a batch."""


@dataclass(frozen=True, eq=False)
class LogFile:
    """A log that is read in batches, in constant memory, as often as wanted; a `tenure.core.logged.LoggedSource`.

    Args:
        source: where the rows come from.
        found: what the first pass over it found.
        size: rows of a batch, at most.
        actions: the labels, where they were given beforehand.
    """

    source: Source
    found: Scan
    size: int = SIZE
    actions: tuple[str, ...] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the actions, in order; empty for a `Box`."""
        return self.found.labels

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(name for feature in self.found.plan.features for name in feature.names)

    @property
    def mapping(self) -> ColumnMapping:
        """Which column was taken as what."""
        return self.found.plan.mapping

    @property
    def rows(self) -> int:
        """How many rows `batches` gives."""
        return self.found.rows

    @property
    def lines(self) -> int:
        """How many rows the source has, rejected and flagged ones counted."""
        return self.found.rows + len(self.found.rejected) + sum(self.found.flagged.values())

    @property
    def rejected(self) -> Sequence[Rejection]:
        """The rows it does not give because they cannot be read, by line."""
        return self.found.rejected

    @property
    def summary(self) -> list[str]:
        """What was understood, a line for each thing."""
        return summary(self)

    def place(self, row: int) -> str:
        """Where a row stands, for messages: `FILE:LINE` of a text file, else its number from 1.

        Args:
            row: ordinal in the source, as in `Logged.index`.
        """
        name = self.source.name
        if SUFFIXES.get(Path(name.lower().removesuffix(".gz")).suffix) not in ("csv", "jsonl", "dsjson"):
            return f"{name}, row {row + 1}"
        chunks = self.source.chunks(self.mapping.roles["action"].columns, ())
        lines = (int(chunk.line[chunk.row == row][0]) for chunk in chunks if (chunk.row == row).any())
        return f"{name}:{next(lines)}"

    def understood(self) -> Iterator[tuple[Any, Understood]]:
        """Chunks with their good rows, flagged ones included; rejections were listed when the log was opened."""
        found = self.found
        wanted = [name for taken in self.mapping.roles.values() for name in taken.columns] + list(self.mapping.features)
        for chunk in self.source.chunks(wanted, number_columns(found.plan)):
            for part in chunk.parts(self.size):
                rows = known_actions(understand(part, found.plan), part, self.actions)
                if len(found.repeated):
                    rows = select(rows, ~np.isin(rows.row, found.repeated))
                yield part, rows

    def batches(self) -> Iterator[Logged]:
        """The rows from the first to the last, at most `size` at a time.

        Raises:
            DataError: every row is flagged as one that does not count.
        """
        if not self.rows:
            column = self.mapping.column("flag")
            kept_out = f"none; column {column!r} flags every row, by {_short(sorted(self.found.flagged))}"
            fix = (
                "give a log of live decisions; if no row should be kept out, say so with --mapping FILE; its one line: "
            )
            fix += f"ignore = [{json.dumps(column, ensure_ascii=False)}]"
            raise bad_data("at least one row that counts", kept_out, self.source.name, fix)
        shaper = Shaper(self.found.plan, self.labels, self.names)
        for _, rows in self.understood():
            batch = shaper.logged(select(rows, counts(rows)))
            if len(batch):
                yield batch


def open_log(
    source: Any,
    mapping: Path | str | Mapping[str, Any] | None = None,
    *,
    size: int = SIZE,
    actions: Sequence[str] | None = None,
    unique: bool = True,
    form: Form | None = None,
    whole: bool = False,
    features: Collection[str] = (),
) -> LogFile:
    """A log of any form, its columns guessed by name or told by a mapping.

    Opening reads it once: labels and categories must be known before the first batch, and rejected rows are listed.
    Of Parquet and tables in memory only columns are read in which something may be wrong.

    Args:
        source: a path (CSV, CSV.gz, JSON lines, dsjson, Parquet file, folder or glob, .npz, .sqlite), a pandas
            DataFrame, an Arrow table, a dict of arrays, or (store or path of one, problem or its name).
        mapping: which column is what, as a TOML file or the same as dicts; see `read_mapping`.
        size: rows of a batch, at most.
        actions: labels of all actions in order, where they are known; rows with others are rejected.
        unique: reject repeated ids; costs 8 bytes a row while the log is opened, and the reading of all ids.
        form: the form of a file, where its name does not say it.
        whole: contexts that are JSON are kept whole, so their members need not be understood as features; for imports,
            which guess by whole names only, since what they keep stays.
        features: columns that somebody needs as features, so that no word of theirs gives them a role.

    Raises:
        DataError: no such file, nothing in it can be used, or no column says which action was taken.
    """
    told = read_mapping(mapping)
    rows = _expanded(read_source(source, size, form, _no_numbers(told)))
    sample = rows.sample()
    if not sample:
        raise bad_data("a log with rows", "none", rows.name, "check the export that wrote it")
    labels = tuple(actions) if actions is not None else getattr(rows, "labels", None) or None  # vectors have none
    looks = {name: look(values) for name, values in sample.items()}

    def more(free: Sequence[str], filled: Collection[str]) -> Mapping[str, tuple[str, str, float]]:
        wanted = [] if whole else [name for name in free if name not in features]
        return by_words(FirstRows(looks, sample), wanted, filled)

    def scanned(mapped: ColumnMapping) -> Scan:
        plan = plan_of(mapped, looks, sample, labels)
        if whole:
            inner = getattr(rows, "inner", ())
            kept = () if isinstance(rows, JsonLines) else tuple(f for f in plan.features if f.column not in inner)
            plan = replace(plan, features=kept)
        return scan(rows, plan, unique=unique and getattr(rows, "may_repeat", True), actions=labels)

    mapped = guess(looks, told, rows.name, getattr(rows, "inner", ()), more)
    found = scanned(mapped)
    if "flag" not in mapped.told and says_yes_and_no(found.flagged):
        found = scanned(mapped.as_feature("flag", looks, "it says yes and no, not why a row does not count"))
    return LogFile(rows, found, size, labels)


def plan_of(
    mapping: ColumnMapping, looks: Mapping[str, Any], sample: Mapping[str, Any], labels: Sequence[str] | None
) -> Plan:
    """How to read the columns, as far as the first rows tell."""
    features = tuple(feature_column(name, looks[name], sample[name]) for name in mapping.features)
    columns = mapping.roles["action"].columns
    if labels is not None or "tenure" in mapping.roles:
        return Plan(mapping, features)
    if len(columns) > 1 or columns[0].endswith("_0"):
        return Plan(mapping, features, box=len(columns))
    if looks[columns[0]] == "list":
        return Plan(mapping, features, box=feature_column("", "list", sample[columns[0]]).width)
    return Plan(mapping, features, number_labels=looks[columns[0]] == "number")


def _expanded(source: Source) -> Source:
    return Expanded(source) if opens(source.sample()) else source


def _no_numbers(told: Mapping[str, Any]) -> frozenset[str]:
    """Columns of a mapping that are left out, or whose commas part the entries of a mask."""
    mask = told.get("columns", {}).get("allowed")
    return frozenset(told.get("ignore", ())) | frozenset(mask.columns if mask else ())


def read_source(source: Any, size: int, form: Form | None = None, leave: Collection[str] = ()) -> Source:
    """What reads a source, told by its type or its name; `leave` names columns that are no numbers and no dates."""
    library = type(source).__module__.partition(".")[0]
    if library == "pandas":
        return from_frame(source, size)
    if library == "pyarrow":
        return Table(source, "the table", size)
    if isinstance(source, Mapping):
        return from_arrays(source, "the arrays", size)
    if isinstance(source, tuple) and len(source) == 2:
        return _stored(*source, size)
    if isinstance(source, str | Path):
        return _file(str(source), size, form, leave)
    what = "a path, a DataFrame, an Arrow table, a dict of arrays, or (store, problem)"
    raise bad_data(what, type(source).__name__, "open_log", "give one of these")


def _stored(store: Any, problem: Any, size: int) -> Source:
    from tenure.store.tables.stored import Stored

    return Stored(store, problem, size)


def _file(name: str, size: int, form: Form | None, leave: Collection[str]) -> Source:
    path = Path(name)
    if path.is_dir() or (any(letter in name for letter in "*?[") and not path.exists()):
        return Parquet(_many(path), size)
    if not path.is_file():
        raise bad_data("a log file", "no such file", name, "check the path")
    if path.suffix in (".sqlite", ".db"):
        return _stored(path, None, size)
    form = form or form_of(path)
    if form == "parquet":
        return Parquet([path], size)
    if form == "npz" or (form == "scope-rl" and path.suffix == ".npz"):
        return from_npz(path, size)
    if form in ("jsonl", "dsjson"):
        _check_lines(path)
        return JsonLines(path, dsjson=True if form == "dsjson" else None)
    table = Delimited(path)
    return as_written(table, table.separator, leave)


def _check_lines(path: Path) -> None:
    """Raises DataError for a JSON array, which would be read as one line that is no record."""
    with opened(path) as file:
        if file.read(64).lstrip()[:1] == b"[":
            fix = "write each record on a line of its own"
            raise bad_data("one JSON object per line", "a JSON array", str(path), fix)


def _many(path: Path) -> list[Path]:
    found = path.rglob("*") if path.is_dir() else Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))
    files = sorted(file for file in found if file.is_file() and SUFFIXES.get(file.suffix) == "parquet")
    if not files:
        raise bad_data("Parquet files", "none", str(path), "check the folder")
    return files


def form_of(path: Path) -> Form:
    """The form a file's name says.

    Raises:
        DataError: it says none.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    form = SUFFIXES.get(suffixes[-1]) if suffixes else None
    if form is None:
        raise bad_data(f"a file named {sorted(SUFFIXES)}", path.name, str(path), "rename it, or say its --format")
    return form


def summary(log: LogFile) -> list[str]:
    """What was understood of a log, in words."""
    found = log.found
    lines = [f"{log.source.name}: {found.rows} rows", *found.plan.mapping.lines, *getattr(log.source, "notes", ())]
    columns = [feature.column for feature in found.plan.features]
    lines.append(f"features: {len(log.names)} from columns, {_short(columns)}")
    if len(columns) < len(found.plan.mapping.features):
        lines.append("context: as it came")
    for feature in found.plan.features:
        if feature.kind == "category":
            rest = ", the rest as `other`" if feature.rest else ""
            lines.append(f"{feature.column}: category of {len(feature.values)} values{rest}")
    actions = f"{found.plan.box} number(s), `propensity` is a density" if found.plan.box else _short(found.labels)
    lines.append(f"actions: {actions}")
    if found.naive:
        lines.append("decided_at: some times have no zone and are taken as UTC")
    lines += [f"left out: {name} (not in the first rows)" for name in found.late]
    lines += [f"kept out: {count} rows flagged {flag!r}" for flag, count in sorted(found.flagged.items())]
    if found.rejected:
        first = found.rejected[0]
        lines.append(f"rejected: {len(found.rejected)} rows; the first, line {first.line}: {first.reason}")
    return lines


def _short(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:10])
    return f"{len(labels)}: {shown}{', ...' if len(labels) > 10 else ''}" if labels else "0"
