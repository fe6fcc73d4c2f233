"""The trading example, through the whole path: slippage above 0.15 % for more than five trades in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm
from tenure.core.policy import Proposal
from tenure.rollout import Breakers, Settings
from tenure.rollout.rules import BreakerRule
from tenure.serving import Answer, DecisionRequest, DecisionService
from tenure.serving.wire import OutcomeRequest
from tenure.store import Event, SqliteStore

from .breaking import NOON, TRADES

LIMITS = Settings(breaker=[BreakerRule(signal="slippage", above=0.0015, consecutive=6)])


@dataclass
class Always:
    """Always the same action."""

    action: int
    version: str

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.full(len(observation), self.action), np.ones(len(observation)), None)


class Desk:
    """A trading desk: one service that decides and takes outcomes, the candidate answering all."""

    def __init__(self, path: Path) -> None:
        self.store, self.clock = SqliteStore(path, synchronous="OFF"), ManualClock(NOON)
        self.service = DecisionService(
            TRADES,
            Always(0, "rule"),
            self.store,
            LIMITS,
            self.clock,
            lambda version: Always(1, version),
            breakers=Breakers(TRADES, LIMITS),
        )
        event = Event("toy", "start", "ann", "test", NOON, {"version": "v1"})
        self.store.append_event(event, control={"stage": "full", "share": 1.0, "version": "v1"})

    def trade(self, number: int) -> Answer:
        """One decision."""
        self.clock.advance(timedelta(seconds=1))
        (answer,) = self.service.decide([DecisionRequest(f"u{number}", {"size": 10.0}, decision_id=f"t{number}")])
        assert isinstance(answer, Answer)
        return answer

    def measure(self, number: int, slippage: float) -> None:
        """What came of it."""
        self.service.outcomes([OutcomeRequest("o", f"t{number}", {"slippage": slippage, "fee": 1.0})])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "log.db")
    yield opened
    opened.store.close()


def test_where_each_outcome_comes_before_the_next_decision_the_sixth_trade_is_the_last_learned_one(desk: Desk) -> None:
    arms = []
    for number in range(1, 10):
        arms.append(Arm(desk.trade(number).arm))
        desk.measure(number, 0.0016)
    assert arms == [Arm.CANDIDATE] * 6 + [Arm.INCUMBENT] * 3
    kills = [event for event in desk.store.events("toy") if event.kind == "kill"]
    assert [kill.actor for kill in kills] == ["breaker:slippage above 0.0015, 6 in a row"]
    assert desk.trade(10).reason == "killed"


def test_exactly_the_limit_never_stops_trading(desk: Desk) -> None:
    for number in range(30):
        assert desk.trade(number).arm == Arm.CANDIDATE.value
        desk.measure(number, 0.0015)


def test_five_in_a_row_do_not_stop_it_and_a_good_one_begins_the_count_anew(desk: Desk) -> None:
    for number in range(30):
        assert desk.trade(number).arm == Arm.CANDIDATE.value
        desk.measure(number, 0.001 if number % 6 == 5 else 0.01)


def test_outcomes_in_any_order_stop_it_when_the_sixth_comes(desk: Desk) -> None:
    """Ten trades are out before the first is measured; those not measured yet neither part nor extend a run."""
    assert {desk.trade(number).arm for number in range(10)} == {Arm.CANDIDATE.value}
    for number in (9, 2, 4, 0, 3):
        desk.measure(number, 0.0016)
    assert desk.trade(10).arm == Arm.CANDIDATE.value
    desk.measure(5, 0.0016)
    assert desk.trade(11).arm == Arm.INCUMBENT.value
