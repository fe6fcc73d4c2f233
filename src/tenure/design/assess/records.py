"""A log as the assessor reads it: what was seen, done, paid, and what came next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.core.logged import Logged, LoggedSource, joined
from tenure.design.assess.copies import check_copies
from tenure.design.assess.thresholds import FEWEST_ROWS
from tenure.design.starting.leaks import Leak
from tenure.evaluation.checks import LARGEST
from tenure.evaluation.grouped import mixed
from tenure.store.tables.roles import how_to_map

MOST_ROWS = 6_000
"""Decisions that are measured; of a longer log whole units are drawn."""
STRETCHES = 60
"""Parts into which one long stream is cut, to stand for its independent units."""
AFTERWARDS = ("outcome", "label", "actual", "truth", "realized", "realised", "after", "signal")
"""How names of columns begin (before `_`) that are known only after the decision."""


@dataclass(frozen=True, eq=False)
class Records:
    """n decisions, sorted so that those of one unit follow each other in time.

    Args:
        x: what was seen; [n, features], finite.
        names: of the features.
        after: what was known only afterwards; [n, columns].
        after_names: of these columns.
        action: index into `labels`; [n].
        labels: of the actions.
        reward: what each decision brought, in the problem's currency; [n].
        propensity: logged probability of the action taken, NaN where unknown; [n].
        unit: independent unit of each row, counted from 0; [n].
        cluster: what a unit is.
        following: row of the next decision of the same unit, -1 at its end; [n].
        order: position of each row in time over the whole log; [n], in [0, 1]; NaN where there is no time.
        ordered: some column says what came before what.
        episodic: units have an end of their own, so that what comes after it is worth 0.
        days: between the first and the last decision; NaN where the log has no time.
        of: decisions the log holds; more than are here where it was thinned.
        allowed: which actions could be taken; [n, actions]; None when all.
        clock: cycles of the moments by name, such as the hour; int64 [n] each; None without a time.
    """

    x: Floats
    names: tuple[str, ...]
    after: Floats
    after_names: tuple[str, ...]
    action: Ints
    labels: tuple[str, ...]
    reward: Floats
    propensity: Floats
    unit: Ints
    cluster: str
    following: Ints
    order: Floats
    ordered: bool
    episodic: bool
    days: float
    of: int
    allowed: Bools | None = None
    clock: Mapping[str, Ints] | None = None

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def units(self) -> int:
        """Independent units."""
        return int(self.unit.max()) + 1

    @property
    def thinned(self) -> bool:
        """The log holds more decisions than are measured."""
        return self.of > len(self)

    @property
    def per_day(self) -> float:
        """Decisions a day, of the whole log; NaN where it has no time."""
        return self.of / self.days if self.days > 0 else float("nan")

    @property
    def fold(self) -> Ints:
        """Half in which each row's unit lies, 0 or 1: what is fitted on one half is judged on the other; [n]."""
        return (mixed(self.unit.astype(np.uint64), 41) % np.uint64(2)).astype(np.int64)


def read_records(
    source: LoggedSource, after: Sequence[str] = (), where: str = "the log", leaks: Sequence[Leak] = ()
) -> Records:
    """A log of any form, ready to be measured.

    Args:
        source: the log.
        after: columns that are known only afterwards; names that begin with one of `AFTERWARDS` are taken as such too.
        where: the file, for messages.
        leaks: columns that hold what came of the decision; one that only its name gives away may be the right answer
            and is taken as known afterwards, the others are left out.

    Raises:
        DataError: no row, one action only, no reward, numbers that are none, or continuous actions.
    """
    if not source.labels:
        raise _bad("labelled actions", "actions that are vectors of numbers", where, "bin the action into a column")
    total = _total(source, where)
    rows = joined(list(_kept(source, total)))
    _check(rows, where, getattr(source, "place", lambda row: f"{where}, row {row + 1}"))
    check_copies(rows, where)
    unit, cluster, order, ordered = _sorted(rows)
    rows, unit = rows.take(order), unit[order]
    told = {*after, *(leak.column for leak in leaks if leak.kind == "name")}
    gone = {leak.column for leak in leaks} - told
    later = np.array([_is_after(name, told) for name in rows.names], dtype=bool)
    before = ~later & ~np.array([_column(name) in gone for name in rows.names], dtype=bool)
    if not before.any():
        found = f"none among {list(rows.names)}"
        raise _bad("a column that was known before the decision", found, where, "log what the decision was taken on")
    seen = np.where(np.abs(rows.features) < LARGEST, rows.features, 0.0)
    lengths = np.bincount(unit)
    following = np.where(np.diff(unit, append=-1) == 0, np.arange(1, len(unit) + 1), -1)
    return Records(
        x=seen[:, before],
        names=_picked(rows.names, before),
        after=seen[:, later],
        after_names=_picked(rows.names, later),
        action=rows.action,
        labels=rows.labels,
        reward=rows.reward,
        propensity=rows.propensity,
        unit=unit,
        cluster=cluster,
        following=following if ordered else np.full(len(unit), -1),
        order=_moments(rows),
        ordered=ordered,
        episodic=rows.episode is not None and len(np.unique(lengths)) > 1,
        days=_days(rows),
        of=total,
        allowed=rows.allowed,
        clock=_clock(rows.at),
    )


def _total(source: LoggedSource, where: str) -> int:
    total: int = getattr(source, "rows", None) or sum(len(batch) for batch in source.batches())
    if not total:
        raise _bad("a log with rows", "none", where, "check the export that wrote it")
    return total


def _kept(source: LoggedSource, total: int) -> Iterator[Logged]:
    """Batches, thinned to whole units once there are more rows than are measured."""
    share = min(1.0, MOST_ROWS / total)
    for batch in source.batches():
        key = batch.unit if batch.episode is None else batch.episode
        yield batch if share == 1 else batch.take(mixed(key, 43) < np.uint64(share * 2**63) * np.uint64(2))


def _check(rows: Logged, where: str, place: Callable[[int], str]) -> None:
    lost = np.flatnonzero(~(np.abs(rows.reward) < LARGEST))
    if len(lost) == len(rows):
        raise _bad("a column with the reward", "none, or nothing in it", where, how_to_map())
    if len(lost):
        fix = "find why it was not measured; a decision whose outcome is open does not belong in the log yet"
        raise _bad("a finite reward in every row", f"{len(lost)} NaN or infinite", place(int(rows.index[lost[0]])), fix)
    taken = np.unique(rows.action)
    if len(taken) < 2:
        fix = "log what else could have been done; a log of one action can compare nothing"
        raise _bad("two actions or more", f"only {rows.labels[taken[0]]!r}", where, fix)
    known = rows.propensity[np.isfinite(rows.propensity)]
    if ((known <= 0) | (known > 1)).any():
        first = int(rows.index[np.flatnonzero((rows.propensity <= 0) | (rows.propensity > 1))[0]])
        found = f"{known.min():g} to {known.max():g}"
        raise _bad("propensities in (0, 1]", found, place(first), "log probabilities")
    if len(rows) < FEWEST_ROWS:
        raise _bad(f"{FEWEST_ROWS} decisions or more", str(len(rows)), where, "collect more before asking the log")


def _sorted(rows: Logged) -> tuple[Ints, str, Ints, bool]:
    """Unit of each row, what a unit is, the order of the rows, and whether it is known."""
    time = rows.at if rows.at is not None else rows.step
    if rows.episode is not None and rows.step is not None:
        key, cluster, time = rows.episode, "episode", rows.step
    else:
        key, cluster = rows.unit, "unit"
    unit = np.unique(key, return_inverse=True)[1].astype(np.int64)
    alone = unit.max() + 1 > 0.9 * len(unit)
    if alone and time is not None and rows.episode is None and not _many_at_once(time):
        order = np.argsort(time, kind="stable")
        stretch = np.empty(len(unit), dtype=np.int64)
        stretch[order] = np.arange(len(unit)) * STRETCHES // len(unit)
        return stretch, "stretch of the stream", order, True
    if time is None:
        return unit, cluster, np.argsort(unit, kind="stable"), False
    return unit, cluster, np.lexsort((time, unit)), True


def _many_at_once(time: Any) -> bool:
    return len(np.unique(time)) < 0.5 * len(time)


def _moments(rows: Logged) -> Floats:
    if rows.at is None:
        return np.full(len(rows), np.nan)
    at = rows.at.astype("int64").astype(np.float64)
    return np.asarray((at - at.min()) / max(at.max() - at.min(), 1.0))


def _days(rows: Logged) -> float:
    if rows.at is None:
        return float("nan")
    return float((rows.at.max() - rows.at.min()) / np.timedelta64(1, "D"))


def _column(name: str) -> str:
    """The column a feature was made of."""
    return name.partition("=")[0]


def _clock(at: Any) -> dict[str, Ints] | None:
    """Hour of the day (UTC) and weekday (0 is Monday) of each decision, those that differ; None without a time.

    Args:
        at: moments; datetime64 [n], or None.
    """
    if at is None:
        return None
    hours = at.astype("datetime64[h]").astype(np.int64)
    found = {"hour of the decision": hours % 24, "weekday of the decision": (hours // 24 + 3) % 7}  # 1970: a Thursday
    return {name: key for name, key in found.items() if len(np.unique(key)) > 1} or None


def _is_after(name: str, told: Collection[str]) -> bool:
    column = _column(name)
    return column in told or column.lower().partition("_")[0] in AFTERWARDS


def _picked(names: Sequence[str], kept: Bools) -> tuple[str, ...]:
    return tuple(name for name, keep in zip(names, kept.tolist(), strict=True) if keep)


def _bad(expected: str, found: str, where: str, fix: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix=fix)
