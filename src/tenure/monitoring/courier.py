"""The courier: events become alerts, alerts go out, what became of them is recorded; one step at a time."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenure.core.clock import Clock, to_text
from tenure.core.errors import TenureError
from tenure.monitoring.alerts import TOLD, Urgency, alert_of
from tenure.monitoring.channels import Channels
from tenure.monitoring.sending import Send, send_to
from tenure.store.log import Store
from tenure.store.outbox import Delivery, Health, Outbox
from tenure.store.records import Event

LEASE = timedelta(seconds=60)
"""How long claimed alerts are one process's to deliver; longer than all its attempts may take."""
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=5), timedelta(minutes=15)
TEST = "alert_test"
"""Kind of the event a test alert becomes."""

log = logging.getLogger("tenure.alerts")


@dataclass(frozen=True)
class Round:
    """What one step did: alerts delivered, failed and given up."""

    delivered: int
    failed: int
    expired: int


class Courier:
    """Delivers one problem's alerts; several processes may run one each.

    An alert is in the outbox once per channel, and is sent at least once: a process that dies between sending and
    recording leaves it to be sent again.

    Args:
        problem: name of the problem.
        store: the log and its outbox.
        channels: where to.
        clock: of attempts.
        expire: an alert not through so long after its event is given up, and one as old is not put in.
        send: how; for tests.
    """

    def __init__(
        self,
        problem: str,
        store: Store,
        channels: Channels,
        clock: Clock,
        expire: timedelta = timedelta(days=1),
        send: Send = send_to,
    ) -> None:
        self.problem, self.channels, self.outbox = problem, channels, Outbox(store)
        self._store, self._clock, self._expire, self._send = store, clock, expire, send
        self._seen = 0

    def step(self) -> Round:
        """Put new alerts into the outbox, deliver what is due, record what became of it.

        Raises:
            StoreError: the log cannot be read or written.
        """
        now = self._clock.now()
        self._fill(now - self._expire)
        if self.outbox.oldest_waiting(self.problem) is None:
            return Round(0, 0, 0)
        expired = self.outbox.expire(self.problem, now - self._expire, now)
        rows = self.outbox.claim(self.problem, now, now + LEASE)
        through = [self._deliver(row) for row in rows]
        return Round(sum(through), len(through) - sum(through), expired)

    def test(self, channel: str, actor: str) -> Event:
        """Send a test alert the way real ones go, and record in the log whether it got through.

        Raises:
            SettingsError: no such channel.
            StoreError: the log cannot be written.
        """
        if channel not in self.channels.names:
            self.channels.address(channel)
        now = self._clock.now()
        title = f"{self.problem}: a test alert"
        body = f"What: {actor} tests channel {channel}\nSince: {to_text(now)}\nDo next: nothing"
        error = self._sent(channel, "info", title, body)
        told = f"a test alert to channel {channel} " + ("was delivered" if error is None else f"failed: {error}")
        payload = {"channel": channel, "delivered": error is None, "error": error}
        return self._store.append_event(Event(self.problem, TEST, actor, told, now, payload))

    def health(self) -> list[Health]:
        """How every channel does."""
        return [self.outbox.health(self.problem, name) for name in self.channels.names]

    def _fill(self, since: datetime) -> None:
        events = self._store.events(self.problem, self._seen)
        alerts = [alert for event in events if event.at >= since and (alert := alert_of(event)) is not None]
        self.outbox.fill(alerts, self.channels.names)
        self._seen = max((event.sequence for event in events), default=self._seen)

    def _deliver(self, row: Delivery) -> bool:
        error = self._sent(row.channel, TOLD[row.kind].urgency, row.title, row.body)
        now = self._clock.now()
        if error is None:
            self.outbox.delivered(row, now)
        else:
            self.outbox.failed(row, error, now + pause_after(row.attempts + 1))
            log.warning("alert %d was not delivered to channel %s: %s", row.sequence, row.channel, error)
        return error is None

    def _sent(self, channel: str, urgency: Urgency, title: str, body: str) -> str | None:
        """Nothing when it got through, else why not, without secrets."""
        try:
            self._send(self.channels.address(channel), urgency, title, body, self.channels.private)
        except TenureError as error:
            return f"{error.found}; {error.fix}"
        except Exception as error:  # a sender is somebody else's code, and its words may hold the address
            return type(error).__name__
        return None


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubled each time, up to a quarter of an hour.

    >>> [pause_after(n).total_seconds() for n in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 900.0]
    """
    seconds = FIRST_RETRY.total_seconds() * 2.0 ** min(attempts - 1, 30)
    return min(timedelta(seconds=seconds), LONGEST_RETRY)


class CourierThread:
    """Lets a courier step every so often, behind a server.

    Args:
        courier: whose turn it is.
        every_s: seconds between two steps.
    """

    def __init__(self, courier: Courier, every_s: float = 1.0) -> None:
        self._courier, self._every_s = courier, every_s
        self._stop = threading.Event()
        self.failures = 0
        self._thread = threading.Thread(target=self._run, name="tenure-alerts", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float = 15.0) -> None:
        """End after the present step."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._courier.step()
            except Exception as error:  # a log that is away now may be back at the next step
                self.failures += 1
                log.error("alerts could not be looked at: %s", type(error).__name__)
            self._stop.wait(self._every_s)
