"""Ray: the same passes over a log where one machine is not enough."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from functools import partial, reduce
from typing import Any, TypeVar

from tenure.core.logged import Logged
from tenure.evaluation.off_policy.passes import Pass
from tenure.store.tables.logfile import LogFile
from tenure.store.tables.parts import parts

T = TypeVar("T")


def ray_pass(log: LogFile) -> Pass:
    """Passes of `evaluate_log` on Ray Data: each row group is read, computed and merged where Ray puts it.

    Every number is that of the pass in one process up to the order of summation, 1e-9 of it.

    Args:
        log: a Parquet log on storage that every worker can read.

    Raises:
        DataError: another kind of log.
    """
    pieces = [{"part": pickle.dumps(part)} for part in parts(log)]

    def each(function: Callable[[Logged], T], /) -> Iterator[T]:
        from ray import cloudpickle, data

        dumps: Callable[[object], bytes] = cloudpickle.dumps
        done = data.from_items(pieces).map(partial(_merged, work=dumps(function)))
        for row in done.iter_rows():
            yield from pickle.loads(row["results"])  # noqa: S301  # written by our own workers a moment ago

    return each


def _merged(row: dict[str, Any], work: bytes) -> dict[str, bytes]:
    """One part's results, merged; a list that is empty where the part has no row."""
    from ray import cloudpickle

    function = cloudpickle.loads(work)
    results = [function(batch) for batch in pickle.loads(row["part"]).batches()]  # noqa: S301
    merged = [reduce(_with, results)] if results else []
    return {"results": pickle.dumps(merged)}


def _with(whole: Any, part: Any) -> Any:
    whole.merge(part)
    return whole
