"""Stop for good, and take it back: the row in the log, the stop file where no row can be written, and who confirmed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tenure.core.clock import Clock
from tenure.core.errors import StoreError, TenureError
from tenure.rollout.stop import StopFile
from tenure.store import Control, Store
from tenure.store.replicas import Replicas

PATIENCE_S = 0.15
"""How long the row may take before the stop file is made."""
AGAIN_S = 0.02
"""Between two attempts at the row."""
POLL_S = 0.005
"""Between two looks at the register."""
EXPECTED_WITHIN = timedelta(minutes=1)
"""Servers heard of so lately must confirm, or are named as silent; one that crashed before was dead for longer."""


@dataclass(frozen=True)
class Confirmation:
    """Who has stopped: `log`, `stop file`, or a server's id; after how many milliseconds, None when it did not say."""

    id: str
    confirmed_ms: float | None


@dataclass(frozen=True)
class Killed:
    """What a kill did.

    Args:
        control: the head row after it; None when the row could not be written.
        replicas: the log, the stop file if it was needed, and every server.
        stop_file: where it stands; None when it was not needed.
        fault: why the row could not be written in time, one sentence; empty when it was.
    """

    control: Control | None
    replicas: tuple[Confirmation, ...]
    stop_file: Path | None = None
    fault: str = ""

    @property
    def epoch(self) -> int | None:
        """The kill epoch from here on; None without a row."""
        return None if self.control is None else self.control.kill_epoch

    @property
    def sequence(self) -> int | None:
        """Number of the kill row; None without one."""
        return None if self.control is None else self.control.sequence

    @property
    def confirmed(self) -> bool:
        """Everyone who had to stop has said so."""
        return all(one.confirmed_ms is not None for one in self.replicas)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what was stopped, by which row or file, and who confirmed."""
        head = self.control
        return {
            "epoch": self.epoch,
            "sequence": self.sequence,
            "stopped": head and {"version": head.version, "stage": head.stage, "share": head.share},
            "replicas": [{"id": one.id, "confirmed_ms": one.confirmed_ms} for one in self.replicas],
            "stop_file": None if self.stop_file is None else str(self.stop_file),
            "fault": self.fault,
        }


def kill(
    store: Store,
    problem: str,
    *,
    actor: str,
    reason: str,
    clock: Clock,
    stop: StopFile | None,
    wait_s: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
    told: Callable[[Confirmation], object] = lambda _: None,
) -> Killed:
    """Write the kill row, then wait until every live server has seen it.

    Where the row cannot be written at once, the stop file is made first, whoever sits idle on the log's lock loses it,
    and the row is tried again.

    Args:
        store: the log.
        problem: name of the problem.
        actor: who stops it.
        reason: why, in words.
        clock: for the row's moment, and for the milliseconds.
        stop: of the servers on this machine; None where there can be none.
        wait_s: how long to go on trying, and to wait for the servers; in seconds.
        sleep: waits so many seconds.
        told: hears of the stop file and of the row as soon as either holds.

    Raises:
        UnknownError: the problem was never opened.
        StoreError: neither row nor stop file could be written; nothing was stopped.
    """
    watch, at = _Watch(clock), clock.now()
    row = _Row(lambda: store.kill(problem, actor=actor, reason=reason, at=at))
    held: list[Confirmation] = []
    fault = ""
    if row.written(PATIENCE_S) is None:
        fault = row.fault
        if stop is not None and _engaged(stop, reason, actor, at):
            held.append(Confirmation("stop file", watch.ms()))
            told(held[0])
        with suppress(StoreError):
            store.database.unblock()
        if row.finished(wait_s) is None and not held:
            raise row.error()
    held.append(Confirmation("log", None if row.control is None else watch.ms()))
    if row.control is not None:
        told(held[-1])
        held += _servers(store, row.control, at, watch, wait_s, sleep)
    return Killed(row.control, tuple(held), stop.path if stop and held[0].id == "stop file" else None, fault)


def restore(store: Store, problem: str, *, actor: str, reason: str, clock: Clock, stop: StopFile | None) -> Control:
    """Lift a kill, and then take the stop file away; a stop that never reached the log is written into it first.

    Raises:
        MoveError: nothing is killed.
        UnknownError: the problem was never opened.
        StoreError: the row cannot be written, or the stop file not taken away.
    """
    at = clock.now()
    if stop is not None and stop.exists() and not store.control(problem).killed:
        store.kill(problem, actor=actor, reason=f"the stop file stood: {stop.path}", at=at)
    control = store.restore(problem, actor=actor, reason=reason, at=at)
    if stop is not None:
        stop.release()
    return control


class _Watch:
    """Milliseconds since it was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock.monotonic()

    def ms(self) -> float:
        return 1000 * (self._clock.monotonic() - self._began)


class _Row:
    """A row that is tried, beside the caller, until it is written or enough time has gone."""

    def __init__(self, write: Callable[[], Control]) -> None:
        self.control: Control | None = None
        self._write = write
        self._error: TenureError | None = None
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._try, daemon=True)
        self._thread.start()

    @property
    def fault(self) -> str:
        """Why it is not written yet."""
        return str(self._error) if self._error else "somebody holds the log's lock"

    def error(self) -> StoreError:
        """For the one who must act, when nothing at all could be written."""
        return StoreError(
            expected="a log, or a stop file, that can be written",
            found=self.fault,
            where="the kill",
            fix="mend the database, or stop the servers; nothing was stopped",
        )

    def written(self, within_s: float) -> Control | None:
        """The head after the row; None when it was not written in time.

        Raises:
            TenureError: there is no such problem.
        """
        self._thread.join(within_s)
        if self._error is not None and not isinstance(self._error, StoreError):
            raise self._error
        return self.control

    def finished(self, within_s: float) -> Control | None:
        """As `written`, and no attempt begins after it."""
        control = self.written(within_s)
        self._enough.set()
        return control

    def _try(self) -> None:
        while not self._enough.wait(AGAIN_S if self._error else 0):
            try:
                self.control = self._write()
            except TenureError as error:
                self._error = error
                if isinstance(error, StoreError):
                    continue
            return


def _engaged(stop: StopFile, reason: str, actor: str, at: datetime) -> bool:
    """Whether the stop file could be made; where it could not, the row is still tried."""
    try:
        stop.engage(reason, actor, at)
    except StoreError:
        return False
    return True


def _servers(
    store: Store, head: Control, at: datetime, watch: _Watch, wait_s: float, sleep: Callable[[float], None]
) -> list[Confirmation]:
    """Every server heard of lately, with the time after which it had seen the epoch or signed off."""
    register, expected = Replicas(store), list[str]()
    confirmed: dict[str, float] = {}
    until_ms = watch.ms() + 1000 * wait_s
    try:
        expected = [server.replica for server in register.live(head.problem, at, EXPECTED_WITHIN)]
        while len(confirmed) < len(expected) and watch.ms() < until_ms:
            live = register.live(head.problem, at, EXPECTED_WITHIN)
            behind = {server.replica for server in live if server.epoch < head.kill_epoch}
            confirmed = {name: watch.ms() for name in expected if name not in behind} | confirmed
            sleep(POLL_S)
    except StoreError:
        return [Confirmation(name, confirmed.get(name)) for name in expected or ["register"]]
    return [Confirmation(name, confirmed.get(name)) for name in expected]
