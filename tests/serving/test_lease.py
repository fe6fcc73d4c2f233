"""A server answers from memory only as long as its lease, and a dead control plane leaves the incumbent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tenure.core.clock import ManualClock
from tenure.core.decision import Arm
from tenure.core.errors import StoreError
from tenure.serving.lease import Direct, Watched, unknown
from tenure.store import Control

from .conftest import Make
from .toy import NOON, World, who

LEASE_S = 2.0
WAIT_S = 20.0


class Watch:
    """A watched world; polls by hand."""

    def __init__(self, make: Make) -> None:
        self.world = make().at("full", 1.0)
        self.clock = ManualClock(NOON)
        self.seen: list[Control] = []
        self.stopped = False
        self.watched = Watched(
            self.world.store,
            "toy",
            self.clock,
            poll_s=0.001,
            lease_s=LEASE_S,
            stop=lambda: self.stopped,
            seen=self.seen.append,
        )
        self.world.service.standing = self.watched

    def pass_s(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def watch(make: Make) -> Watch:
    return Watch(make)


def test_within_the_lease_the_control_is_trusted_without_reading_the_log(watch: Watch) -> None:
    watch.world.store.away = frozenset({"control"})
    watch.pass_s(LEASE_S)
    control, doubt = watch.watched.control()
    assert (control.stage, control.live_share, doubt) == ("full", 1.0, "")


def test_past_the_lease_only_the_incumbent_may_answer_and_a_look_renews_it(watch: Watch) -> None:
    watch.pass_s(LEASE_S + 0.001)
    assert watch.watched.control()[1] == "lease"
    assert watch.watched.age_s == pytest.approx(LEASE_S + 0.001)
    watch.watched.poll()
    assert watch.watched.control()[1] == ""


def test_the_lease_runs_from_before_the_look(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    read = watch.world.store.control

    def slow(problem: str) -> Control:
        found = read(problem)
        watch.pass_s(LEASE_S + 0.001)  # what was read is that old when it comes
        return found

    monkeypatch.setattr(watch.world.store, "control", slow)
    watch.watched.poll()
    assert watch.watched.control()[1] == "lease"


def test_a_log_that_cannot_be_read_lets_the_lease_run_out_and_decisions_go_on(watch: Watch) -> None:
    assert watch.world.one("d1").arm == "candidate"
    watch.world.store.away = frozenset({"control"})
    watch.pass_s(LEASE_S + 0.001)
    watch.watched.poll()
    assert who(watch.world.one("d2")) == ("a", Arm.FALLBACK, "lease")
    assert watch.world.row("d2").arm is Arm.FALLBACK
    watch.world.store.away = frozenset()
    watch.watched.poll()
    assert watch.world.one("d3").arm == "candidate"


def test_the_cord_stops_the_candidate_before_the_log_is_read_and_releasing_it_lets_it_go_on(watch: Watch) -> None:
    watch.stopped = True
    watch.world.store.away = frozenset({"control"})
    watch.watched.poll()
    assert who(watch.world.one("d1")) == ("a", Arm.FALLBACK, "stop_file")
    watch.stopped, watch.world.store.away = False, frozenset()
    watch.watched.poll()
    assert watch.world.one("d2").arm == "candidate"


def test_a_kill_the_memory_has_not_seen_is_seen_by_the_fence(watch: Watch) -> None:
    watch.world.store.stop()
    assert watch.watched.control()[0].killed is False
    assert who(watch.world.one("d1")) == ("a", Arm.INCUMBENT, "killed")
    assert watch.watched.control()[0].killed is True
    assert watch.world.learned_after_kill() == 0


def test_a_fence_that_cannot_be_looked_behind_is_a_log_that_is_away(watch: Watch) -> None:
    watch.world.store.stop()
    watch.world.store.away = frozenset({"control"})
    assert who(watch.world.one("d1")) == ("a", Arm.FALLBACK, "log_unavailable")


def test_what_is_seen_is_told_at_once_when_the_epoch_moves_and_each_second_otherwise(watch: Watch) -> None:
    watch.watched.poll()
    watch.pass_s(0.999)
    watch.watched.poll()
    assert len(watch.seen) == 1
    watch.pass_s(0.001)
    watch.watched.poll()
    assert len(watch.seen) == 2
    watch.world.store.stop()
    watch.watched.poll()
    assert [control.kill_epoch for control in watch.seen] == [0, 0, 1]


def test_a_report_that_fails_is_made_again_and_stops_no_look(watch: Watch) -> None:
    def broken(_: Control) -> None:
        raise StoreError(expected="a register", found="none", where="here", fix="mend it")

    told, watch.watched._seen = watch.watched._seen, broken
    watch.watched.poll()
    watch.watched._seen = told
    watch.watched.poll()
    assert len(watch.seen) == 1


def test_a_trouble_is_one_line_when_it_begins_and_one_when_it_is_over(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    for away in ("", "control", "control", "control", "", "", "control"):
        watch.world.store.away = frozenset({away})
        watch.watched.poll()
    begins, over, again = (record.getMessage() for record in caplog.records)
    assert begins.startswith("the control row cannot be read or reported: ")
    assert "\n" not in begins
    assert over == "the control row is read and reported again"
    assert again == begins


def test_a_server_cannot_start_without_the_log(make: Make) -> None:
    world = make()
    world.store.away = frozenset({"control"})
    with pytest.raises(StoreError):
        Watched(world.store, "toy", ManualClock(NOON), poll_s=1, lease_s=1)


def threaded(world: World, act: Callable[[], object], **more: Any) -> tuple[Control, str]:
    """What a running watch knows after it has told of an epoch that `act` moved."""
    moved = threading.Event()

    def seen(control: Control) -> None:
        if control.kill_epoch == 1:
            moved.set()

    with Watched(world.store, "toy", world.clock, poll_s=0.001, lease_s=LEASE_S, seen=seen, **more) as watched:
        act()
        assert moved.wait(WAIT_S)
        return watched.control()


def test_a_thread_sees_a_kill(make: Make) -> None:
    world = make().at("full", 1.0)
    control, _ = threaded(world, world.store.stop)
    assert (control.killed, control.live_share) == (True, 0.0)


def test_the_thread_survives_whatever_a_look_raises(make: Make) -> None:
    world = make().at("full", 1.0)
    left = [ZeroDivisionError(), ZeroDivisionError()]

    def stop() -> bool:
        if len(left) == 1:
            raise left.pop()
        left[:-1] = []
        return False

    assert threaded(world, world.store.stop, stop=stop)[0].killed
    assert not left


def test_a_hint_is_waited_for_instead_of_the_time(make: Make) -> None:
    world, waits = make().at("full", 1.0), list[float]()

    def hint(seconds: float) -> None:
        waits.append(seconds)

    assert threaded(world, world.store.stop, hint=hint)[0].killed
    assert set(waits) == {0.001}


def test_direct_reads_each_time_and_keeps_the_last_when_it_cannot(make: Make) -> None:
    world = make().at("canary", 0.5)
    direct = Direct(world.store, "toy")
    world.store.away = frozenset({"control"})
    assert direct.control() == (unknown("toy"), "log_unavailable")
    world.store.away = frozenset()
    assert direct.control()[0].share == 0.5
    world.store.away = frozenset({"control"})
    control, doubt = direct.control()
    assert (control.share, doubt) == (0.5, "log_unavailable")


def test_of_a_log_never_read_nothing_is_given_to_the_candidate() -> None:
    assert unknown("toy").live_share == 0.0
