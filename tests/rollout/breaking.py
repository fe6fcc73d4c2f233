"""A log that tests fill decision by decision, and the oracle that breakers must equal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.decision import Arm, Outcome
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.rollout import Breakers, Settings
from tenure.rollout.rules import BreakerRule
from tenure.store import Event, Receipt, SqliteStore

from .world import decision

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)
WAIT = timedelta(hours=1)

TRADES = Problem(
    name="toy",
    about="Trades with their slippage.",
    observation=(Feature("size", "shares", 0, 1000),),
    action=Discrete(("wait", "buy", "sell")),
    signals=(Signal("slippage", "share of the price", -1, 1), Signal("fee", "$", 0, 10)),
    reward=Reward((Term("slippage", -100.0, "$", "paid"), Term("fee", -1.0, "$", "paid"))),
    kpis=(KPI("slippage", "share of the price", "lower", {"slippage": 1.0}),),
)


class Replica:
    """One server's view of a shared log, with its own connection and its own breakers."""

    def __init__(self, path: Path, rules: Sequence[BreakerRule]) -> None:
        self.store = SqliteStore(path, synchronous="OFF")
        self.store.open_problem("toy", "salt")
        self.breakers = Breakers(TRADES, Settings(breaker=list(rules)))

    def at(self, share: float, stage: str = "full") -> Replica:
        """The rollout at a share."""
        now = NOON - timedelta(days=1)
        self.store.append_event(
            Event("toy", "start", "ann", "test", now, {"version": "v1"}),
            control={"stage": "shadow", "share": 0.0, "version": "v1"},
        )
        self.store.append_event(
            Event("toy", "promote", "ann", "test", now, {"to": share}), control={"stage": stage, "share": share}
        )
        return self

    def decide(self, *names: str, **changes: Any) -> None:
        """Learned decisions under the present epoch."""
        epoch = self.store.kill_epoch("toy")
        fields = {"arm": Arm.CANDIDATE, "version": "v1", "decided_at": NOON, "kill_epoch": epoch} | changes
        rows = [decision(name, **fields) for name in names]
        self.store.append_decisions(rows, self.breakers.fold)

    def report(self, *outcomes: tuple[str, float], name: str = "o", at: datetime = NOON) -> list[Receipt]:
        """Outcomes of one transaction, each a decision and its slippage."""
        rows = [Outcome.observed(name, of, {"slippage": value, "fee": 1.0}, NOON) for of, value in outcomes]
        return self.store.append_outcomes(
            "toy", rows, received_at=at, wait=WAIT, signals=TRADES.signal_bounds, fold=self.breakers.fold
        )

    def report_each(self, outcomes: Mapping[tuple[int, str], float]) -> None:
        """Outcomes of one transaction, by number of the decision and id."""
        rows = [
            Outcome.observed(name, f"d{row}", {"slippage": value, "fee": 1.0}, NOON)
            for (row, name), value in outcomes.items()
        ]
        self.store.append_outcomes(
            "toy", rows, received_at=NOON, wait=WAIT, signals=TRADES.signal_bounds, fold=self.breakers.fold
        )

    @property
    def killed(self) -> bool:
        """Whether the candidate is stopped for good."""
        return self.store.control("toy").killed

    def kinds(self) -> list[str]:
        """What was done, without the start."""
        return [event.kind for event in self.store.events("toy")][2:]


def breaks(rule: BreakerRule, values: Sequence[float]) -> bool:
    """Whether some stretch of `rule.size` values in order breaks the rule: written out, as slowly as one likes."""

    def beyond(value: float) -> bool:
        return value > rule.limit if rule.above is not None else value < rule.limit

    for end in range(rule.size, len(values) + 1):
        stretch = values[end - rule.size : end]
        share = sum(beyond(value) for value in stretch) / rule.size
        if rule.consecutive is not None:
            found = share == 1
        elif rule.rate is not None:
            found = share > rule.rate
        elif rule.quantile is not None:
            found = beyond(float(np.quantile(stretch, rule.quantile)))
        else:
            found = beyond(sum(stretch) / rule.size)
        if found:
            return True
    return False


class Oracle:
    """What a breaker must have done, from lists alone.

    Args:
        rule: the breaker's.
        learned: which decisions are the candidate's.
    """

    def __init__(self, rule: BreakerRule, learned: Sequence[bool]) -> None:
        self.rule, self.learned, self.tripped = rule, learned, False
        self.sent: dict[tuple[int, str], float] = {}
        self.waiting: dict[int, float] = {}
        self.counted: dict[int, float] = {}
        self.beyond: dict[int, float] = {}
        self.decided: set[int] = set()

    def decide(self, row: int) -> None:
        """A decision is written; the first outcome that waited for it counts."""
        self.decided.add(row)
        if row in self.waiting:
            self.counted[row] = self.waiting[row]
        self._judge()

    def report(self, batch: Sequence[tuple[int, float, str]]) -> dict[tuple[int, str], float]:
        """Outcomes of one transaction; what is sent again is sent unchanged. Gives what is sent."""
        fresh = {(row, name): self.sent.setdefault((row, name), value) for row, value, name in batch}
        for (row, _), value in fresh.items():
            if abs(value) > 1:
                self.beyond.setdefault(row, value)
            elif not math.isnan(value):
                (self.counted if row in self.decided else self.waiting).setdefault(row, value)
        self._judge()
        return fresh

    def _judge(self) -> None:
        seen = {row: value for row, value in (self.beyond | self.counted).items() if row in self.decided}
        values = [seen[row] for row in sorted(seen) if self.learned[row]]
        self.tripped = self.tripped or breaks(self.rule, values)
