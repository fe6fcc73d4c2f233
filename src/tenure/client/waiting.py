"""What a client keeps on disk until the server has it: outcomes, and decisions it had to take itself."""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import httpx

from tenure.client.delivery import Delivery, Reply
from tenure.client.spool import Spool
from tenure.core.clock import to_text
from tenure.core.decision import Kind
from tenure.core.errors import RequestError, StoreError

log = logging.getLogger("tenure.client")


class Waiting:
    """The spool of a client with its delivery; without a folder nothing can wait.

    Args:
        base: address of the problem on the server.
        folder: of the spool.
        http: used by the delivery alone, so that a slow batch holds up no decision.
        every_s: seconds between two deliveries in the background.
        rng: of the pauses after trouble.
    """

    def __init__(
        self, base: str, folder: Path | None, http: httpx.Client, every_s: float, rng: random.Random | None
    ) -> None:
        self._base, self._http, self.lost = base, http, 0
        self._warned = False
        self.spool = None if folder is None else Spool(folder)
        self.delivery = None if self.spool is None else Delivery(self.spool, self._post, every_s, rng)

    def outcome(
        self,
        decision_id: str,
        signals: Mapping[str, float],
        outcome_id: str | None,
        observed_at: datetime,
        kind: Kind,
    ) -> str:
        """Keep an outcome; durable on return, delivered behind.

        Raises:
            RequestError: the client was made without a spool.
            StoreError: the disk refuses, or the spool is full.
            ValueError: a signal is no finite number.
        """
        name = outcome_id or uuid.uuid4().hex
        body = {"outcome_id": name, "decision_id": decision_id, "signals": dict(signals), "kind": kind.value}
        if kind in (Kind.OBSERVED, Kind.LATE, Kind.CORRECTION):
            body["observed_at"] = to_text(observed_at)
        self._keep("outcome", body)
        return name

    def fallback(self, report: Mapping[str, object]) -> None:
        """Keep what was done without the server; never fails, since it is done already: what is lost is counted."""
        try:
            self._keep("fallback", report)
        except (StoreError, RequestError) as error:
            self.lost += 1
            log.error("a fallback decision is in no log: %s", error)

    def warn(self, shut: str) -> None:
        """Say once that the server refuses whatever comes this way: it will until somebody mends the settings."""
        if shut and not self._warned:
            self._warned = True
            log.warning("every decision is the fallback's: %s refuses this client: %s", self._base, shut)

    def flush(self) -> bool:
        """Deliver what can be; True when nothing waits any more."""
        return self.delivery is None or self.delivery.flush()

    def close(self) -> None:
        """Deliver what can be, and leave the rest on disk."""
        if self.delivery is not None:
            self.delivery.close()
        self._http.close()

    def _keep(self, kind: str, body: Mapping[str, object]) -> None:
        if self.spool is None or self.delivery is None:
            raise RequestError(
                expected="a folder in which lines wait for the server",
                found="a client without one",
                where="spool=",
                fix="make the client with spool=Path('some/folder'), one per service",
            )
        self.spool.append([{"kind": kind, "body": body}])
        self.delivery.start()

    def _post(self, path: str, content: bytes) -> Reply:
        response = self._http.post(self._base + path, content=content, headers={"content-type": "application/x-ndjson"})
        return Reply(response.status_code, response.text)
