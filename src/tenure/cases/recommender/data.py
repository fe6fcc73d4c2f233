"""The two real logs of one week, as the shop wrote them, read into columns."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError
from tenure.core.logged import Logged, LoggedTable

FOLDER = Path(__file__).parent / "data"
FILES = {"uniform": FOLDER / "open_bandit_men_random.csv.gz", "thompson": FOLDER / "open_bandit_men_bts.csv.gz"}
ITEMS_CSV = FOLDER / "open_bandit_men_items.csv"
Name = Literal["uniform", "thompson"]
ROWS = 10_000
ITEMS = 34
POSITIONS = 3
CATEGORIES = {"user_feature_0": 3, "user_feature_1": 5, "user_feature_2": 9, "user_feature_3": 9}
"""Different values of each user feature over both logs; a higher category number stands for any other value."""
USER = tuple(CATEGORIES)
AFFINITY = tuple(f"affinity_{item}" for item in range(ITEMS))
FEATURES = ("position", *USER, *AFFINITY)
LABELS = tuple(str(item) for item in range(ITEMS))
FIRST_DAY = np.datetime64("2019-11-24", "D")
DAYS = 7


@dataclass(frozen=True, eq=False)
class Week:
    """One log, ordered by time.

    Args:
        at: moment of each decision, UTC; datetime64[us] [n].
        item: what was shown; int64 [n], 0 to 33.
        position: where; int64 [n], 1 to 3.
        click: 1 where it was clicked; [n].
        propensity: logged P(item at that position), in (0, 1]; [n].
        user: hashed user features as they came; object [n, 4].
        affinity: the user's past dealings with each item; [n, 34].
    """

    at: Any
    item: Ints
    position: Ints
    click: Floats
    propensity: Floats
    user: Any
    affinity: Floats

    @property
    def day(self) -> Ints:
        """Day of each row, 0 to 6; [n]."""
        return np.asarray((self.at.astype("datetime64[D]") - FIRST_DAY).astype(np.int64))


@cache
def week(name: Name) -> Week:
    """One of the two shipped logs.

    Raises:
        DataError: the file is not the one described in data/README.md.
    """
    path = FILES[name]
    rows = _rows(path, _row)
    if len(rows) != ROWS:
        raise _unlike(f"{ROWS} rows", f"{len(rows)}", str(path))
    at, item, position, click, propensity, user, affinity = (list(column) for column in zip(*rows, strict=True))
    found = Week(
        at=np.array(at, dtype="datetime64[us]"),
        item=np.array(item),
        position=np.array(position),
        click=np.array(click),
        propensity=np.array(propensity),
        user=np.array(user, dtype=object),
        affinity=np.array(affinity),
    )
    _check(found, str(path))
    return found


@cache
def categories() -> dict[str, tuple[str, ...]]:
    """Known values of each user feature over both logs, in alphabetical order; their index is the category number."""
    users = np.concatenate([week("uniform").user, week("thompson").user])
    return {name: tuple(sorted(set(users[:, column]))) for column, name in enumerate(USER)}


def category_number(feature: str, value: str) -> int:
    """Number of a hashed user feature's value; one that is in neither log has a number of its own, the last."""
    known = categories()[feature]
    return known.index(value) if value in known else len(known)


def observations(name: Name) -> Floats:
    """What is known before each decision; float32 [n, 39], in the order of `FEATURES`."""
    found = week(name)
    number = {feature: {value: index for index, value in enumerate(known)} for feature, known in categories().items()}
    user = [[number[feature][value] for value in found.user[:, column]] for column, feature in enumerate(USER)]
    return np.column_stack([found.position, *user, found.affinity]).astype(np.float32)


def log(name: Name) -> LoggedTable:
    """A week as a log that estimators and bandits read; rows of one moment are one visit and one unit."""
    found = week(name)
    return LoggedTable(
        Logged(
            index=np.arange(ROWS),
            decision_id=np.array([f"{name}-{row:05d}" for row in range(ROWS)], dtype=object),
            unit=np.array([_hash(f"{name} {moment}") for moment in found.at], dtype=np.uint64),
            action=found.item,
            propensity=found.propensity,
            reward=found.click,
            features=observations(name).astype(np.float64),
            names=FEATURES,
            labels=LABELS,
            position=found.position,
            at=found.at,
        )
    )


@cache
def item_features() -> Floats:
    """The items' one number and three hashed features, these as indicators; [34, 28].

    Raises:
        DataError: the file is not the one described in data/README.md.
    """
    rows = sorted(_rows(ITEMS_CSV, _item))
    if [item for item, _, _ in rows] != list(range(ITEMS)):
        raise _unlike(f"items 0 to {ITEMS - 1}, each once", f"{len(rows)} rows", str(ITEMS_CSV))
    columns = [np.array([[number] for _, number, _ in rows])]
    for column in range(3):
        hashed = np.array([hashes[column] for _, _, hashes in rows])
        columns.append((hashed[:, None] == np.unique(hashed)).astype(float))
    return np.concatenate(columns, axis=1)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _rows(path: Path, parse: Callable[[dict[str, str]], Any]) -> list[Any]:
    """The parsed rows of a CSV file, packed or not."""
    line = 1
    try:
        with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
            parsed = []
            for line, fields in enumerate(csv.DictReader(file), start=2):  # noqa: B007
                parsed.append(parse(fields))
            return parsed
    except (OSError, EOFError) as error:
        raise _unlike("a readable file", str(error), str(path)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _unlike("the columns of the README beside it", repr(error), f"{path}, line {line}") from error


def _row(fields: dict[str, str]) -> tuple[Any, ...]:
    return (
        np.datetime64(fields["timestamp"].removesuffix("+00:00"), "us"),
        int(fields["item_id"]),
        int(fields["position"]),
        float(int(fields["click"])),
        float(fields["propensity_score"]),
        [fields[name] for name in USER],
        [float(fields[f"user-item_affinity_{item}"]) for item in range(ITEMS)],
    )


def _item(fields: dict[str, str]) -> tuple[int, float, tuple[str, ...]]:
    hashes = tuple(fields[f"item_feature_{number}"] for number in (1, 2, 3))
    return int(fields["item_id"]), float(fields["item_feature_0"]), hashes


def _check(found: Week, where: str) -> None:
    promises = {
        "items 0 to 33": np.isin(found.item, np.arange(ITEMS)),
        "positions 1 to 3": np.isin(found.position, np.arange(1, POSITIONS + 1)),
        "clicks 0 or 1": np.isin(found.click, (0, 1)),
        "propensities in (0, 1]": (found.propensity > 0) & (found.propensity <= 1),
        "the week from 24 November, in order": np.isin(found.day, np.arange(DAYS))
        & (np.diff(found.at, prepend=found.at[:1]) >= np.timedelta64(0)),
    }
    for expected, kept in promises.items():
        if not kept.all():
            raise _unlike(expected, "others", f"{where}, line {int(np.argmin(kept)) + 2}")


def _unlike(expected: str, found: str, where: str) -> DataError:
    return DataError(
        expected=expected, found=found, where=where, fix="restore the file described in the README beside it"
    )
