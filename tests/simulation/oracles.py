"""What must come out, worked out again from the rules as written, sharing no code with the product."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

UNMEASURED = ("window_closed", "lost")


def uniform(salt: str, *ids: str) -> float:
    """The documented draw: 53 bits of an eight-byte BLAKE2b over salt and ids, joined by unit separators."""
    digest = hashlib.blake2b("\x1f".join([salt, *ids]).encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, "big") // 2**11 / 2**53


def weights(x: float, mask: Sequence[bool]) -> list[float]:
    """The probability the candidate of the simulation gives to each action."""
    raw = [float(open_) * weight for open_, weight in zip(mask, (1.0, 1.0 + x, 2.0), strict=True)]
    return [weight / sum(raw) for weight in raw]


def drawn(chances: Sequence[float], number: float) -> int:
    """The action a uniform number falls on."""
    total = 0.0
    for action, chance in enumerate(chances):
        total += chance
        if number < total and chance > 0:
            return action
    return max(action for action, chance in enumerate(chances) if chance > 0)


@dataclass(frozen=True)
class Expected:
    """What the answer to one request must be, when nothing fails."""

    learned: bool
    action: int
    propensity: float
    explored: bool


def expected(
    salt: str, decision_id: str, unit: str, x: float, mask: Sequence[bool], share: float, epsilon: float
) -> Expected:
    """Split, proposal, exploration and mixture as design section 6 has them."""
    chances, legal = weights(x, mask), [action for action, open_ in enumerate(mask) if open_]
    best, incumbent = drawn(chances, uniform(salt, "policy", decision_id)), legal[0]
    learned = uniform(salt, "arm", unit) < share
    explored = learned and uniform(salt, "explore", decision_id) < epsilon
    action = legal[int(uniform(salt, "which", decision_id) * len(legal))] if explored else best
    action = action if learned else incumbent
    mixture = share * ((1 - epsilon) * chances[action] + epsilon / len(legal)) + (1 - share) * (action == incumbent)
    return Expected(learned, action, mixture, explored and action != best)


@dataclass
class Kept:
    """One stored outcome, as it must be now."""

    decision_id: str
    outcome_id: str
    kind: str
    signals: Mapping[str, float]
    observed_at: str | None
    place: str
    counted: bool = False
    beyond: bool = False

    @property
    def body(self) -> str:
        """What must be equal for a repeat to be one."""
        return str((self.observed_at, dict(self.signals), self.kind))


@dataclass
class Join:
    """Decisions and outcomes joined by brute force, in the order in which they were committed.

    Args:
        wait: reward wait time.
        bounds: of each signal.
    """

    wait: timedelta
    bounds: Mapping[str, tuple[float, float]]
    decided: dict[str, datetime] = field(default_factory=dict)
    kept: dict[tuple[str, str], Kept] = field(default_factory=dict)

    def decision(self, decision_id: str, at: datetime) -> bool:
        """A decision was committed: what waited for it is early, the first measured one within bounds counts."""
        self.decided[decision_id] = at
        waiting = [row for row in self.kept.values() if row.decision_id == decision_id and row.place == "orphan"]
        measured = [row for row in waiting if row.kind not in UNMEASURED and not row.beyond]
        for row in waiting:
            row.place = "quarantine" if row.beyond else "early"
            row.counted = bool(measured) and row is measured[0]
        return bool(waiting)

    def outcome(
        self,
        decision_id: str,
        outcome_id: str,
        kind: str,
        signals: Mapping[str, float],
        observed_at: str | None,
        arrived: datetime,
    ) -> None:
        """An outcome was committed for the first time."""
        place = self._place(decision_id, kind, signals, arrived)
        outside = place != "quarantine" and self._beyond(signals)
        beyond = outside and place != "late"
        place = "quarantine" if outside and place != "orphan" else place
        counted = place == "joined" and kind not in UNMEASURED
        kept = Kept(decision_id, outcome_id, kind, signals, observed_at, place, counted, beyond)
        self.kept[decision_id, outcome_id] = kept

    def _place(self, decision_id: str, kind: str, signals: Mapping[str, float], arrived: datetime) -> str:
        """Where it belongs, whatever its bounds."""
        broken = any(name not in self.bounds or not math.isfinite(value) for name, value in signals.items())
        if broken or (kind == "observed" and set(signals) != set(self.bounds)):
            return "quarantine"
        if decision_id not in self.decided:
            return "orphan"
        if arrived > self.decided[decision_id] + self.wait:
            return "late"
        return "repeated" if self.counted(decision_id) else "joined"

    def _beyond(self, signals: Mapping[str, float]) -> bool:
        within = [self.bounds[name][0] <= value <= self.bounds[name][1] for name, value in signals.items()]
        return not all(within)

    def counted(self, decision_id: str) -> Kept | None:
        """The outcome that counts for a decision."""
        return next((row for row in self.kept.values() if row.decision_id == decision_id and row.counted), None)

    def seen(self, decision_id: str) -> Kept | None:
        """The outcome breakers look at: the one that counts, or else the first measured one out of bounds."""
        rows = [row for row in self.kept.values() if row.decision_id == decision_id and row.kind not in UNMEASURED]
        return self.counted(decision_id) or next((row for row in rows if row.beyond), None)


def broken_runs(costs: Sequence[tuple[str, float]], above: float, consecutive: int) -> list[list[str]]:
    """Ids of every so many decisions in a row whose costs all lie strictly above a limit.

    Args:
        costs: id and cost of each decision that has one, in decision order.
        above: the limit.
        consecutive: how many in a row.
    """
    stretches = [costs[at : at + consecutive] for at in range(len(costs) - consecutive + 1)]
    return [[name for name, _ in stretch] for stretch in stretches if all(cost > above for _, cost in stretch)]
