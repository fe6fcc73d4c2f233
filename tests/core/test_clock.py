"""Clocks: UTC, never backwards, and text whose order is the order of time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.core.clock import ManualClock, SystemClock, as_utc, from_text, to_text
from tenure.core.errors import RequestError

NOON = datetime(2011, 10, 1, 12, tzinfo=UTC)
MOMENTS = st.datetimes(
    max_value=datetime(8999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def test_the_system_clock_knows_its_zone_and_never_runs_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(NOON)
    clock.advance(timedelta(seconds=90))
    assert clock.now() == NOON + timedelta(seconds=90)
    assert clock.monotonic() == 90.0


def test_a_manual_clock_never_runs_back() -> None:
    clock = ManualClock(NOON)
    clock.advance_to(NOON + timedelta(hours=1))
    clock.advance_to(NOON)
    assert clock.now() == NOON + timedelta(hours=1)
    with pytest.raises(ValueError, match="moved back"):
        clock.advance(timedelta(seconds=-1))


def test_threads_that_move_a_clock_leave_it_at_the_latest() -> None:
    clock = ManualClock(NOON)

    def work(thread: int) -> None:
        for number in range(500):
            clock.advance_to(NOON + timedelta(seconds=number * 8 + thread))

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now() == NOON + timedelta(seconds=499 * 8 + 7)


def test_a_moment_without_zone_is_utc_and_others_are_turned() -> None:
    assert as_utc(NOON.replace(tzinfo=None)) == NOON
    east = timezone(timedelta(hours=2))
    assert as_utc(datetime(2011, 10, 1, 14, tzinfo=east)) == NOON
    assert as_utc(datetime(2011, 10, 1, 14, tzinfo=east)).tzinfo is UTC
    assert as_utc(NOON) is NOON


def test_text_is_fixed_width_even_for_early_years() -> None:
    assert to_text(NOON) == "2011-10-01T12:00:00.000000Z"
    assert to_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


@given(MOMENTS, MOMENTS)
def test_text_keeps_the_moment_and_its_order(one: datetime, two: datetime) -> None:
    assert from_text(to_text(one)) == one
    assert (to_text(one) < to_text(two)) == (one < two)


@pytest.mark.parametrize("text", ["2011-10-01T14:00:00+02:00", "2011-10-01 12:00", "20111001T120000Z"])
def test_other_forms_of_iso_8601_are_read(text: str) -> None:
    assert from_text(text) == NOON


@pytest.mark.parametrize(
    "text", ["", "noon", "2011-13-01", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "9000-01-01T00:00:00Z"]
)
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="2011-10-01T08:00:00Z"):
        from_text(text)
