"""No alert is lost, none is in the outbox twice, one that fails comes again until it expires."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tenure.core.errors import SettingsError, StoreError
from tenure.monitoring import Courier, CourierThread, Round
from tenure.monitoring.courier import LEASE, pause_after

from .world import NOON, World


def test_an_event_reaches_every_channel_once(world: World) -> None:
    both = world.another({"ops": "file:///x", "risk": "file:///y"})
    world.happens("kill")
    assert both.step() == Round(2, 0, 0)
    assert both.step() == Round(0, 0, 0)
    assert [address for address, _ in world.sent.calls] == ["file:///x", "file:///y"]


def test_a_courier_that_starts_anew_neither_repeats_nor_misses(world: World) -> None:
    world.happens("kill")
    world.courier.step()
    world.happens("restore")
    world.another().step()
    assert [title for _, title in world.sent.calls] == [
        "toy: the learned policy was stopped",
        "toy: a kill was lifted",
    ]


def test_an_alert_claimed_by_one_replica_is_not_sent_by_another(world: World) -> None:
    world.happens("kill")
    other = world.another()
    world.sent.before = lambda: assert_nothing(other)
    assert world.courier.step().delivered == 1
    assert len(world.sent.calls) == 1


def assert_nothing(courier: Courier) -> None:
    assert courier.step() == Round(0, 0, 0)


def test_two_replicas_that_see_the_same_due_row_do_not_both_get_it(world: World) -> None:
    world.happens("kill")
    world.courier._fill(NOON - timedelta(days=1))
    first = world.courier.outbox.claim("toy", NOON, NOON + LEASE)
    assert len(first) == 1
    assert world.courier.outbox.claim("toy", NOON, NOON + LEASE) == []
    assert len(world.courier.outbox.claim("toy", NOON + LEASE, NOON + 2 * LEASE)) == 1


def test_a_process_that_dies_while_sending_leaves_the_alert_to_the_next(world: World) -> None:
    world.happens("kill")

    class DiedError(BaseException):
        pass

    def die() -> None:
        raise DiedError

    world.sent.before = die
    with pytest.raises(DiedError):
        world.courier.step()
    world.sent.before = lambda: None
    assert world.another().step().delivered == 0
    world.wait(seconds=LEASE.total_seconds())
    assert world.another().step().delivered == 1


def test_a_failed_attempt_comes_again_after_a_pause_that_doubles(world: World) -> None:
    world.happens("kill")
    world.sent.broken = True
    assert world.courier.step() == Round(0, 1, 0)
    world.wait(seconds=4.9)
    assert world.courier.step() == Round(0, 0, 0)
    world.wait(seconds=0.1)
    assert world.courier.step() == Round(0, 1, 0)
    world.wait(seconds=9.9)
    assert world.courier.step() == Round(0, 0, 0)
    world.sent.broken = False
    world.wait(seconds=0.1)
    assert world.courier.step() == Round(1, 0, 0)
    assert world.statuses() == [("ops", "delivered", 3)]


def test_the_pause_has_a_longest() -> None:
    assert pause_after(10_000) == timedelta(minutes=15)


def test_an_alert_that_never_gets_through_expires_and_stays_visible(world: World) -> None:
    world.happens("kill")
    world.sent.broken = True
    world.courier.step()
    world.wait(hours=24, seconds=1)
    assert world.courier.step() == Round(0, 0, 1)
    assert world.statuses() == [("ops", "expired", 1)]
    assert world.courier.outbox.oldest_waiting("toy") is None


def test_what_happened_long_before_a_channel_is_not_told(world: World) -> None:
    world.happens("kill")
    world.wait(days=2)
    world.happens("restore")
    assert world.another({"new": "file:///z"}).step().delivered == 1


def test_the_health_of_a_channel_counts_failures_since_its_last_success(world: World) -> None:
    (unused,) = world.courier.health()
    assert (unused.last_success, unused.failures, unused.error) == (None, 0, None)
    world.happens("kill")
    world.courier.step()
    world.wait(minutes=1)
    world.sent.broken = True
    world.happens("restore")
    world.courier.step()
    world.wait(minutes=1)
    world.courier.step()
    (health,) = world.courier.health()
    assert (health.last_success, health.failures) == (NOON, 2)
    assert health.error is not None
    assert "mend it" in health.error


def test_words_of_a_foreign_sender_are_not_kept_because_they_may_hold_the_address(world: World) -> None:
    world.happens("kill")

    def leak() -> None:
        raise RuntimeError("cannot reach slack://secret")

    world.sent.before = leak
    world.courier.step()
    (row,) = world.courier.outbox.all("toy")
    assert row.error == "RuntimeError"


def test_without_channels_nothing_is_put_in_and_nothing_fails(world: World) -> None:
    world.happens("kill")
    assert world.another({}).step() == Round(0, 0, 0)
    assert world.statuses() == []


def test_a_test_alert_goes_the_real_way_and_is_recorded(world: World) -> None:
    good = world.courier.test("ops", "ann")
    world.sent.broken = True
    bad = world.courier.test("ops", "ann")
    assert (good.kind, good.payload) == ("alert_test", {"channel": "ops", "delivered": True, "error": None})
    assert bad.payload["delivered"] is False
    assert "mend it" in bad.payload["error"]
    assert [e.sequence for e in world.store.events("toy")] == [1, 2]
    assert len(world.sent.calls) == 1


def test_a_test_alert_moves_no_rollout(world: World) -> None:
    world.courier.test("ops", "ann")
    world.store.append_event(world.store.events("toy")[0], expect_last_event=0)


def test_a_test_of_an_unknown_channel_is_refused_before_anything_is_sent(world: World) -> None:
    with pytest.raises(SettingsError, match="ops"):
        world.courier.test("nobody", "ann")
    assert world.store.events("toy") == []


def test_a_channel_whose_secret_is_missing_fails_like_any_other(world: World) -> None:
    world.happens("kill")
    courier = world.another({"ops": "slack://$MISSING"})
    assert courier.step().failed == 1
    (row,) = courier.outbox.all("toy")
    assert row.error is not None
    assert "MISSING" in row.error


def test_the_thread_delivers_and_lives_through_a_log_that_is_away(world: World) -> None:
    delivered, failed = threading.Event(), threading.Event()
    real = world.courier.step

    def step() -> Round:
        if not failed.is_set():
            failed.set()
            raise StoreError(expected="a log", found="none", where="here", fix="wait")
        found = real()
        delivered.set()
        return found

    world.courier.step = step  # type: ignore[method-assign]
    world.happens("kill")
    thread = CourierThread(world.courier, every_s=0.001)
    assert delivered.wait(10)
    thread.close()
    assert thread.failures == 1
    assert len(world.sent.calls) == 1
