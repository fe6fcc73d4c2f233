"""A run kept in a store far away while it trains, so that another machine can go on with it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import StoreError
from tenure.store.artifacts import Artifacts
from tenure.training.resume import DONE, PLAN

EVERY_S = 30.0
"""Seconds between two pushes at least; checkpoints come every 5 s at most (docs/checkpoints.md)."""

log = logging.getLogger(__name__)


def push(artifacts: Artifacts, folder: Path, bundles: Path, clock: Clock) -> None:
    """Bring a run there as it is now: first the bundles of its finished seeds, then its folder.

    Raises:
        StoreError: the store cannot be written.
        BundleError: a bundle is damaged here.
    """
    for version in _versions(folder):
        if (bundles / version).is_dir():
            artifacts.push_bundle(bundles / version)
    artifacts.push_run(folder, clock.now())


def fetch_unfinished(artifacts: Artifacts, runs: Path, bundles: Path, run: str | None) -> str | None:
    """Bring a stopped run here with the bundles of its finished seeds.

    What was stopped here goes before what lies there.

    Args:
        artifacts: where it is kept.
        runs: the folder of runs here.
        bundles: the folder of bundles here.
        run: its name; None takes the one pushed last.

    Returns:
        Its name; None where nothing was fetched: it is here, or none is there.

    Raises:
        StoreError: the store cannot be read, or holds other content than it says.
    """
    begun = [path.parent for path in runs.glob(f"*/{PLAN}") if run in (None, path.parent.name)]
    if any(run is not None or not (folder / "record.json").exists() for folder in begun):
        return None
    known = [name for name, index in artifacts.runs().items() if not index.finished and run in (None, name)]
    if not known:
        return None
    folder = artifacts.fetch_run(known[-1], runs)
    for version in _versions(folder):
        if not (bundles / version).exists():
            artifacts.fetch_bundle(version, bundles)
    return known[-1]


@contextmanager
def mirrored(
    artifacts: Artifacts | None, folder: Path, bundles: Path, clock: Clock | None = None
) -> Iterator[Callable[[], None]]:
    """Push a run while it trains and when it ends, however it ends.

    Yields what to call when there is something new; it returns at once, and a thread pushes. A push that fails while
    the run trains is told and done again with the next; only the last one is an error.

    Args:
        artifacts: where to; None pushes nothing.
        folder: of the run.
        bundles: the folder of bundles by version.
        clock: dates the pushes; None takes the machine's.

    Raises:
        StoreError: the run has ended, lies here whole, and could not be pushed.
    """
    if artifacts is None:
        yield lambda: None
        return
    clock, news, over = clock or SystemClock(), threading.Event(), threading.Event()

    def work() -> None:
        while not over.is_set():
            news.wait()
            news.clear()
            if not over.is_set():
                _tried(artifacts, folder, bundles, clock)
            over.wait(EVERY_S)

    thread = threading.Thread(target=work, name="artifacts", daemon=True)
    thread.start()
    try:
        yield news.set
    except BaseException:
        _end(thread, news, over)
        _tried(artifacts, folder, bundles, clock)
        raise
    _end(thread, news, over)
    _last(artifacts, folder, bundles, clock)


def _end(thread: threading.Thread, news: threading.Event, over: threading.Event) -> None:
    over.set()
    news.set()
    thread.join()


def _tried(artifacts: Artifacts, folder: Path, bundles: Path, clock: Clock) -> None:
    """Push, and tell what went wrong without stopping the training."""
    try:
        push(artifacts, folder, bundles, clock)
    except Exception as error:  # whatever it is, hours of training go before it
        log.warning("the run is not in the store yet: %s", error)


def _last(artifacts: Artifacts, folder: Path, bundles: Path, clock: Clock) -> None:
    try:
        push(artifacts, folder, bundles, clock)
    except StoreError as error:
        raise StoreError(
            expected=error.expected,
            found=f"{error.found}; the run is finished, and lies whole in {folder}",
            where=error.where,
            fix=f"{error.fix}; then `tenure versions P --push VERSION` brings a bundle there",
        ) from error


def _versions(folder: Path) -> list[str]:
    """Versions of the seeds of a run that are finished."""
    found = (json.loads(path.read_bytes())["version"] for path in sorted(folder.glob(f"seed-*/{DONE}")))
    return [str(version) for version in found]
