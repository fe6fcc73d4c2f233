"""The controller on a real log: one step at a time, each on evidence, and the way back always open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tenure.core.decision import Arm
from tenure.core.errors import FencedError, MoveError
from tenure.core.evidence import Finding, Verdict
from tenure.rollout import Controller, Move, RolloutState, Stage, Tick, next_step
from tenure.rollout.ledger import day_of
from tenure.rollout.settings import Bake, RewardWindow
from tenure.store import Event

from .world import DAY, START, World, gain, settings, signals

DEAR = signals(cost=2.0)
POOR = signals(served=5.0)


@pytest.fixture
def canary(world: World) -> World:
    """A candidate at 20 % for a day."""
    return at(world, 0.2)


def at(world: World, share: float) -> World:
    world.controller.start("v1", "alice")
    world.until(share)
    return world


def days(world: World, count: int, **day: object) -> Tick:
    """Some days alike, a tick at each midnight."""
    for _ in range(count):
        world.day(**day)  # type: ignore[arg-type]
        tick = world.tick_all()
    return tick


def gates(tick: Tick) -> dict[str, Verdict]:
    return {finding.gate: finding.verdict for finding in (*tick.gate, *tick.guardrails)}


def test_the_whole_road(world: World) -> None:
    at(world, 1.0)
    tick = days(world, 2)
    assert tick.state.complete
    road = ["start", "request", "approve", "promote", "promote", "request", "approve", "promote", "complete"]
    assert world.kinds() == road
    control = world.store.control("toy")
    assert (control.stage, control.share, control.version) == ("full", 1.0, "v1")
    assert all(event.reason for event in world.store.events("toy"))
    assert (tick.verdict, tick.blocked_by) == (Verdict.PASS, [])
    assert days(world, 3).step is None
    assert days(world, 20, learned=DEAR).state.stage is Stage.ROLLED_BACK


def test_a_share_that_no_rule_guards_is_given_with_a_word_on_it(world: World) -> None:
    """The toy's rules guard 20 % and 100 %, and nothing guards the 50 % between."""
    at(world, 1.0)
    told = {
        event.payload["to"]: "no promote rule: sizes and health only" in event.reason
        for event in world.store.events("toy")
        if event.kind == "promote"
    }
    assert told == {0.2: False, 0.5: True, 1.0: False}


def test_a_shadow_that_no_rule_follows_says_so(tmp_path: Path) -> None:
    limits = settings()
    del limits.promote[1]
    world = World(tmp_path / "log.db", limits)
    world.controller.start("v1", "alice")
    size = next(finding for finding in days(world, 1).gate if finding.gate == "shadow size")
    assert "; no promote rule: sizes and health only" in size.reason


def test_a_refused_start_is_recorded_and_changes_nothing(world: World) -> None:
    world.rooms.selection = gain(-0.5)
    assert [finding.verdict for finding in world.controller.start("v1", "alice")] == [Verdict.FAIL]
    assert world.kinds() == ["refuse"]
    assert world.store.events("toy")[0].payload["findings"][0]["verdict"] == "fail"
    assert world.controller.state() == RolloutState()
    assert world.store.control("toy").stage == "none"
    world.rooms.selection = gain(0.0, 0.5)
    world.controller.start("v1", "alice")
    assert world.kinds() == ["refuse", "refuse"]


def test_a_start_without_a_criterion_is_refused(tmp_path: Path) -> None:
    limits = settings()
    del limits.promote[0]
    world = World(tmp_path / "log.db", limits)
    assert world.controller.start("v1", "alice") == []
    assert world.kinds() == ["refuse"]
    world.store.close()


def test_a_second_start_is_refused_while_one_runs(canary: World) -> None:
    with pytest.raises(MoveError):
        canary.controller.start("v2", "alice")
    assert canary.controller.state().version == "v1"


@pytest.mark.parametrize("broken", ["size", "days", "delivery", "replay"])
def test_the_shadow_gate_needs_size_and_days_and_delivery_and_replay(tmp_path: Path, broken: str) -> None:
    shadow = {"size": {"min_decisions": 10_000}, "days": {"min_days": 30}}.get(broken, {})
    limits = settings()
    limits = settings(shadow=type(limits.rollout.shadow)(**{"min_decisions": 40, "min_days": 2, **shadow}))
    world = World(tmp_path / "log.db", limits)
    world.rooms.cost = {"v1": 1.95} if broken == "replay" else {}
    world.controller.start("v1", "alice")
    tick = days(world, 12)
    if broken == "delivery":
        world = World(tmp_path / "other.db", limits)
        world.controller.start("v1", "alice")
        world.day(proposals=False)
        tick = days(world, 12)
    assert (tick.state.stage, tick.step) == (Stage.SHADOW, None)
    passed = {gate for gate, verdict in gates(tick).items() if verdict is Verdict.PASS}
    expected = {"size": {"shadow delivery"}, "days": {"shadow delivery"}}
    rest = {"delivery": {"shadow size", "replay cost"}, "replay": {"shadow size", "shadow delivery"}}
    assert passed == (expected | rest)[broken]
    world.store.close()


def test_zero_candidate_decisions_never_pass(canary: World) -> None:
    """The server never asks the candidate: the days go by, the share stays."""
    canary.store.append_event(Event("toy", "note", "test", "", canary.clock.now(), {}), control={"share": 0.0})
    tick = days(canary, 10)
    assert (tick.state.share, tick.step) == (0.2, None)
    assert any("candidate decisions 0 of 4" in reason for reason in tick.blocked_by)
    assert gates(tick)["live equals replay"] is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("more", [{"min_decisions": 500}, {"min_units": 400}, {"min_days": 40}])
def test_the_health_gate_needs_decisions_units_and_days(tmp_path: Path, more: dict[str, int]) -> None:
    bake = Bake(**{"min_decisions": 4, "min_units": 2, "min_days": 2} | more)
    world = at(World(tmp_path / "log.db", settings(bake=bake)), 0.2)
    tick = days(world, 8)
    assert (tick.state.share, tick.step) == (0.2, None)
    assert [finding.gate for finding in tick.gate if finding.verdict is not Verdict.PASS] == ["bake at 20 %"]
    world.store.close()


def test_one_changed_action_fails_the_health_gate_and_holds(canary: World) -> None:
    canary.day(action=2)
    tick = days(canary, 6)
    assert gates(tick)["live equals replay"] is Verdict.FAIL
    assert (tick.state.share, tick.verdict) == (0.2, Verdict.FAIL)
    assert "differ from the replay" in tick.blocked_by[0]


def test_an_explored_action_is_no_difference(canary: World) -> None:
    canary.day(action=2, explored=True)
    assert gates(days(canary, 1))["live equals replay"] is Verdict.PASS


def test_the_live_gate_holds_what_is_not_proven(tmp_path: Path) -> None:
    """45 % dearer than the rule, where 40 % are allowed and no guardrail watches."""
    limits = settings()
    limits.guardrail.clear()
    world = at(World(tmp_path / "log.db", limits), 0.5)
    tick = days(world, 15, learned=signals(cost=1.45))
    assert (tick.state.share, tick.step) == (0.5, None)
    assert [reason.split(":")[0] for reason in tick.blocked_by] == ["live cost"]
    world.store.close()


def test_missing_outcomes_hold_however_cheap_they_look(canary: World) -> None:
    tick = days(canary, 8, learned=signals(cost=0.5), lost=lambda arm, place: arm is Arm.CANDIDATE and place % 2 == 0)
    assert (tick.state.share, tick.step) == (0.2, None)
    assert {reason.split(":")[0] for reason in tick.blocked_by} == {"outcomes", "missing outcomes"}


def test_a_guardrail_that_has_seen_nothing_holds() -> None:
    passed, unseen = Finding("bake", Verdict.PASS, ""), Finding("guardrail cost", Verdict.INCONCLUSIVE, "")
    state = RolloutState(Stage.CANARY, 0.2, "v1")
    assert next_step(state, [unseen], [passed], settings(), START) is None
    step = next_step(state, [passed], [passed], settings(), START)
    assert step is not None
    assert (step.move, step.to) == (Move.PROMOTE, 0.5)
    assert next_step(state, [passed], [], settings(), START) is None


def test_approval_is_asked_for_once_and_given_by_another(world: World) -> None:
    world.controller.start("v1", "alice")
    steps = []
    for _ in range(9):
        world.day()
        steps += [tick.step.move for tick in (world.controller.tick(), world.controller.tick()) if tick.step]
    assert steps == [Move.REQUEST]
    assert world.controller.state().share == 0.0
    for actor in ("controller", "alice", ""):
        with pytest.raises(MoveError):
            world.controller.approve(actor, 0.2, "me")
    with pytest.raises(MoveError):
        world.controller.approve("bob", 0.5, "another share")
    assert world.controller.approve("bob", 0.2, "fine").approved == 0.2
    tick = world.controller.tick()
    assert (tick.state.stage, tick.state.share) == (Stage.CANARY, 0.2)
    assert world.controller.tick().step is None


def test_an_approval_is_no_evidence(world: World) -> None:
    """Approved on Monday, no proposals on Tuesday: the promotion waits."""
    world.controller.start("v1", "alice")
    while (tick := world.controller.tick()).step is None:
        world.day()
    assert tick.step.move is Move.REQUEST
    world.controller.approve("bob", 0.2, "fine")
    world.day(proposals=False)
    assert world.controller.tick().step is None
    assert world.controller.state().share == 0.0


def waiting(world: World) -> None:
    """At 50 %, asked for 100 %, nobody approves."""
    at(world, 0.5)
    while (tick := world.controller.tick()).step is None:
        world.day()
    assert (tick.step.move, tick.state.requested) == (Move.REQUEST, 1.0)


def paused(world: World) -> None:
    at(world, 0.2)
    world.event(Move.PAUSE)


def complete(world: World) -> None:
    at(world, 1.0)
    assert days(world, 3).state.complete


LIVE: dict[str, Callable[[World], object]] = {
    "20 %": lambda world: at(world, 0.2),
    "50 %": lambda world: at(world, 0.5),
    "100 %": lambda world: at(world, 1.0),
    "complete": complete,
    "waiting for approval": waiting,
    "paused": paused,
}


@pytest.mark.parametrize("where", LIVE)
@pytest.mark.parametrize(("harm", "gate"), [(DEAR, "guardrail cost"), (POOR, "guardrail service")])
def test_proven_harm_rolls_back_in_every_live_state(
    world: World, where: str, harm: dict[str, float], gate: str
) -> None:
    LIVE[where](world)
    version = world.controller.state().version
    for _ in range(24):
        world.day(harm)
        tick = world.controller.tick()
        if tick.step is not None and tick.step.move is Move.ROLLBACK:
            break
    assert tick.step is not None
    assert tick.step.reason.startswith(gate)
    control = world.store.control("toy")
    assert (control.stage, control.share, control.version) == ("rolled_back", 0.0, version)
    assert world.controller.tick().step is None


def test_a_paused_rollout_does_not_grow_and_goes_on_when_resumed(canary: World) -> None:
    canary.event(Move.PAUSE)
    tick = days(canary, 6)
    assert (tick.state.share, tick.step, tick.verdict) == (0.2, None, Verdict.PASS)
    canary.event(Move.RESUME)
    assert canary.controller.tick().state.share == 0.5


def test_an_observation_outside_its_bounds_is_an_error_and_holds(canary: World) -> None:
    """A cost of -50 looks like a saving no rule could have made: it is held, and told."""
    tick = days(canary, 8, learned=signals(cost=-50.0))
    assert (tick.state.share, tick.state.stage) == (0.2, Stage.CANARY)
    assert gates(tick)["guardrail cost"] is Verdict.ERROR
    assert any(reason.startswith("guardrail cost") for reason in tick.blocked_by)
    assert tick.verdict is Verdict.ERROR


def test_a_failing_gate_does_not_stop_the_guardrails(world: World) -> None:
    at(world, 0.2)

    def decide(*_: object) -> None:
        raise RuntimeError("no such bundle")

    world.rooms.decide = decide  # type: ignore[method-assign,assignment]
    world.controller = world.again()
    assert gates(days(world, 1))["live equals replay"] is Verdict.ERROR
    assert days(world, 8, learned=DEAR).state.stage is Stage.ROLLED_BACK


def test_a_kill_stops_every_step(canary: World) -> None:
    before = canary.controller.state()
    canary.store.kill("toy", actor="ann", reason="enough", at=canary.clock.now())
    tick = days(canary, 8, learned=DEAR)
    assert (tick.step, tick.state.killed, tick.state.share) == (None, True, before.share)
    with pytest.raises(MoveError):
        canary.controller.approve("bob", 0.5, "go on")
    with pytest.raises(MoveError):
        canary.controller.start("v2", "alice")
    canary.store.restore("toy", actor="bob", reason="looked at it", at=canary.clock.now())
    assert (canary.controller.state().stage, canary.controller.tick().step) == (Stage.ROLLED_BACK, None)
    canary.controller.start("v2", "alice")
    assert canary.controller.state().stage is Stage.SHADOW


def test_a_step_decided_under_an_old_epoch_is_fenced(world: World) -> None:
    world.controller.start("v1", "alice")
    while world.controller.tick().step is None:
        world.day()
    world.controller.approve("bob", 0.2, "fine")

    def kill() -> None:
        world.rooms.before = lambda: None
        world.store.kill("toy", actor="ann", reason="in between", at=world.clock.now())

    world.rooms.before = kill
    with pytest.raises(FencedError):
        world.controller.tick()
    assert world.kinds()[-1] == "kill"
    assert (world.store.control("toy").share, world.controller.state().killed) == (0.0, True)


def test_a_step_judged_on_another_candidates_evidence_is_not_taken(world: World) -> None:
    """While v1 is judged it is rolled back and v2 started: v2 must not be promoted on what v1 has shown."""
    world.controller.start("v1", "alice")
    while world.controller.tick().step is None:
        world.day()
    world.controller.approve("bob", 0.2, "fine")

    def swap() -> None:
        world.rooms.before = lambda: None
        other = world.again()
        other.rollback("ann", "another one first")
        other.start("v2", "alice")

    world.rooms.before = swap
    tick = world.controller.tick()
    assert (tick.step, tick.state.version, tick.state.stage) == (None, "v2", Stage.SHADOW)
    assert world.store.control("toy").share == 0.0


def test_outcomes_that_may_still_come_keep_the_day_open(tmp_path: Path) -> None:
    """The last decisions of a day are of 18:00; with eight hours' wait the day closes at two in the morning."""
    limits = msgspec.structs.replace(settings(), reward_window=RewardWindow(wait="8h"))
    world = World(tmp_path / "log.db", limits)
    world.controller.start("v1", "alice")
    world.day(outcomes=False)
    ledger = world.controller.ledger
    for hours, closed in ((0, 0), (1, 0), (2, 1)):
        world.clock.advance_to(START + DAY + timedelta(hours=hours))
        world.controller.tick()
        ledger = world.controller.ledger
        assert ledger.closed_before == day_of(START) + closed
        late = [row for row in world.store.read_log("toy").decision_id if row.endswith("/18")]
        if hours == 1:
            world.report([(row, signals()) for row in late], world.clock.now())
    assert [(unit.decisions, unit.joined) for unit in ledger.units.values()] == [(2, 1)] * 10
    world.store.close()


def findings(controller: Controller) -> list[str]:
    tick = controller.tick()
    return [str(finding) for finding in (*tick.guardrails, *tick.gate)]


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_a_new_controller_reaches_the_same_state_and_findings(world: World, share: float) -> None:
    at(world, share)
    world.event(Move.PAUSE)
    days(world, 3, learned=signals(cost=1.02))
    again = world.again()
    assert findings(again) == findings(world.controller)
    assert again.state() == world.controller.state()
    assert again.ledger.sequence == world.controller.ledger.sequence


def test_a_second_tick_on_the_same_log_takes_no_second_step(canary: World) -> None:
    while canary.controller.tick().step is None:
        canary.day()
    events = canary.store.events("toy")
    for controller in (canary.controller, canary.again(), canary.again()):
        assert controller.tick().step is None
    assert canary.store.events("toy") == events


def test_a_second_rollout_counts_its_own_units_only(canary: World) -> None:
    days(canary, 1)
    canary.controller.rollback("ann", "another version")
    canary.clock.advance(DAY)
    canary.controller.start("v2", "alice")
    tick = canary.controller.tick()
    assert (tick.gate[0].gate, canary.controller.ledger.units) == ("shadow size", {})
    assert "shadowed decisions 0 of 40" in tick.gate[0].reason
    canary.until(0.2)
    assert {unit.version for unit in canary.controller.ledger.units.values() if unit.is_candidate} <= {"v2"}
    began = canary.controller.state().started_at
    assert began is not None
    assert {unit.day >= day_of(began) for unit in canary.controller.ledger.units.values()} == {True}
    assert "candidate decisions 0 of 4" in canary.controller.tick().blocked_by[0]


def test_rollback_by_hand_needs_one_person_and_a_candidate(canary: World) -> None:
    assert canary.controller.rollback("ann", "a feeling").stage is Stage.ROLLED_BACK
    with pytest.raises(MoveError):
        canary.controller.rollback("ann", "again")


def test_a_salt_from_the_settings_is_kept(world: World) -> None:
    assert world.store.control("toy").salt == "toy"
    world.limits = settings(salt="other")
    assert world.again().store.control("toy").salt == "toy"
