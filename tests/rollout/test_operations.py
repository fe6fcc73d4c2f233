"""One verb for page, command line and interface: what each does, refuses, and shows."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tenure.core.decision import Arm, Outcome
from tenure.core.errors import FencedError, MoveError
from tenure.core.evidence import Verdict
from tenure.monitoring.alerts import Alert, alert_of
from tenure.rollout import Move, Operations, Settings, Stage, check_head
from tenure.rollout.rules import BreakerRule, ExplorationRule, HalfOpen, SignalRule
from tenure.rollout.stop import StopFile
from tenure.store import SqliteStore
from tenure.store.pending import Pending, PendingDecision

from .world import DAY, PROBLEM, START, World, decision, gain, signals


@pytest.fixture
def verbs(world: World) -> Operations:
    return operations(world)


def operations(world: World, limits: Settings | None = None) -> Operations:
    return Operations(PROBLEM, limits or world.limits, world.store, world.clock, services=world.rooms.services())


def until_asked(world: World, verbs: Operations) -> None:
    """Shadowed until the first share is asked for."""
    verbs.start("v1", "alice", "tried in the lab")
    for _ in range(12):
        world.day()
        if verbs.tick().step is not None:
            return
    raise AssertionError("nothing was asked for")


def canary(world: World, verbs: Operations) -> None:
    until_asked(world, verbs)
    verbs.approve("bob", "looked at it")
    assert verbs.tick().state.share == 0.2


def test_the_status_of_what_never_began(verbs: Operations) -> None:
    status = verbs.status()
    assert (status.stage, status.share, status.live_share, status.version) == ("none", 0.0, 0.0, None)
    assert (status.next, status.blocked_by, status.history) == (None, ["no rollout is under way"], [])
    assert status.exploration == {"rate": 0.001, "explored_share": None}
    json.dumps(status.as_dict())


def test_a_start_is_judged_recorded_and_shown(world: World, verbs: Operations) -> None:
    findings = verbs.start("v1", "alice", "tried in the lab")
    assert [finding.verdict for finding in findings] == [Verdict.PASS]
    status = verbs.status()
    assert (status.stage, status.version, status.next) == ("shadow", "v1", 0.2)
    assert status.ruled
    bare = msgspec.structs.replace(world.limits, promote=[])
    assert not operations(world, bare).status().ruled
    assert status.blocked_by == ["the evidence was not looked at since the last move: tenure tick"]
    assert status.history[0]["kind"] == "start"
    assert status.history[0]["reason"].startswith("tried in the lab; selection: ")


def test_a_refused_start_stands_in_the_history(world: World, verbs: Operations) -> None:
    world.rooms.selection = gain(-0.5)
    assert [finding.verdict for finding in verbs.start("v1", "alice", "hope")] == [Verdict.FAIL]
    assert [event["kind"] for event in verbs.status().history] == ["refuse"]


def test_a_tick_that_does_nothing_says_why_once_and_the_status_shows_it(world: World, verbs: Operations) -> None:
    verbs.start("v1", "alice", "go")
    world.day()
    for _ in range(3):
        verbs.tick()
    assert world.kinds() == ["start", "hold"]
    status = verbs.status()
    assert [reason.split(":")[0] for reason in status.blocked_by] == ["shadow size"]
    assert status.judged_at == world.clock.now()
    world.clock.advance(timedelta(minutes=59))
    verbs.tick()
    assert world.kinds() == ["start", "hold"]
    world.clock.advance(timedelta(minutes=1))
    verbs.tick()
    assert world.kinds() == ["start", "hold", "hold"]


def test_what_holds_is_recorded_anew_when_another_gate_holds(world: World, verbs: Operations) -> None:
    verbs.start("v1", "alice", "go")
    world.day()
    verbs.tick()
    world.day(proposals=False)
    verbs.tick()
    assert world.kinds() == ["start", "hold", "hold"]


def test_a_hold_moves_no_rollout(world: World, verbs: Operations) -> None:
    verbs.start("v1", "alice", "go")
    last = world.store.events("toy")[-1].sequence
    world.day()
    verbs.tick()
    world.store.append_event(world.store.events("toy")[0], expect_last_event=last)


def test_promote_takes_the_next_step_if_and_only_if_the_gates_pass(world: World, verbs: Operations) -> None:
    verbs.start("v1", "alice", "go")
    with pytest.raises(MoveError, match="shadow size: missing"):
        verbs.promote("carol", "impatient")
    for _ in range(8):
        world.day()
    tick = verbs.promote("carol", "time to ask")
    assert tick.step is not None
    assert tick.step.move is Move.REQUEST
    event = world.store.events("toy")[-1]
    assert (event.kind, event.actor) == ("request", "carol")
    assert event.reason.startswith("time to ask; shadow size: enough")
    status = verbs.status()
    assert (status.requested, status.requested_by, status.approved) == (0.2, "carol", None)
    assert status.blocked_by == ["waits for a second person's approval of share 0.2"]
    for proposer in ("carol", "alice"):
        with pytest.raises(MoveError, match="another than"):
            verbs.approve(proposer, "my own")
    verbs.approve("bob", "fine")
    assert verbs.promote("carol", "now").state.share == 0.2


def test_promote_says_what_holds_even_where_no_gate_is_left(world: World, verbs: Operations) -> None:
    with pytest.raises(MoveError, match="no rollout is under way"):
        verbs.promote("carol", "now")


def test_a_rejected_share_pauses_until_resumed(world: World, verbs: Operations) -> None:
    until_asked(world, verbs)
    state = verbs.reject("bob", "not before the holidays")
    assert (state.requested, state.paused) == (None, True)
    assert verbs.tick().step is None
    assert "paused until a person resumes it" in verbs.status().blocked_by
    verbs.resume("bob", "holidays are over")
    step = verbs.tick().step
    assert step is not None
    assert step.move is Move.REQUEST


def test_a_request_nobody_answers_expires_and_is_asked_anew(world: World, verbs: Operations) -> None:
    until_asked(world, verbs)
    asked = world.clock.now()
    world.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    assert verbs.tick().step is None
    world.clock.advance(timedelta(seconds=1))
    step = verbs.tick().step
    assert step is not None
    assert (step.move, world.clock.now() - asked) == (Move.EXPIRE, timedelta(days=7))
    again = verbs.tick().step
    assert again is not None
    assert again.move is Move.REQUEST


def test_an_approval_that_led_to_nothing_expires_too(world: World, verbs: Operations) -> None:
    until_asked(world, verbs)
    verbs.approve("bob", "fine")
    for _ in range(7):
        world.day(proposals=False)
        tick = verbs.tick()
    assert tick.step is not None
    assert (tick.step.move, tick.state.approved) == (Move.EXPIRE, None)


def test_a_request_expires_while_paused(world: World, verbs: Operations) -> None:
    until_asked(world, verbs)
    verbs.pause("ann", "wait")
    world.clock.advance(timedelta(days=7))
    step = verbs.tick().step
    assert step is not None
    assert step.move is Move.EXPIRE


def test_pause_rollback_and_abort(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    assert verbs.pause("ann", "a look first").paused
    assert not verbs.resume("ann", "seen").paused
    assert verbs.abort("ann", "another idea").stage is Stage.ROLLED_BACK
    control = world.store.control("toy")
    assert (control.stage, control.share, control.live_share) == ("rolled_back", 0.0, 0.0)
    check_head(control, world.store.events("toy"))
    with pytest.raises(MoveError):
        verbs.rollback("ann", "again")


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("ann", ""), (" ", "why"), ("ann", " ")])
@pytest.mark.parametrize("verb", ["pause", "rollback", "promote", "kill", "restore", "approve"])
def test_every_verb_needs_who_and_why(verbs: Operations, verb: str, actor: str, reason: str) -> None:
    with pytest.raises(MoveError, match="who does it, and why"):
        getattr(verbs, verb)(actor, reason)


def test_changing_exploration_resets_nothing(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    before = verbs.status()
    assert verbs.explore("ann", 0.25, "more data").exploration == 0.25
    after, control = verbs.status(), world.store.control("toy")
    assert control.exploration == 0.25
    assert after.exploration["rate"] == 0.25
    assert (after.version, after.stage, after.share) == (before.version, before.stage, before.share)
    with pytest.raises(MoveError, match="rate"):
        verbs.explore("ann", 1.5, "too much")
    assert verbs.explore("ann", None, "as before").exploration is None


def test_exploration_is_off_above_the_risk_limit_until_a_person_turns_it_on(world: World) -> None:
    limits = msgspec.structs.replace(world.limits, exploration=ExplorationRule(risk=0.9))
    verbs = operations(world, limits)
    assert verbs.status().exploration["rate"] == 0.0
    verbs.explore("ann", 0.1, "accepted")
    assert verbs.status().exploration["rate"] == 0.1


def test_a_guardrail_breach_turns_exploration_off_with_the_rollback(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    verbs.explore("ann", 0.25, "more data")
    for _ in range(24):
        world.day(signals(cost=2.0))
        tick = verbs.tick()
        if tick.step is not None and tick.step.move is Move.ROLLBACK:
            break
    assert tick.state.stage is Stage.ROLLED_BACK
    assert world.store.control("toy").exploration == 0.0
    verbs.start("v2", "alice", "another")
    assert world.store.control("toy").exploration == 0.0
    check_head(world.store.control("toy"), world.store.events("toy"))


def test_a_rollback_by_a_person_leaves_exploration_as_it_was(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    verbs.explore("ann", 0.25, "more data")
    verbs.rollback("ann", "a feeling")
    assert world.store.control("toy").exploration == 0.25


def test_the_share_away_from_the_policys_best_is_shown(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    for day in range(4):
        world.day(explored=day == 0)
    shown = verbs.status().exploration["explored_share"]
    frame = world.store.read_log("toy")
    learned = [explored for explored, arm in zip(frame.explored.tolist(), frame.arm, strict=True) if arm == "candidate"]
    assert shown == sum(learned) / len(learned)
    assert 0 < sum(learned) < len(learned)


def test_kill_and_restore_are_shown(world: World, verbs: Operations) -> None:
    canary(world, verbs)
    killed = verbs.kill("ann", "smells odd")
    assert killed.epoch == 1
    status = verbs.status()
    assert (status.killed, status.share, status.live_share) == (True, 0.2, 0.0)
    assert status.blocked_by == ["killed by ann: smells odd; only a person restores: tenure restore toy"]
    verbs.restore("bob", "a false alarm")
    status = verbs.status()
    assert (status.killed, status.stage) == (False, "rolled_back")


def test_an_engaged_stop_file_is_shown(world: World, tmp_path: Path) -> None:
    stop = StopFile(tmp_path / "STOP")
    verbs = Operations(PROBLEM, world.limits, world.store, world.clock, services=world.rooms.services(), stop=stop)
    canary(world, verbs)
    stop.engage("database down", "ann", START)
    status = verbs.status()
    assert (status.live_share, status.blocked_by[0]) == (0.0, "the stop file is engaged: only the incumbent answers")


def test_without_services_nothing_is_judged_and_people_still_can_stop(world: World) -> None:
    judged = operations(world)
    canary(world, judged)
    verbs = Operations(PROBLEM, world.limits, world.store, world.clock)
    for act in (lambda: verbs.promote("ann", "now"), lambda: verbs.start("v2", "ann", "now"), verbs.tick):
        with pytest.raises(MoveError, match="run it where the project is: tenure"):
            act()
    assert verbs.pause("ann", "a look first").paused
    assert verbs.rollback("ann", "a feeling").stage is Stage.ROLLED_BACK


def test_a_persons_move_wins_over_a_tick_at_the_same_moment(
    world: World, verbs: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary(world, verbs)
    real, fenced = world.store.append_event, [2]

    def append(*given: object, **named: object) -> object:
        if fenced[0]:
            fenced[0] -= 1
            raise FencedError(expected="a", found="b", where="c", fix="d")
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "append_event", append)
    assert verbs.rollback("ann", "now").stage is Stage.ROLLED_BACK
    fenced[0] = 9
    with pytest.raises(FencedError):
        verbs.explore("ann", 0.1, "now")


def test_two_ticks_never_run_at_once(world: World, verbs: Operations) -> None:
    verbs.start("v1", "alice", "go")
    for _ in range(4):
        world.day()
    other = operations(world)
    refused: list[str] = []

    def meanwhile() -> None:
        world.rooms.before = lambda: None
        with pytest.raises(MoveError) as caught:
            other.tick()
        refused.append(caught.value.expected)

    world.rooms.before = meanwhile
    verbs.tick()
    assert refused == ["nobody else at the tick of 'toy'"]
    other.tick()


@pytest.fixture
def waiting(world: World, verbs: Operations) -> Operations:
    """A learned proposal that waits for a person, beside the incumbent's decision."""
    canary(world, verbs)
    now, store = world.clock.now(), world.store
    row = PendingDecision("toy", "d1", "v1", 1, 0.5, 0, "dear", now, now + timedelta(minutes=10))
    first = decision("d1", decided_at=now, stage="canary")
    store.append_decisions([first], beside=lambda connection, _: Pending(store).queue(connection, [row]))
    return verbs


def test_single_decisions_wait_with_their_words(waiting: Operations) -> None:
    (row,) = waiting.pending()
    assert (row["decision_id"], row["proposal"], row["answered"], row["rule"]) == ("d1", "learned", "rule", "dear")
    assert (row["unit_id"], row["context"], waiting.status().pending) == ("u", {"x": 1.0}, 1)
    json.dumps(row)


def test_a_tick_tells_once_of_a_group_that_has_begun_to_wait(world: World, waiting: Operations) -> None:
    def queue(name: str) -> None:
        now = world.clock.now()
        row = PendingDecision("toy", name, "v1", 1, 0.5, 0, "dear", now, now + timedelta(minutes=10))
        first = decision(name, decided_at=now, stage="canary")
        world.store.append_decisions([first], beside=lambda c, _: Pending(world.store).queue(c, [row]))

    def told() -> list[Alert]:
        waiting.tick()
        alerts = [alert_of(event) for event in world.store.events("toy") if event.kind == "pending_waits"]
        return [alert for alert in alerts if alert is not None]

    (alert,) = told()
    assert "1 by rule dear; the first, d1" in alert.body
    assert "tenure approvals list toy" in alert.body
    world.clock.advance(timedelta(seconds=1))
    queue("d2")  # the same rule, while what was told of still waits
    assert len(told()) == 1
    for name in ("d1", "d2"):
        waiting.reject_decision(name, "bob", "no")
    world.clock.advance(timedelta(seconds=1))
    queue("d3")
    assert len(told()) == 2
    world.store.kill("toy", actor="bob", reason="odd", at=world.clock.now())
    assert len(told()) == 2


def test_single_decisions_are_approved_rejected_or_expire(world: World, waiting: Operations) -> None:
    made = waiting.approve_decision("d1", "bob")
    assert (made.arm, made.action, waiting.pending()) == (Arm.HUMAN, 1, [])
    with pytest.raises(MoveError):
        waiting.reject_decision("d1", "bob", "no")


def test_single_decisions_are_rejected(waiting: Operations) -> None:
    assert waiting.reject_decision("d1", "bob", "no").status == "rejected"


def test_a_tick_expires_single_decisions(world: World, waiting: Operations) -> None:
    world.clock.advance(DAY)
    waiting.tick()
    found = waiting.queue.find("toy", "d1")
    assert found is not None
    assert found.status == "expired"


def test_a_tick_turns_a_circuit_and_an_open_breaker_holds(world: World) -> None:
    rule = BreakerRule(
        signal="cost", above=50.0, consecutive=2, name="dear", half_open=HalfOpen(after="1d", share=0.1, decisions=5)
    )
    verbs = operations(world, msgspec.structs.replace(world.limits, breaker=[rule]))
    canary(world, verbs)
    names = ["a", "b"]
    now = world.clock.now()
    world.store.append_decisions(
        [decision(name, arm=Arm.CANDIDATE, version="v1", stage="canary", decided_at=now) for name in names]
    )
    world.store.append_outcomes(
        "toy",
        [Outcome.observed("o", name, signals(cost=60.0), now) for name in names],
        received_at=now,
        wait=DAY,
        signals=PROBLEM.signal_names,
        fold=verbs.breakers.fold,
    )
    status = verbs.status()
    assert (status.share, status.live_share, status.blocked_by[0]) == (0.2, 0.0, "breaker dear is open")
    assert [(breaker.name, breaker.state) for breaker in status.breakers] == [("dear", "open")]
    tick = verbs.tick()
    assert tick.step is None
    assert any(reason.startswith("breaker: dear is open since") for reason in tick.blocked_by)
    world.clock.advance(DAY)
    verbs.tick()
    assert verbs.status().live_share == 0.1
    assert verbs.status().breakers[0].state == "half_open"


def test_a_signal_holds_and_does_not_roll_back(world: World) -> None:
    """The same harm that would breach a guardrail, on a KPI nobody guards."""
    limits = msgspec.structs.replace(
        world.limits, guardrail=[], signal=[SignalRule(kpi="cost", margin=0.1, relative=True)]
    )
    verbs = operations(world, limits)
    canary(world, verbs)
    for _ in range(24):
        world.day(signals(cost=2.0))
        tick = verbs.tick()
    assert (tick.state.stage, tick.state.share) == (Stage.CANARY, 0.5)  # given before the harm was proven
    assert any(reason.startswith("signal cost: ") for reason in tick.blocked_by)
    assert tick.verdict is Verdict.FAIL


def test_a_second_store_sees_the_same_status(world: World, verbs: Operations, tmp_path: Path) -> None:
    canary(world, verbs)
    with SqliteStore(tmp_path / "log.db") as other:
        assert Operations(PROBLEM, world.limits, other, world.clock).status() == verbs.status()


def test_nothing_learned_is_approved_while_a_stop_file_stands(
    world: World, waiting: Operations, tmp_path: Path
) -> None:
    waiting.stop = StopFile(tmp_path / "STOP")
    waiting.stop.engage("database down", "ann", START)
    with pytest.raises(MoveError, match="stop file"):
        waiting.approve_decision("d1", "bob")
    waiting.stop.release()
    assert waiting.approve_decision("d1", "bob").arm is Arm.HUMAN
