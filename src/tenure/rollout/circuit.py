"""The circuit of a rollout whose breakers may close by themselves: an enum, a table of moves, one function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tenure.core.errors import MoveError
from tenure.store import Event


class Circuit(StrEnum):
    """Whether the candidate gets its share."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Turn(StrEnum):
    """What can happen to a circuit."""

    TRIP = "trip"
    HALF_OPEN = "half_open"
    CLOSE = "close"


CIRCUIT: dict[tuple[Circuit, Turn], Circuit] = {
    (Circuit.CLOSED, Turn.TRIP): Circuit.OPEN,
    (Circuit.OPEN, Turn.HALF_OPEN): Circuit.HALF_OPEN,
    (Circuit.HALF_OPEN, Turn.TRIP): Circuit.OPEN,
    (Circuit.HALF_OPEN, Turn.CLOSE): Circuit.CLOSED,
}
"""From a circuit, by a turn, to this one; every other pair is refused."""


@dataclass(frozen=True)
class CircuitState:
    """A circuit as its events made it.

    Args:
        circuit: whether the candidate gets its share.
        cap: most of the units it may decide for, in [0, 1].
        breaker: which one tripped; None while closed.
        since: when it last turned.
    """

    circuit: Circuit = Circuit.CLOSED
    cap: float = 1.0
    breaker: str | None = None
    since: datetime | None = None


CLOSED = CircuitState()
"""The circuit of a rollout that begins."""


def turned(state: CircuitState, event: Event) -> CircuitState:
    """The circuit after one event; `breaker` and `cap` come from the event's payload.

    Raises:
        MoveError: the table does not have this turn, or a half-open circuit's cap lies outside (0, 1).
    """
    turn, cap = Turn(event.kind), event.payload.get("cap", 0.0)
    after = CIRCUIT.get((state.circuit, turn))
    if after is None or (after is Circuit.HALF_OPEN and not 0 < cap < 1):
        turns = sorted(known.value for circuit, known in CIRCUIT if circuit is state.circuit)
        raise MoveError(
            expected=f"one of the turns {turns} of a circuit that is {state.circuit}, half-open with a cap in (0, 1)",
            found=f"{turn.value} with cap {cap!r}",
            where=f"rollout of {event.problem!r}",
            fix="see `tenure rollout status` for where the breakers stand",
        )
    if after is Circuit.CLOSED:
        return CircuitState(since=event.at)
    return CircuitState(after, float(cap), event.payload.get("breaker", state.breaker), event.at)
