"""Which versions may go: old ones that nobody stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from tenure.store import VersionRow

LEAST = timedelta(days=90)
"""No version goes sooner, whatever is asked for."""


def prunable(rows: Sequence[VersionRow], held: Collection[str], now: datetime, keep: timedelta) -> list[str]:
    """Versions whose bundles may be removed: older than the span, and held by nothing; oldest first.

    Args:
        rows: the registered versions.
        held: live, candidate, previous and champion; they always stay.
        now: the present moment, UTC.
        keep: how long every version stays; at least 90 days count.
    """
    oldest = now - max(keep, LEAST)
    return [row.version for row in rows if row.registered_at < oldest and row.version not in held]
