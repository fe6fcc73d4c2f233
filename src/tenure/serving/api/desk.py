"""What the operations of one server work on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.rollout.operations import Operations
from tenure.serving.access import Access
from tenure.serving.api.metrics import Metrics
from tenure.serving.service import DecisionService


def no_alerts(_: str) -> Any:
    """No channel is set."""
    return []


@dataclass(frozen=True)
class Desk:
    """One server's rooms, put together.

    Args:
        service: decides and takes outcomes.
        verbs: what a person can do to the rollout; the same for page, command line and this interface.
        access: who may.
        bundles: folder of bundles by version.
        metrics: what Prometheus reads.
        try_alerts: sends a test alert through every channel, under the name of who asked; gives what came of it.
        secure: cookies travel over TLS only; off on loopback, where there is none.
    """

    service: DecisionService
    verbs: Operations
    access: Access
    bundles: Path
    metrics: Metrics
    try_alerts: Callable[[str], Any] = no_alerts
    secure: bool = True

    @property
    def problem(self) -> str:
        """Name of the problem served."""
        return self.service.problem.name
