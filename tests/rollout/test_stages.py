"""The table of moves: every pair is walked, nothing leaves it, and nothing grows by itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.errors import MoveError, StoreError
from tenure.rollout import MOVES, Move, RolloutState, Stage, check_head, fold, transition_to
from tenure.rollout.circuit import CLOSED, Circuit, CircuitState
from tenure.rollout.stages import HELD_BY_A_KILL, head_columns, stage_of
from tenure.store import Event, SqliteStore

NOW = datetime(2011, 10, 1, tzinfo=UTC)
SHARE = {Stage.NONE: 0.0, Stage.SHADOW: 0.0, Stage.CANARY: 0.1, Stage.FULL: 1.0, Stage.ROLLED_BACK: 0.0}
SHARES = [-0.1, 0.0, 0.01, 0.1, 0.5, 1.0, 1.5, float("nan"), None, "1.0"]
CIRCUITS = [CLOSED, CircuitState(Circuit.OPEN, 0.0, "slippage", NOW), CircuitState(Circuit.HALF_OPEN, 0.01, "slippage")]


def event(move: Move | str, actor: str = "ann", **payload: Any) -> Event:
    """An event, with what its move needs unless the test says otherwise."""
    needs: dict[str, Any] = {"version": "v1", "to": 0.5, "cap": 0.01, "rate": 0.1, "breaker": "slippage"}
    return Event("bikes", str(move), actor, "because", NOW, needs | payload)


def at(stage: Stage, **changes: Any) -> RolloutState:
    """A state in a stage, half way asked for."""
    state = RolloutState(
        stage, SHARE[stage], "v1", NOW, NOW, requested=0.5, actor_of_request="controller", started_by="starter"
    )
    return replace(state, **changes)


def walk(*moves: Event) -> RolloutState:
    """The state after some events."""
    return fold(moves)


@pytest.mark.parametrize(("stage", "move"), list(product(Stage, Move)))
def test_every_pair_goes_where_the_table_says_or_is_refused(stage: Stage, move: Move) -> None:
    reached = set()
    for share, circuit in product(SHARES, CIRCUITS):
        with suppress(MoveError):
            reached.add(transition_to(at(stage, circuit=circuit), event(move, to=share)).stage)
    assert reached == set(MOVES.get((stage, move), ()))


def test_the_table_is_what_the_design_says() -> None:
    live = {Stage.SHADOW, Stage.CANARY, Stage.FULL}
    from_ = {move: {stage for stage, m in MOVES if m is move} for move in Move}
    assert from_ == {
        Move.START: {Stage.NONE, Stage.ROLLED_BACK},
        Move.REQUEST: {Stage.SHADOW, Stage.CANARY},
        Move.APPROVE: {Stage.SHADOW, Stage.CANARY},
        Move.PROMOTE: {Stage.SHADOW, Stage.CANARY},
        Move.COMPLETE: {Stage.FULL},
        Move.PAUSE: live,
        Move.RESUME: live,
        Move.ROLLBACK: live,
        Move.ABORT: {Stage.SHADOW, Stage.CANARY},
        Move.REJECT: {Stage.SHADOW, Stage.CANARY},
        Move.EXPIRE: {Stage.SHADOW, Stage.CANARY},
        Move.TRIP: {Stage.CANARY, Stage.FULL},
        Move.HALF_OPEN: {Stage.CANARY, Stage.FULL},
        Move.CLOSE: {Stage.CANARY, Stage.FULL},
        Move.EXPLORE: set(Stage),
        Move.KILL: set(Stage),
        Move.RESTORE: set(Stage),
    }
    assert {MOVES[stage, Move.ROLLBACK] for stage in live} == {(Stage.ROLLED_BACK,)}


EVENTS = st.builds(
    lambda move, share, actor, version: event(move, actor, to=share, version=version),
    st.sampled_from(list(Move)),
    st.sampled_from(SHARES),
    st.sampled_from(["ann", "bob", "controller", " "]),
    st.sampled_from(["v1", "v2", "", None]),
)


@given(st.lists(EVENTS, max_size=60))
def test_a_walk_never_leaves_the_table_and_only_promote_grows_the_share(events: list[Event]) -> None:
    state, taken = RolloutState(), []
    for one in events:
        try:
            after = transition_to(state, one)
        except MoveError:
            continue
        taken.append(one)
        assert after.stage in MOVES[state.stage, Move(one.kind)]
        assert 0 <= after.share <= 1
        assert after.stage is Stage.NONE or after.stage is Stage.ROLLED_BACK or after.stage is stage_of(after.share)
        assert after.share == 0 or after.stage in (Stage.CANARY, Stage.FULL)
        if after.share > state.share:
            assert one.kind == Move.PROMOTE
            assert not state.killed
        assert after.share >= state.share or one.kind in (Move.ROLLBACK, Move.ABORT, Move.RESTORE)
        assert after.circuit.cap <= state.circuit.cap or one.kind in (Move.HALF_OPEN, Move.CLOSE, Move.START)
        assert state.circuit.cap == 1 or one.kind not in (Move.PROMOTE, Move.COMPLETE)
        if state.killed and not after.killed:
            assert one.kind == Move.RESTORE
        if after.approved is not None and state.approved is None:
            assert one.actor not in {state.actor_of_request, state.started_by, " "}
        state = after
    assert fold(taken) == state


@pytest.mark.parametrize("share", [0.1, 0.05, 0.0, -1.0, 1.5, float("nan"), None, "1"])
@pytest.mark.parametrize("move", [Move.PROMOTE, Move.REQUEST])
def test_only_a_larger_share_can_be_asked_for_or_given(move: Move, share: Any) -> None:
    with pytest.raises(MoveError):
        transition_to(at(Stage.CANARY), event(move, to=share))


def test_shares_rise_through_the_stages() -> None:
    steps = [event(Move.START), *(event(Move.PROMOTE, to=share) for share in (0.01, 0.1, 1.0))]
    states = [fold(steps[:n]) for n in range(1, 5)]
    assert [state.stage for state in states] == [Stage.SHADOW, Stage.CANARY, Stage.CANARY, Stage.FULL]
    assert all(before.share < after.share for before, after in pairwise(states))
    assert {state.canary_at for state in states[1:]} == {NOW}
    assert head_columns(states[-1]) == {
        "stage": "full",
        "share": 1.0,
        "version": "v1",
        "paused": False,
        "cap": 1.0,
        "exploration": None,
    }


def test_start_needs_a_version() -> None:
    for version in (None, "", 3):
        with pytest.raises(MoveError, match="version"):
            walk(event(Move.START, version=version))


@pytest.mark.parametrize("move", sorted(HELD_BY_A_KILL))
def test_a_kill_refuses_every_move_towards_traffic(move: Move) -> None:
    for stage in Stage:
        with pytest.raises(MoveError):
            transition_to(at(stage, killed=True), event(move, actor="bob"))


def test_only_restore_lifts_a_kill_and_gives_nothing_back() -> None:
    full = [event(Move.START), event(Move.PROMOTE, to=1.0), event(Move.COMPLETE), event(Move.KILL)]
    killed = walk(*full)
    assert (killed.stage, killed.share, killed.killed) == (Stage.FULL, 1.0, True)
    asked = {Move.ABORT, Move.REJECT, Move.EXPIRE, Move.HALF_OPEN, Move.CLOSE}  # of what is not there
    for move in set(Move) - {Move.RESTORE} - HELD_BY_A_KILL - asked:
        assert transition_to(killed, event(move)).killed
    restored = walk(*full, event(Move.RESTORE))
    assert (restored.stage, restored.share, restored.killed) == (Stage.ROLLED_BACK, 0.0, False)
    assert not restored.complete
    again = transition_to(restored, event(Move.START, version="v2"))
    assert (again.stage, again.version, again.killed) == (Stage.SHADOW, "v2", False)


def test_a_kill_before_any_rollout_holds_its_start() -> None:
    with pytest.raises(MoveError, match="restore"):
        walk(event(Move.KILL), event(Move.START))


@pytest.mark.parametrize("actor", ["controller", "starter", "", "  "])
def test_who_started_or_asked_cannot_approve(actor: str) -> None:
    with pytest.raises(MoveError, match="another than controller or starter"):
        transition_to(at(Stage.CANARY), event(Move.APPROVE, actor))


def test_another_share_or_an_unasked_one_cannot_be_approved() -> None:
    with pytest.raises(MoveError):
        transition_to(at(Stage.CANARY), event(Move.APPROVE, "bob", to=1.0))
    with pytest.raises(MoveError):
        transition_to(at(Stage.CANARY, requested=None), event(Move.APPROVE, "bob", to=None))
    assert transition_to(at(Stage.CANARY), event(Move.APPROVE, "bob", to=0.5)).approved == 0.5


def test_an_approval_does_not_outlive_what_it_was_for() -> None:
    approved = at(Stage.CANARY, approved=0.5)
    for one in (event(Move.PROMOTE), event(Move.ROLLBACK), event(Move.RESTORE)):
        after = transition_to(approved, one)
        assert (after.requested, after.approved, after.actor_of_request) == (None, None, None)
    assert transition_to(approved, event(Move.REQUEST, to=1.0)).approved is None


def test_pause_and_resume_keep_stage_and_share() -> None:
    paused = transition_to(at(Stage.CANARY), event(Move.PAUSE))
    assert paused == replace(at(Stage.CANARY), paused=True)
    assert transition_to(paused, event(Move.RESUME)) == at(Stage.CANARY)


def test_a_request_can_be_refused_which_pauses_or_expire_which_does_not() -> None:
    refused, expired = (transition_to(at(Stage.CANARY), event(move)) for move in (Move.REJECT, Move.EXPIRE))
    assert (refused.requested, refused.paused) == (None, True)
    assert (expired.requested, expired.paused) == (None, False)
    for move in (Move.REJECT, Move.EXPIRE):
        with pytest.raises(MoveError, match="of nothing"):
            transition_to(at(Stage.CANARY, requested=None), event(move))
    with pytest.raises(MoveError):
        transition_to(at(Stage.CANARY), event(Move.REJECT, actor=" "))


@pytest.mark.parametrize("move", [Move.PROMOTE, Move.COMPLETE])
def test_nothing_grows_or_ends_while_a_breaker_is_open_or_tries_again(move: Move) -> None:
    stage = Stage.FULL if move is Move.COMPLETE else Stage.CANARY
    closed, *others = CIRCUITS
    assert transition_to(at(stage, circuit=closed), event(move)).circuit == closed
    for circuit in others:
        with pytest.raises(MoveError, match="while a breaker is open"):
            transition_to(at(stage, circuit=circuit), event(move))


def test_exploration_is_set_by_an_event_and_touches_neither_version_nor_stage() -> None:
    canary = at(Stage.CANARY)
    assert transition_to(canary, event(Move.EXPLORE, rate=0.2)) == replace(canary, exploration=0.2)
    assert transition_to(canary, event(Move.EXPLORE, rate=None)) == canary
    for rate in (-0.1, 1.1, float("nan"), "0.1"):
        with pytest.raises(MoveError, match="rate"):
            transition_to(canary, event(Move.EXPLORE, rate=rate))


def test_what_a_guardrail_turned_off_stays_off_over_the_next_start() -> None:
    harmed = transition_to(at(Stage.CANARY, exploration=0.1), event(Move.ROLLBACK, exploration=0.0))
    assert transition_to(harmed, event(Move.START, version="v2")).exploration == 0.0
    by_hand = transition_to(at(Stage.CANARY, exploration=0.1), event(Move.ROLLBACK))
    assert by_hand.exploration == 0.1


def test_other_events_are_passed_over_by_the_fold_and_refused_as_moves() -> None:
    assert walk(event("correction"), event(Move.START), event("refuse")).stage is Stage.SHADOW
    with pytest.raises(MoveError, match="correction"):
        transition_to(RolloutState(), event("correction"))


def test_a_head_row_changed_by_hand_is_told_from_what_the_events_say(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "log.sqlite") as store:
        store.open_problem("toy", "salt")
        control = store.kill("toy", actor="ann", reason="drill", at=datetime(2011, 10, 1, tzinfo=UTC))
        check_head(control, store.events("toy"))
        forgeries: list[dict[str, Any]] = [
            {"killed": False},
            {"share": 1.0},
            {"version": "v9"},
            {"kill_epoch": 0},
            {"stage": "full"},
            {"cap": 0.5},
            {"exploration": 0.5},
        ]
        for forged in forgeries:
            with pytest.raises(StoreError, match=next(iter(forged))):
                check_head(replace(control, **forged), store.events("toy"))
