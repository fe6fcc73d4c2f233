"""What the events and rows of the log add up to, one after the other, by rules written down once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Head(NamedTuple):
    """What the rollout is, worked out from the events alone."""

    epoch: int = 0
    killed: bool = False
    stage: str = "none"
    share: float = 0.0
    version: str | None = None
    paused: bool = False

    @property
    def live(self) -> float:
        """Share the candidate may really decide for."""
        return 0.0 if self.killed or self.version is None else self.share

    def after(self, kind: str, payload: dict[str, Any]) -> Head:
        """The head after one event."""
        if kind == "start":
            return self._replace(stage="shadow", share=0.0, version=payload["version"], paused=False)
        if kind == "promote":
            return self._replace(stage="full" if payload["to"] >= 1 else "canary", share=payload["to"])
        if kind in ("rollback", "abort"):
            return self._replace(stage="rolled_back", share=0.0)
        if kind == "kill":
            return self._replace(killed=True, epoch=self.epoch + 1)
        if kind == "restore":
            return self._replace(killed=False, stage="rolled_back", share=0.0, epoch=self.epoch + 1)
        return self._replace(paused=kind == "pause") if kind in ("pause", "resume") else self


@dataclass
class Row:
    """A decision's row: who answered with what, and every correction after it."""

    sequence: int
    unit: str
    epoch: int
    said: list[tuple[int, str, float | None]]

    @property
    def learned(self) -> bool:
        """Whether the candidate's action was the one taken."""
        return self.said[-1][1] == "candidate"
