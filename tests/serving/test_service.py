"""Bad input, idempotence, the fence, and a log that is away."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tenure.core.clock import ManualClock, SystemClock
from tenure.core.decision import Arm, Decision, Kind, Place
from tenure.core.errors import ConflictError, ProblemError, RequestError, StoreError, UnfitError
from tenure.core.problem import Constraint
from tenure.core.spaces import Box
from tenure.serving import Answer, DecisionRequest
from tenure.serving.observation import Reader
from tenure.serving.wire import OutcomeRequest
from tenure.store import Appended, SqliteStore

from .conftest import Make
from .toy import NOON, Fixed, World, problem, request, who

BAD: list[tuple[str, DecisionRequest, str]] = [
    ("unknown feature", DecisionRequest("u", {"x": 1.0, "z": 1.0}), "z"),
    ("unknown feature in place of a default", DecisionRequest("u", {"x": 1.0, "Y": 1.0}), "Y"),
    ("missing feature", DecisionRequest("u", {"y": 1.0}), "'x'"),
    ("not a number", DecisionRequest("u", {"x": float("nan")}), "nan"),
    ("infinity where bounds are open", DecisionRequest("u", {"x": 1.0, "y": float("inf")}), "inf"),
    ("more than float32 holds", DecisionRequest("u", {"x": 1.0, "y": -1e39}), "-1e+39"),
    ("out of bounds", DecisionRequest("u", {"x": 10.5}), "from 0 to 10 (m)"),
    ("short mask", DecisionRequest("u", {"x": 1.0}, mask=[True]), "4 booleans"),
    ("empty mask", DecisionRequest("u", {"x": 1.0}, mask=[]), "4 booleans"),
    ("mask without an action", DecisionRequest("u", {"x": 1.0}, mask=[False] * 4), "0 of them true"),
    ("unknown action", DecisionRequest("u", {"x": 1.0}, incumbent_action="e"), "'e'"),
    ("action beyond the last", DecisionRequest("u", {"x": 1.0}, incumbent_action=4), "index below 4"),
    ("negative action", DecisionRequest("u", {"x": 1.0}, incumbent_action=-1), "-1"),
    ("no time", DecisionRequest("u", {"x": 1.0}, at="noon"), "ISO 8601"),
    ("a time before all times", DecisionRequest("u", {"x": 1.0}, at="0001-01-01T00:00:00+10:00"), "ISO 8601"),
    ("a time after all times", DecisionRequest("u", {"x": 1.0}, at="9999-12-31T23:00:00Z"), "ISO 8601"),
]


@pytest.mark.parametrize(("bad", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_request_is_refused_alone_and_nothing_of_it_is_kept(
    world: World, bad: DecisionRequest, says: str
) -> None:
    first, refused, last = world.ask(request("d1"), bad, request("d2"))
    assert (first.decision_id, last.decision_id) == ("d1", "d2")
    assert isinstance(refused, RequestError)
    assert refused.http_status == 422
    assert says in str(refused)
    assert all(refused.as_dict().values())
    assert (world.count(), world.service.counters["refused"], world.service.counters["answered"]) == (2, 1, 2)
    assert world.clock.now() == NOON


def test_a_refused_request_does_not_move_the_simulated_clock(world: World) -> None:
    world.ask(DecisionRequest("u", {"x": 99.0}, at="2030-01-01T00:00:00Z"))
    assert world.clock.now() == NOON


def test_at_is_refused_by_a_server_on_its_own_clock(make: Make) -> None:
    (answer,) = make(clock=SystemClock()).ask(request(at="2011-10-01T13:00:00Z"))
    assert isinstance(answer, RequestError)
    assert "--simulated-clock" in answer.fix


def test_a_simulated_clock_follows_the_requests_and_outcomes(world: World) -> None:
    world.ask(request("d1", at="2011-10-01T13:00:00Z"))
    assert world.row().decided_at == NOON + timedelta(hours=1)
    world.service.outcomes([OutcomeRequest("o", "d1", {"cost": 1.0}, "2011-10-01T14:00:00Z")])
    assert world.clock.now() == NOON + timedelta(hours=2)


def test_a_simulated_clock_may_begin_with_the_calendar(make: Make) -> None:
    world = make(clock=ManualClock(datetime.min.replace(tzinfo=UTC)))
    world.one()
    assert world.one() is not None
    assert world.row().decided_at.year == 1


def test_a_left_out_feature_takes_its_default_and_is_counted(world: World) -> None:
    assert isinstance(world.ask(DecisionRequest("u", {"x": 2.0}, decision_id="d1"))[0], Answer)
    assert world.service.counters["default_used"] == 1
    world.one("d2")
    assert world.service.counters["default_used"] == 1
    assert world.row("d1").context == {"x": 2.0}
    assert world.row("d1").observation == world.service.reader.observation([[2.0, 1.0]]).tobytes()


def test_a_group_of_only_bad_requests_is_answered(world: World) -> None:
    assert [type(answer) for answer in world.ask(BAD[0][1], BAD[1][1])] == [RequestError, RequestError]
    assert world.ask() == []


def test_a_request_without_id_gets_one(world: World) -> None:
    first, second = world.ask(request(None), request(None))
    assert first.decision_id != second.decision_id
    assert world.row(first.decision_id).action == first.action


def test_ids_of_our_making_stand_in_the_order_of_time(world: World) -> None:
    before = [answer.decision_id for answer in world.ask(request(None), request(None))]
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(timedelta(milliseconds=1))
    after = [answer.decision_id for answer in world.ask(request(None), request(None))]
    assert max(before) < min(after)
    assert {len(name) for name in before + after} == {32}


def test_vectors_without_bounds_are_refused_when_the_service_is_made() -> None:
    with pytest.raises(ProblemError, match="finite bounds"):
        Reader(problem(action=Box(("v",), ("m/s",), (0.0,), (float("inf"),))))


def test_constraints_on_vectors_are_refused_when_the_service_is_made() -> None:
    never = Constraint("never", "for tests", lambda observation: np.zeros((len(observation), 1), dtype=bool))
    with pytest.raises(ProblemError, match=r"they forbid labels; found \['never'\]"):
        Reader(problem((never,), Box(("v",), ("m/s",), (0.0,), (1.0,))))


def test_the_row_holds_what_was_answered(world: World) -> None:
    answer, row = world.one(episode_id="e1", step=3), world.row()
    assert (row.action, row.arm, row.version, row.propensity) == (answer.action, answer.arm, "v1", answer.propensity)
    assert (row.episode_id, row.step, row.unit_id, row.stage, row.kill_epoch) == ("e1", 3, "u1", "full", 0)
    assert answer.valid_until == "2011-10-01T12:00:30.000000Z"
    assert row.latency_us >= 0
    assert world.store.verify("toy").intact


# Idempotence


def test_the_same_request_gets_the_same_answer_and_one_row(world: World) -> None:
    assert world.one() == world.one()
    assert world.count() == 1


def test_the_same_request_twice_in_a_batch_gets_one_row(world: World) -> None:
    first, other, second = world.ask(request("d1"), request("d2"), request("d1"))
    assert first == second
    assert other.decision_id == "d2"
    assert world.count() == 2


def test_the_same_id_with_another_body_conflicts_and_spares_the_others(world: World) -> None:
    world.one("d1")
    conflict, good, within = world.ask(request("d1", x=3.0), request("d2"), request("d2", x=3.0))
    assert isinstance(conflict, ConflictError)
    assert isinstance(within, ConflictError)
    assert conflict.http_status == 409
    assert good.decision_id == "d2"
    assert world.count() == 2
    assert world.service.counters["answered"] == 2


def test_eight_threads_with_one_id_get_one_answer_and_one_row(world: World) -> None:
    found: list[Any] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.extend(world.ask(request("d1"), request("d2")))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(map(who, found))) == 1
    assert world.count() == 2


def corrected(world: World, reason: str) -> None:
    """A retry gives the incumbent's action, in the log once, to every reader."""
    answer = world.one()
    assert (*who(answer), answer.propensity) == ("a", Arm.FALLBACK, reason, None)
    assert who(world.one()) == who(answer)
    assert world.count("corrections") == 1
    assert world.count("learned") == 0
    assert (world.row().action, world.row().arm, world.row().propensity) == (0, Arm.FALLBACK, None)
    assert world.store.read_log("toy").arm == ["fallback"]
    assert world.store.verify("toy").intact


def test_a_retry_after_a_kill_gets_the_incumbents_action_and_one_correction(world: World) -> None:
    assert world.one().arm == "candidate"
    world.store.stop()
    corrected(world, "killed")


def test_a_retry_after_kill_and_restore_is_still_corrected(world: World) -> None:
    world.one()
    world.store.stop()
    world.store.restore("toy", actor="ann", reason="checked", at=NOON)
    corrected(world, "killed")


def test_a_retry_of_a_learned_decision_past_its_age_is_corrected(world: World) -> None:
    world.one()
    world.wait(seconds=30)
    assert world.one().arm == "candidate"
    world.wait(microseconds=1)
    corrected(world, "expired")


def test_a_learned_row_from_the_future_is_of_unknown_age_and_corrected(world: World) -> None:
    world.wait(hours=1)
    world.one()
    world.service.clock = ManualClock(NOON)  # the machine's clock was set back
    assert who(world.one()) == ("a", Arm.FALLBACK, "expired")


def test_the_age_of_an_answer_is_measured_by_a_clock_that_never_jumps(world: World) -> None:
    def jump() -> None:  # the wall clock goes back an hour, while 31 s pass
        assert isinstance(world.clock, ManualClock)
        world.wait(seconds=31)
        world.clock._now -= timedelta(hours=1)
        world.clock._start -= timedelta(hours=1)

    world.store.after_append = jump
    assert who(world.one()) == ("a", Arm.FALLBACK, "expired")


def test_a_late_retry_of_an_incumbents_decision_is_answered_as_before(make: Make) -> None:
    world = make().at("shadow", 0.0)
    first = world.one()
    world.wait(hours=1)
    world.store.stop()
    assert who(world.one()) == who(first)
    assert world.count("corrections") == 0


def test_threads_that_retry_after_a_kill_make_one_correction(world: World) -> None:
    world.one()
    world.store.stop()
    start, found = threading.Barrier(6), []

    def work() -> None:
        start.wait()
        found.append(world.one())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {who(answer) for answer in found} == {("a", Arm.FALLBACK, "killed")}
    assert world.count("corrections") == 1


# The fence


def test_a_kill_while_the_candidate_thinks_leaves_the_answer_to_the_incumbent(make: Make) -> None:
    world = make(candidate=Fixed()).at("full", 1.0)
    world.candidate.before = world.store.stop
    found = world.ask(request("d1"), request("d2"))
    assert [who(answer) for answer in found] == [("a", Arm.INCUMBENT, "killed")] * 2
    assert (world.learned_after_kill(), world.count(), world.count("corrections")) == (0, 2, 0)


def test_a_kill_between_writing_and_answering_is_corrected(world: World) -> None:
    world.store.after_append = world.store.stop
    answer = world.one()
    world.store.after_append = lambda: None
    assert who(answer) == ("a", Arm.FALLBACK, "killed")
    corrected(world, "killed")


def test_an_answer_that_took_longer_than_its_validity_is_corrected(world: World) -> None:
    world.store.after_append = lambda: world.wait(seconds=31)
    assert who(world.one()) == ("a", Arm.FALLBACK, "expired")


def test_an_answer_is_valid_from_before_the_last_check_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    look = world.store.still_stands

    def frozen(name: str, epoch: int, sequence: int) -> bool:
        stands = look(name, epoch, sequence)
        world.wait(minutes=10)
        return stands

    monkeypatch.setattr(world.store, "still_stands", frozen)
    assert world.one().valid_until == "2011-10-01T12:00:30.000000Z"


def test_what_another_server_corrected_before_it_was_answered_is_answered_so(world: World) -> None:
    def elsewhere() -> None:
        world.store.append_correction(
            "toy", "d1", action=0, arm=Arm.FALLBACK, propensity=None, reason="expired", at=NOON
        )

    world.store.after_append = elsewhere
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "expired")


def test_after_a_kill_the_incumbent_answers_until_a_person_restores(world: World) -> None:
    world.store.stop()
    assert who(world.one("d1")) == ("a", Arm.INCUMBENT, "killed")
    world.store.restore("toy", actor="ann", reason="checked", at=NOON)
    assert who(world.one("d2")) == ("a", Arm.INCUMBENT, "rolled_back")


# The log away


def test_where_the_log_cannot_be_read_the_incumbent_answers_and_is_logged(world: World) -> None:
    assert world.one("d0").arm == "candidate"
    world.store.away = frozenset({"control"})
    answer = world.one("d1")
    assert (*who(answer), answer.propensity) == ("a", Arm.FALLBACK, "log_unavailable", 1.0)
    assert world.row("d1").arm is Arm.FALLBACK
    assert world.service.counters["unlogged"] == 0


def test_without_a_log_the_incumbent_answers_and_its_row_comes_later(world: World) -> None:
    world.store.away = frozenset({"append_decisions"})
    good, bad = world.ask(request("d1"), BAD[0][1])
    assert (*who(good), good.propensity) == ("a", Arm.FALLBACK, "log_unavailable", 1.0)
    assert isinstance(bad, RequestError)
    assert world.service.counters["unlogged"] == 1  # this spool is memory
    assert world.count() == 0
    world.store.away = frozenset()
    assert world.one("d2").arm == "candidate"
    assert len(world.service.away.spool) == 0
    assert world.count() == 2
    assert (world.row("d1").arm, world.row("d1").reason) == (Arm.FALLBACK, "log_unavailable")


def test_without_a_log_the_same_id_gets_the_same_answer_and_another_body_409(world: World) -> None:
    world.store.away = frozenset({"append_decisions"})
    first, again, other = world.ask(request("d1"), request("d1"), request("d1", x=3.0))
    assert who(first) == who(again)
    assert isinstance(other, ConflictError)
    world.store.away = frozenset()
    assert who(world.one("d1")) == who(first)
    assert world.count() == 1


def test_all_that_waits_is_moved_before_one_of_its_ids_is_answered_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.serving.away.DRAINED_AT_ONCE", 1)
    world.store.away = frozenset({"append_decisions"})
    world.ask(request("d1"), request("d2"), request("d3"))
    world.store.away = frozenset()
    assert world.one("d3").reason == "log_unavailable"
    assert world.count() == 3


@pytest.mark.parametrize(("took_s", "rests_s"), [(0.1, 1.0), (0.4, 4.0), (2.0, 5.0)])
def test_a_log_that_took_long_to_fail_is_left_alone_for_ten_times_as_long_but_five_seconds_at_most(
    world: World, took_s: float, rests_s: float
) -> None:
    world.store.away = frozenset({"append_decisions"})
    world.store.before_append = lambda: world.wait(seconds=took_s)
    world.one("d1")
    world.store.before_append = lambda: None
    world.store.away = frozenset()
    world.wait(seconds=rests_s - 0.01)
    assert world.one("d2").reason == "log_unavailable"
    world.wait(seconds=0.02)
    assert world.one("d3").arm == "candidate"
    assert world.count() == 3


def test_a_log_lost_after_writing_is_corrected_when_it_is_back(world: World) -> None:
    world.store.away = frozenset({"kill_epoch"})
    assert who(world.one("d1")) == ("a", Arm.FALLBACK, "log_unavailable")
    assert world.row("d1").arm is Arm.CANDIDATE
    world.store.away = frozenset()
    world.one("d2")
    assert (world.row("d1").arm, world.row("d1").reason) == (Arm.FALLBACK, "log_unavailable")
    assert world.one("d1").reason == "log_unavailable"
    assert (world.count("corrections"), len(world.service.away.spool)) == (1, 0)


def test_another_body_answered_without_the_log_corrects_nothing(world: World) -> None:
    world.one("d1")
    world.store.away = frozenset({"append_decisions"})
    world.one("d1", x=3.0)
    world.store.away = frozenset()
    world.one("d2")
    assert world.row("d1").arm is Arm.CANDIDATE


# Outcomes


def test_an_outcome_without_its_decision_is_kept_with_a_note(world: World) -> None:
    (receipt,) = world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": 1.0})])
    assert (receipt.status, receipt.place) == ("created", "orphan")
    assert receipt.note
    world.one()
    assert world.count("early") == 1


def test_an_outcome_log_that_is_away_says_so(world: World) -> None:
    world.store.close()
    with pytest.raises(StoreError):
        world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": 1.0})])


@pytest.mark.parametrize("cost", [-1.0, 100.5])
def test_an_outcome_beyond_the_declared_bounds_is_kept_aside_and_not_counted(world: World, cost: float) -> None:
    world.ask(request("d1"))
    (receipt,) = world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": cost})])
    assert receipt.place is Place.QUARANTINE
    assert "declared bounds" in receipt.note


@pytest.mark.parametrize("word", ["killed", "expired"])
@pytest.mark.parametrize("cost", [1.0, 101.0])
def test_what_was_acted_on_is_not_taken_back_when_it_is_asked_for_again(world: World, word: str, cost: float) -> None:
    world.one()
    world.service.outcomes([OutcomeRequest("o1", "d1", {"cost": cost})])
    if word == "killed":
        world.store.stop()
    else:
        world.wait(seconds=31)
    (again,) = world.service.decide([request()])
    assert isinstance(again, ConflictError)
    assert word in again.found
    assert (world.row().arm, world.row().action, world.count("corrections")) == (Arm.CANDIDATE, 1, 0)


def test_a_decision_known_to_have_no_outcome_may_still_be_taken_back(world: World) -> None:
    world.one()
    world.service.outcomes([OutcomeRequest("o1", "d1", kind=Kind.LOST)])
    world.store.stop()
    corrected(world, "killed")


def test_only_what_the_log_cannot_keep_is_refused(world: World) -> None:
    def picky(rows: Sequence[Decision], *rest: Any) -> Appended:
        if any(row.decision_id == "bad" for row in rows):
            raise UnfitError(expected="x", found="a NUL", where="x", fix="x")
        return SqliteStore.append_decisions(world.store, rows, *rest)

    world.store.append_decisions = picky  # type: ignore[assignment, method-assign]
    good, bad, other = world.service.decide([request(), request("bad"), request("d2")])
    assert isinstance(bad, UnfitError)
    assert {type(good), type(other)} == {Answer}
    assert world.count("decisions") == 2
