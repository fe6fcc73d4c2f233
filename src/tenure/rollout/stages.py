"""Stages of a rollout: an enum, a table of moves, one function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tenure.core.errors import MoveError, StoreError
from tenure.rollout.circuit import CLOSED, Circuit, CircuitState, turned
from tenure.store import Control, Event


class Stage(StrEnum):
    """Where a candidate stands."""

    NONE = "none"
    SHADOW = "shadow"
    CANARY = "canary"
    FULL = "full"
    ROLLED_BACK = "rolled_back"


class Move(StrEnum):
    """What can happen to a rollout."""

    START = "start"
    REQUEST = "request"
    APPROVE = "approve"
    PROMOTE = "promote"
    COMPLETE = "complete"
    PAUSE = "pause"
    RESUME = "resume"
    ROLLBACK = "rollback"
    ABORT = "abort"
    REJECT = "reject"
    EXPIRE = "expire"
    TRIP = "trip"
    HALF_OPEN = "half_open"
    CLOSE = "close"
    EXPLORE = "explore"
    KILL = "kill"
    RESTORE = "restore"


LIVE = (Stage.SHADOW, Stage.CANARY, Stage.FULL)
_TURNS = (Move.TRIP, Move.HALF_OPEN, Move.CLOSE)

HELD_BY_A_KILL = frozenset({Move.START, Move.REQUEST, Move.APPROVE, Move.PROMOTE, Move.COMPLETE})
"""Moves towards more traffic: refused from a kill until a person restores."""
HELD_BY_A_BREAKER = frozenset({Move.PROMOTE, Move.COMPLETE})
"""Moves that are refused until the circuit is closed again."""
MOVES_THE_EPOCH = frozenset({Move.KILL, Move.RESTORE, Move.TRIP})
"""Moves after which nothing decided before them can be recorded."""

MOVES: dict[tuple[Stage, Move], tuple[Stage, ...]] = {
    (Stage.NONE, Move.START): (Stage.SHADOW,),
    (Stage.ROLLED_BACK, Move.START): (Stage.SHADOW,),
    (Stage.SHADOW, Move.PROMOTE): (Stage.CANARY, Stage.FULL),
    (Stage.CANARY, Move.PROMOTE): (Stage.CANARY, Stage.FULL),
    (Stage.FULL, Move.COMPLETE): (Stage.FULL,),
    **{(stage, Move.REQUEST): (stage,) for stage in (Stage.SHADOW, Stage.CANARY)},
    **{(stage, Move.APPROVE): (stage,) for stage in (Stage.SHADOW, Stage.CANARY)},
    **{(stage, Move.PAUSE): (stage,) for stage in LIVE},
    **{(stage, Move.RESUME): (stage,) for stage in LIVE},
    **{(stage, Move.ROLLBACK): (Stage.ROLLED_BACK,) for stage in LIVE},
    **{(stage, Move.ABORT): (Stage.ROLLED_BACK,) for stage in (Stage.SHADOW, Stage.CANARY)},
    **{(stage, Move.REJECT): (stage,) for stage in (Stage.SHADOW, Stage.CANARY)},
    **{(stage, Move.EXPIRE): (stage,) for stage in (Stage.SHADOW, Stage.CANARY)},
    **{(stage, move): (stage,) for stage in (Stage.CANARY, Stage.FULL) for move in _TURNS},
    **{(stage, Move.EXPLORE): (stage,) for stage in Stage},
    **{(stage, Move.KILL): (stage,) for stage in Stage},
    **{(stage, Move.RESTORE): (Stage.ROLLED_BACK,) for stage in Stage},
}
"""From a stage, by a move, to one of these stages; every other pair is refused."""


@dataclass(frozen=True)
class RolloutState:
    """A rollout as its events made it.

    Args:
        stage: where the candidate stands.
        share: of the units it answers, in [0, 1].
        version: the candidate.
        since: when the present share began.
        started_at: when SHADOW began.
        canary_at: when the first live share began.
        paused: promotions wait; guardrails go on.
        requested: share for which approval is asked.
        approved: share that was approved.
        complete: the last stage has been baked.
        killed: only the incumbent may answer; nothing moves until a person restores.
        started_by: who asked for SHADOW.
        actor_of_request: who asked for the approval.
        requested_at: when.
        circuit: what breakers that may close by themselves have made of the share.
        exploration: share of the candidate's decisions drawn at random; None is what the settings say. It outlives
            the rollout: what a guardrail turned off stays off until a person turns it on.
    """

    stage: Stage = Stage.NONE
    share: float = 0.0
    version: str | None = None
    since: datetime | None = None
    started_at: datetime | None = None
    canary_at: datetime | None = None
    paused: bool = False
    requested: float | None = None
    approved: float | None = None
    complete: bool = False
    killed: bool = False
    started_by: str | None = None
    actor_of_request: str | None = None
    requested_at: datetime | None = None
    circuit: CircuitState = CLOSED
    exploration: float | None = None


_UNASKED: dict[str, Any] = {"requested": None, "approved": None, "actor_of_request": None, "requested_at": None}


def stage_of(share: float) -> Stage:
    """The live stage of a share."""
    return Stage.FULL if share >= 1.0 else Stage.CANARY if share > 0 else Stage.SHADOW


def transition_to(state: RolloutState, event: Event) -> RolloutState:
    """The state after one event.

    Raises:
        MoveError: the table does not have this move, a kill is in force or a breaker open, the share would not grow, an
            approver approves what they started or asked for themselves, or nothing was asked for.
    """
    move = _move(state, event)
    target = _target(state, move, event)
    if target not in MOVES.get((state.stage, move), ()):
        raise _refused(state, event, f"{move.value} to {target}")
    if state.killed and move in HELD_BY_A_KILL:
        raise _refused(state, event, f"{move.value} while a kill is in force", "let a person restore first")
    if state.circuit.circuit is not Circuit.CLOSED and move in HELD_BY_A_BREAKER:
        raise _refused(state, event, f"{move.value} while a breaker is open", "wait until it has closed")
    return _apply(state, move, target, event)


def fold(events: Iterable[Event]) -> RolloutState:
    """The state all rollout events lead to; events of other kinds are passed over."""
    state = RolloutState()
    for event in events:
        if event.kind in set(Move):
            state = transition_to(state, event)
    return state


def check_head(control: Control, events: Sequence[Event]) -> None:
    """Whether the head row, which servers obey, says what the chained events say.

    Raises:
        StoreError: somebody changed the head by hand.
    """
    state = fold(events)
    epoch = sum(event.kind in MOVES_THE_EPOCH for event in events)
    told = {**head_columns(state), "killed": state.killed, "kill_epoch": epoch}
    found = {name: getattr(control, name) for name in told}
    if found != told:
        wrong = sorted(name for name in told if found[name] != told[name])
        raise StoreError(
            expected=f"{ {name: told[name] for name in wrong} } in the head row, as the events say",
            found=f"{ {name: found[name] for name in wrong} }",
            where=f"the log of {control.problem!r}",
            fix="stop the server, find out who changed the row, restore the log from a copy",
        )


def head_columns(state: RolloutState) -> dict[str, Any]:
    """What of a state a server must know, as columns of the head row."""
    return {
        "stage": state.stage.value,
        "share": state.share,
        "version": state.version,
        "paused": state.paused,
        "cap": state.circuit.cap,
        "exploration": state.exploration,
    }


def _move(state: RolloutState, event: Event) -> Move:
    try:
        return Move(event.kind)
    except ValueError:
        raise _refused(state, event, repr(event.kind)) from None


def _refused(
    state: RolloutState, event: Event, found: str, fix: str = "see `tenure versions` for where the rollout stands"
) -> MoveError:
    moves = sorted(m.value for s, m in MOVES if s == state.stage and not (state.killed and m in HELD_BY_A_KILL))
    return MoveError(
        expected=f"one of the moves {moves} in stage {state.stage} at share {state.share:g}",
        found=found,
        where=f"rollout of {event.problem!r}",
        fix=fix,
    )


def _larger_share(state: RolloutState, event: Event) -> float:
    """The share an event names: above the present one, at most 1."""
    share = event.payload.get("to")
    if not isinstance(share, int | float) or not state.share < share <= 1:
        raise _refused(
            state, event, f"{event.kind} of share {share!r}", "name a share above the present one, at most 1"
        )
    return float(share)


def _target(state: RolloutState, move: Move, event: Event) -> Stage:
    if move is Move.PROMOTE:
        return stage_of(_larger_share(state, event))
    ends = dict.fromkeys((Move.ROLLBACK, Move.ABORT, Move.RESTORE), Stage.ROLLED_BACK) | {Move.START: Stage.SHADOW}
    return ends.get(move, state.stage)


def _apply(state: RolloutState, move: Move, target: Stage, event: Event) -> RolloutState:
    if move is Move.START:
        return _started(state, target, event)
    if move is Move.PROMOTE:
        first_live = state.canary_at or event.at
        return replace(
            state,
            **_UNASKED,
            stage=target,
            share=_larger_share(state, event),
            since=event.at,
            canary_at=first_live,
        )
    if move is Move.REQUEST:
        share = _larger_share(state, event)
        return replace(state, requested=share, approved=None, actor_of_request=event.actor, requested_at=event.at)
    if move is Move.APPROVE:
        return _approved(state, event)
    if move in (Move.REJECT, Move.EXPIRE):
        return _unasked(state, move, event)
    if move in _TURNS:
        return replace(state, circuit=turned(state.circuit, event))
    if move is Move.EXPLORE:
        return replace(state, exploration=_rate(state, event))
    ended = {**_UNASKED, "stage": target, "share": 0.0, "since": event.at, "complete": False}
    # A guardrail that takes the traffic away turns exploration off in the same row.
    kept = {"exploration": event.payload.get("exploration", state.exploration)}
    changes: dict[Move, dict[str, Any]] = {
        Move.COMPLETE: {"complete": True},
        Move.PAUSE: {"paused": True},
        Move.RESUME: {"paused": False},
        Move.ROLLBACK: ended | kept,
        Move.ABORT: ended,
        Move.KILL: {"killed": True},
        Move.RESTORE: ended | {"killed": False},
    }
    return replace(state, **changes[move])


def _unasked(state: RolloutState, move: Move, event: Event) -> RolloutState:
    """A request answered with no, which pauses the rollout, or not at all."""
    if state.requested is None or not event.actor.strip():
        raise _refused(state, event, f"{move.value} of nothing", "see `tenure rollout status` for what was asked for")
    return replace(state, **_UNASKED, paused=state.paused or move is Move.REJECT)


def _rate(state: RolloutState, event: Event) -> float | None:
    """The rate an event names, in [0, 1]; None is what the settings say."""
    rate = event.payload.get("rate")
    if rate is not None and not (isinstance(rate, int | float) and 0 <= rate <= 1):
        raise _refused(state, event, f"exploration at rate {rate!r}", "name a rate from 0 to 1")
    return None if rate is None else float(rate)


def _started(state: RolloutState, target: Stage, event: Event) -> RolloutState:
    version = event.payload.get("version")
    if not isinstance(version, str) or not version:
        raise _refused(state, event, f"start of version {version!r}", "name the registered version to start")
    begun: dict[str, Any] = {"since": event.at, "started_at": event.at, "started_by": event.actor}
    return RolloutState(target, version=version, **begun, exploration=state.exploration)


def _approved(state: RolloutState, event: Event) -> RolloutState:
    share, others = event.payload.get("to"), {state.actor_of_request, state.started_by}
    if state.requested is None or state.requested != share or event.actor in others or not event.actor.strip():
        told = " or ".join(sorted(name for name in others if name))
        raise MoveError(
            expected=f"an approval of the share asked for, {state.requested}, by another than {told}",
            found=f"one of {share} by {event.actor!r}",
            where=f"rollout of {event.problem!r}",
            fix="let a second person approve what was asked for",
        )
    return replace(state, approved=state.requested)
