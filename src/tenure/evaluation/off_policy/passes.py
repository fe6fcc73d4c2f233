"""Running over a log: batches in parallel, partial results merged in the order of the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from tenure.core.logged import Logged, LoggedSource

T = TypeVar("T")

WORKERS = 2
"""Threads; NumPy computes outside Python's lock."""


class Pass(Protocol):
    """Applies a function to every batch of a log, wherever the batches are, and yields what it returns."""

    def __call__(self, function: Callable[[Logged], T], /) -> Iterable[T]:
        """Yield one result per batch, in any order."""
        ...


def local(source: LoggedSource, workers: int = WORKERS) -> Pass:
    """Passes in this process, results in the order of the log, a few batches in memory at a time."""

    def each(function: Callable[[Logged], T], /) -> Iterator[T]:
        with ThreadPoolExecutor(workers) as pool:
            waiting: deque[Future[T]] = deque()
            for batch in source.batches():
                waiting.append(pool.submit(function, batch))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    return each
