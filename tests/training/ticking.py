"""Seeds with a checkpoint at every score, for tests that cannot wait for the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tenure.training.record import CurvePoint, SeedRecord
from tenure.training.seeds import train_seed
from tenure.training.workers import Job


@dataclass
class Ticks:
    """A clock that runs thirty times further whenever it is read, so that no write seems to have taken long."""

    read: int = 0

    def now(self) -> datetime:
        return datetime(2024, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        self.read += 1
        return 30.0**self.read


def ticking(job: Job, report: Callable[[CurvePoint], None]) -> SeedRecord:
    """Train a seed; runs in a process of its own."""
    return train_seed(job, report, clock=Ticks())
