"""What a shadow report is made from: the log with the candidate's proposals, and a replay of both policies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes, Logged
from tenure.evaluation.checks import refusal, same_length


@dataclass(frozen=True, eq=False)
class ShadowLog:
    """Decisions the incumbent answered while the candidate proposed beside it.

    Args:
        rows: the decisions as they were taken; `reward` is NaN where the outcome is missing.
        proposed: what the candidate would have done, -1 where no proposal was recorded; int64 [n].
        signals: measured consequences, NaN where the outcome is missing; [n] each.

    Raises:
        EvidenceError: columns of different lengths, or a proposal that is no action.
    """

    rows: Logged
    proposed: Ints
    signals: Mapping[str, Floats]

    def __post_init__(self) -> None:
        columns = {name: len(values) for name, values in self.signals.items()}
        same_length("ShadowLog", rows=len(self.rows), proposed=len(self.proposed), **columns)
        if len(self.proposed) and not -1 <= self.proposed.min() <= self.proposed.max() < len(self.rows.labels):
            found = f"from {self.proposed.min()} to {self.proposed.max()}"
            expected = f"proposals from -1 to {len(self.rows.labels) - 1}"
            raise refusal(expected, found, "ShadowLog(proposed)", "log the index of a labelled action")

    def __len__(self) -> int:
        return len(self.proposed)

    @property
    def delivered(self) -> Bools:
        """Decisions with a proposal; [n]."""
        return np.asarray(self.proposed >= 0)

    @property
    def differs(self) -> Bools:
        """Decisions on which the candidate would have acted otherwise; [n]."""
        return np.asarray(self.delivered & (self.proposed != self.rows.action))

    @property
    def measured(self) -> Bools:
        """Decisions whose every signal is known; [n]."""
        known = np.ones(len(self), dtype=bool)
        for values in self.signals.values():
            known &= np.isfinite(values)
        return known & np.isfinite(self.rows.reward)

    @property
    def days(self) -> int:
        """Different calendar days (UTC) with a proposal."""
        return len(np.unique(self.rows.at[self.delivered].astype("datetime64[D]"))) if len(self) else 0


@dataclass(frozen=True, eq=False)
class Replay:
    """Both policies simulated side by side, row by row.

    Args:
        unit: hash of who or what a row is for: the worst cases are counted over these; [m].
        cluster: hash of what is independent of the others, such as the day; intervals count these; [m].
        cluster_name: what a cluster is.
        features: the situation the incumbent saw; [m, features], in the order of the problem's observation.
        incumbent, candidate: signals under each; [m] each.
        confidence: the candidate's confidence in the logged situation of this row, NaN where there is none; [m].

    Raises:
        EvidenceError: columns of different lengths, or a signal that is not finite.
    """

    unit: Hashes
    cluster: Hashes
    cluster_name: str
    features: Floats
    incumbent: Mapping[str, Floats]
    candidate: Mapping[str, Floats]
    confidence: Floats

    def __post_init__(self) -> None:
        columns = {"cluster": len(self.cluster), "features": len(self.features), "confidence": len(self.confidence)}
        for who, signals in (("incumbent", self.incumbent), ("candidate", self.candidate)):
            columns |= {f"{who}_{name}": len(values) for name, values in signals.items()}
            broken = sorted(name for name, values in signals.items() if not np.isfinite(values).all())
            if broken:
                raise refusal("finite signals", f"{broken[0]!r} is not", f"Replay({who})", "mend the simulator")
        same_length("Replay", unit=len(self.unit), **columns)


@dataclass(frozen=True)
class Need:
    """How much shadowing a verdict asks for."""

    decisions: int = 10_000
    days: int = 14


@dataclass(frozen=True)
class Margin:
    """How much worse a KPI may be: in its own unit, or as a share of the incumbent's figure; >= 0."""

    size: float
    relative: bool = False

    def of(self, incumbent: float) -> float:
        """In the KPI's unit."""
        return self.size * abs(incumbent) if self.relative else self.size


@dataclass(frozen=True)
class Note:
    """What an operator wrote on one decision."""

    decision_id: str
    decided_at: datetime
    text: str
    actor: str
    at: datetime

    def as_dict(self) -> dict[str, str]:
        """Plain fields, for JSON."""
        moments = {"decided_at": self.decided_at.isoformat(), "at": self.at.isoformat()}
        return {"decision_id": self.decision_id, "text": self.text, "actor": self.actor, **moments}


def hashed(names: Sequence[str]) -> Hashes:
    """64-bit hashes of names, equal on every machine; BLAKE2b."""
    known = {name: hashlib.blake2b(name.encode(), digest_size=8).digest() for name in set(names)}
    return np.frombuffer(b"".join(known[name] for name in names), dtype="<u8").astype(np.uint64)
