"""From Arrow arrays of any type to texts, numbers, moments and matrices; what cannot be read is marked, not dropped."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats
from tenure.core.logged import Hashes

_WORDS = ("na", "n/a", "null", "none")
MISSING = ("", *_WORDS, *map(str.upper, _WORDS), *map(str.title, _WORDS))
"""Cells of a number's column that say there is no number; `nan` says so too."""
TRUTH = {"true": 1.0, "false": 0.0}
ZONE = r"\d:\d{2}.*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$"
# A number as a time: seconds, milli-, micro- or nanoseconds since 1970, told by size (valid from 1973 to 5138).
_EPOCHS = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (np.inf, 1e-3))


def plain(values: Any) -> Any:
    """The array without dictionary encoding, chunks or binary text."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def to_texts(values: Any) -> Any:
    """Strings; null where there is nothing, whole numbers without a fraction."""
    values = plain(values)
    kind = values.type
    if pa.types.is_string(kind):
        return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
        whole = pc.all(pc.equal(values, pc.round(values))).as_py() is not False
        if whole and float(pc.max(pc.abs(values)).as_py() or 0) < 2**53:
            return values.cast(pa.int64()).cast(pa.string())
        return pa.array([None if v is None else repr(v) for v in values.to_pylist()], pa.string())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return values.cast(pa.string())
    return pa.array([None if v is None else str(v) for v in values.to_pylist()], pa.string())


def to_numbers(values: Any) -> tuple[Floats, Bools]:
    """Numbers (NaN where there is none) and which cells hold something else; float64 [n], bool [n]."""
    values = plain(values)
    if pa.types.is_string(values.type):
        return _parsed(values)
    if pa.types.is_timestamp(values.type):
        moments, bad, _ = to_times(values)
        seconds = moments.astype("int64") / 1e6
        return np.where(np.isnat(moments), np.nan, seconds), bad
    if pa.types.is_list(values.type) or pa.types.is_struct(values.type):
        return np.full(len(values), np.nan), np.asarray(values.is_valid())
    numbers: Floats = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers, np.zeros(len(values), dtype=bool)


def _parsed(texts: Any) -> tuple[Floats, Bools]:
    texts = pc.utf8_trim_whitespace(texts)
    empty = pc.is_in(texts, value_set=pa.array(MISSING))
    texts = pc.if_else(empty, pa.scalar(None, pa.string()), texts)
    try:
        return texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.zeros(len(texts), dtype=bool)
    except pa.ArrowInvalid:
        read = [np.nan if text is None else _number(text) for text in texts.to_pylist()]
        bad = np.array([number is None for number in read], dtype=bool)
        return np.array([np.nan if number is None else number for number in read], dtype=np.float64), bad


def _number(text: str) -> float | None:
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def to_times(values: Any) -> tuple[Any, Bools, bool]:
    """Moments in UTC (NaT where there is none), which cells are no moment, and whether any had no zone.

    ISO 8601 with or without a zone, or seconds, milli-, micro- or nanoseconds since 1970, told by size.
    """
    values = plain(values)
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        naive = getattr(kind, "tz", None) is None and values.null_count < len(values)
        moments = values.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
        return moments.to_numpy(zero_copy_only=False).astype("datetime64[us]"), _none(values), naive
    if not pa.types.is_string(kind):
        numbers, bad = to_numbers(values)
        return _from_epoch(numbers), bad, False
    texts = pc.utf8_trim_whitespace(to_texts(values))
    zoned = pc.match_substring_regex(texts, ZONE)
    every, some = pc.all(zoned).as_py() is not False, pc.any(zoned).as_py() is True
    if every or not some:
        with contextlib.suppress(pa.ArrowInvalid):
            moments = texts.cast(pa.timestamp("us", "UTC" if every else None))
            return moments.to_numpy(zero_copy_only=False).astype("datetime64[us]"), _none(values), not every
    return _mixed_times(texts, zoned)


def _none(values: Any) -> Bools:
    return np.zeros(len(values), dtype=bool)


def _mixed_times(texts: Any, zoned: Any) -> tuple[Any, Bools, bool]:
    import pandas as pd

    there = np.asarray(texts.is_valid())
    objects = texts.to_numpy(zero_copy_only=False)
    read = pd.to_datetime(pd.Series(objects), utc=True, format="ISO8601", errors="coerce")
    moments = read.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    left = there & np.isnat(moments)
    if left.any():  # digits alone are no ISO date for pandas, but may be an epoch
        numbers, _ = _parsed(texts)
        moments = np.where(left, _from_epoch(numbers), moments)
    bad = there & np.isnat(moments)
    naive = there & ~bad & ~left & ~np.asarray(pc.fill_null(zoned, True))
    return moments, bad, bool(naive.any())


def _from_epoch(numbers: Floats) -> Any:
    scale = np.select([np.abs(numbers) < limit for limit, _ in _EPOCHS], [factor for _, factor in _EPOCHS], 1.0)
    whole = np.where(np.isfinite(numbers), np.round(numbers * scale), 0.0)
    moments = np.where(np.abs(whole) < 2.0**62, whole, 0.0).astype("int64").astype("datetime64[us]")
    return np.where(np.isfinite(numbers), moments, np.datetime64("NaT", "us"))


def to_matrix(values: Any, width: int) -> tuple[Floats, Bools]:
    """Lists of `width` numbers as rows, NaN where there is none; which cells hold anything else.

    float64 [n, width], bool [n].
    """
    values = plain(values)
    lengths = pc.list_value_length(values)
    fits = np.asarray(pc.fill_null(pc.equal(lengths, width), False))
    bad = ~fits & np.asarray(values.is_valid())
    filled = np.full((len(values), width), np.nan)
    flat, wrong = to_numbers(values.filter(pa.array(fits)).flatten())
    filled[fits] = flat.reshape(int(fits.sum()), width)
    bad[fits] = wrong.reshape(int(fits.sum()), width).any(axis=1)
    return filled, bad


def to_objects(texts: Any) -> Any:
    """Python strings; object [n]."""
    return texts.to_numpy(zero_copy_only=False)


def hashes(texts: Any) -> Hashes:
    """Stable 64-bit hashes of texts, equal on every machine: SipHash of the UTF-8 bytes as pandas does it; [n].

    A missing text has the hash of an empty one.
    """
    from pandas.util import hash_array

    if isinstance(texts, np.ndarray):
        return hash_array(texts, categorize=False)
    known = pc.fill_null(texts, "").dictionary_encode()
    of_each: Any = hash_array(np.asarray(known.dictionary.to_pylist(), dtype=object), categorize=False)
    return of_each[known.indices.to_numpy(zero_copy_only=False)]  # type: ignore[no-any-return]


def arrow(values: Sequence[Any]) -> Any:
    """JSON values as one Arrow array: numbers, booleans, texts or lists of numbers; a mixture becomes text."""
    kinds = {type(value) for value in values} - {type(None)}
    if (kinds and kinds <= {int, float}) or kinds in ({bool}, {str}):
        with contextlib.suppress(pa.ArrowInvalid, OverflowError):
            return pa.array(values)
    if kinds == {list}:
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array(values, pa.list_(pa.float64()))
    return pa.array([None if v is None else as_text(v) for v in values], pa.string())


def as_text(value: Any) -> str:
    """A JSON value as one cell."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
