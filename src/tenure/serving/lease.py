"""How a server knows where the rollout stands: by reading the log each time, or from memory under a lease."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from tenure.core.clock import Clock
from tenure.core.errors import StoreError
from tenure.store import Control, Store

SEEN_EVERY_S = 1.0
"""How often a server reports what it sees while nothing changes."""

log = logging.getLogger("tenure.serving")


class Standing(Protocol):
    """Where the rollout stands, as far as this server knows."""

    def control(self) -> tuple[Control, str]:
        """The control to decide on, and a word: "" to trust it, else only the incumbent may answer."""
        ...

    def refresh(self) -> None:
        """Read the log now: what was known has been fenced off.

        Raises:
            StoreError: the log cannot be read.
        """
        ...


def unknown(problem: str) -> Control:
    """What is known of a rollout before the log was ever read: nothing, so no share."""
    return Control(problem, 0, 0, False, "unknown", 0.0, None, False, "", None)


class Direct:
    """Reads the log each time; for one process that decides on its own."""

    def __init__(self, store: Store, problem: str) -> None:
        self._store, self._problem = store, problem
        self._last = unknown(problem)

    def control(self) -> tuple[Control, str]:
        """What the log says now; the last that was read and "log_unavailable" when it cannot be read."""
        try:
            self.refresh()
        except StoreError:
            return self._last, "log_unavailable"
        return self._last, ""

    def refresh(self) -> None:
        """Read the log now."""
        self._last = self._store.control(self._problem)


class Watched:
    """Answers from memory; a thread looks at the log, and what it saw holds for as long as the lease.

    The lease guards against a dead control plane only: that nothing learned is recorded after a kill is the fence's
    work, in the commit.

    Args:
        store: the log.
        problem: name of the problem.
        clock: its monotonic side carries the lease.
        poll_s: seconds between two looks.
        lease_s: oldest look that may still be trusted, in seconds.
        stop: whether a person has pulled the cord outside the log; called with every look.
        seen: told what was seen, at once when the epoch has moved and at least each second; may write to the log.
        hint: waits at most so many seconds for word that something has changed; by default it only waits.

    Raises:
        StoreError: the log cannot be read at the start.
    """

    def __init__(
        self,
        store: Store,
        problem: str,
        clock: Clock,
        *,
        poll_s: float,
        lease_s: float,
        stop: Callable[[], bool] = lambda: False,
        seen: Callable[[Control], None] = lambda _: None,
        hint: Callable[[float], object] | None = None,
    ) -> None:
        self._store, self._problem, self._clock = store, problem, clock
        self._poll_s, self._lease_s, self._stop, self._seen = poll_s, lease_s, stop, seen
        self._closing = threading.Event()
        self._hint = hint or self._closing.wait
        self._told: tuple[int, float] | None = None
        self._thread: threading.Thread | None = None
        self._stopped, self._troubled = stop(), False
        self.refresh()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="tenure-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def age_s(self) -> float:
        """Seconds since the look that is answered from."""
        return self._clock.monotonic() - self._view[1]

    def control(self) -> tuple[Control, str]:
        """What was seen last; "stop_file" when the cord is pulled, "lease" when the look is too old."""
        control, looked_at = self._view
        if self._stopped:
            return control, "stop_file"
        if self._clock.monotonic() - looked_at > self._lease_s:
            return control, "lease"
        return control, ""

    def refresh(self) -> None:
        """Read the log now; the lease runs from before the look."""
        looked_at = self._clock.monotonic()
        self._view = self._store.control(self._problem), looked_at

    def poll(self) -> None:
        """One look at cord and log, and the report of it; a log that cannot be read lets the lease run out."""
        self._stopped = self._stop()
        try:
            self.refresh()
            self._tell()
            self._say(None)
        except StoreError as error:
            self._say(error)

    def _say(self, trouble: StoreError | None) -> None:
        """One line when a trouble begins and one when it is over, however many looks lie between."""
        if trouble and not self._troubled:
            log.warning("the control row cannot be read or reported: %s", " ".join(str(trouble).split()))
        elif self._troubled and not trouble:
            log.warning("the control row is read and reported again")
        self._troubled = trouble is not None

    def _tell(self) -> None:
        control, looked_at = self._view
        if self._told is None or self._told[0] != control.kill_epoch or looked_at - self._told[1] >= SEEN_EVERY_S:
            self._seen(control)
            self._told = control.kill_epoch, looked_at

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.poll()
            except Exception:  # the lease, not this thread, is what answers trust: it must go on looking
                log.exception("a look at the log failed")
            self._hint(self._poll_s)
