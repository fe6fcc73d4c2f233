"""Where every alert stands: told to whom, acknowledged by whom; made from the events, so that none is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tenure.core.clock import to_text
from tenure.monitoring.alerts import Alert, alert_of
from tenure.store.outbox import Delivery
from tenure.store.records import Event

ACK = "alert_ack"
"""Kind of the event by which a person says they have seen an alert; its payload names the alert's number."""


@dataclass(frozen=True)
class Listed:
    """One alert, the person who has seen it, and its deliveries; without any, nobody was told."""

    alert: Alert
    acknowledged_by: str | None
    deliveries: tuple[Delivery, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields."""
        return {
            "sequence": self.alert.sequence,
            "kind": self.alert.kind,
            "urgency": self.alert.urgency,
            "at": to_text(self.alert.at),
            "title": self.alert.title,
            "body": self.alert.body,
            "acknowledged_by": self.acknowledged_by,
            "deliveries": [
                {"channel": row.channel, "status": row.status, "attempts": row.attempts, "error": row.error}
                for row in self.deliveries
            ],
        }


def listed(events: Sequence[Event], deliveries: Iterable[Delivery]) -> list[Listed]:
    """Every alert of a log, oldest first; the first acknowledgement of each counts."""
    seen: dict[int, str] = {}
    for event in events:
        if event.kind == ACK:
            seen.setdefault(int(event.payload["sequence"]), event.actor)
    sent: dict[int, list[Delivery]] = {}
    for row in deliveries:
        sent.setdefault(row.sequence, []).append(row)
    alerts = [alert for event in events if (alert := alert_of(event)) is not None]
    return [Listed(alert, seen.get(alert.sequence), tuple(sent.get(alert.sequence, ()))) for alert in alerts]
