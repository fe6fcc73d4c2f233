"""The circuit's table: every pair is walked, and nothing closes by itself that was not half-open."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from tenure.core.errors import MoveError
from tenure.rollout.circuit import CIRCUIT, CLOSED, Circuit, CircuitState, Turn, turned
from tenure.store import Event

NOW = datetime(2011, 10, 1, tzinfo=UTC)


def event(turn: Turn, **payload: Any) -> Event:
    return Event("toy", turn.value, "breaker:b", "because", NOW, {"breaker": "b", "cap": 0.2} | payload)


@pytest.mark.parametrize(("circuit", "turn"), list(product(Circuit, Turn)))
def test_every_pair_goes_where_the_table_says_or_is_refused(circuit: Circuit, turn: Turn) -> None:
    state = CircuitState(circuit, 0.5, "a", NOW)
    if (circuit, turn) in CIRCUIT:
        assert turned(state, event(turn)).circuit is CIRCUIT[circuit, turn]
    else:
        with pytest.raises(MoveError, match="one of the turns"):
            turned(state, event(turn))


def test_the_table_is_what_the_design_says() -> None:
    open_, half = Circuit.OPEN, Circuit.HALF_OPEN
    ways = {(a.value, turn.value, b.value) for (a, turn), b in CIRCUIT.items()}
    assert ways == {
        ("closed", "trip", "open"),
        ("open", "half_open", "half_open"),
        ("half_open", "trip", "open"),
        ("half_open", "close", "closed"),
    }
    tripped = turned(CLOSED, event(Turn.TRIP, cap=0.0))
    assert tripped == CircuitState(open_, 0.0, "b", NOW)
    tried = turned(tripped, event(Turn.HALF_OPEN))
    assert tried == CircuitState(half, 0.2, "b", NOW)
    assert turned(tried, event(Turn.CLOSE, cap=1.0)) == CircuitState(since=NOW)
    assert turned(tried, event(Turn.TRIP, cap=0.0, breaker="c")).breaker == "c"


@pytest.mark.parametrize("cap", [0.0, 1.0, -0.5, 2.0])
def test_half_open_lets_some_through_and_not_all(cap: float) -> None:
    with pytest.raises(MoveError, match="cap"):
        turned(CircuitState(Circuit.OPEN, 0.0, "b", NOW), event(Turn.HALF_OPEN, cap=cap))
