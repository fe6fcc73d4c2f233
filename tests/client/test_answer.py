"""An answer is acted on only while it holds, whatever the clocks of client and server say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tenure.client.answer import Answer, fallback_answer, read_answer, usable_for_s

DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
GOOD = {
    "decision_id": "d", "label": "a", "action": 0, "arm": "candidate", "stage": "full", "version": "v",
    "propensity": 0.5, "confidence": 0.9, "reason": "candidate", "explored": False,
}  # fmt: skip


@pytest.mark.parametrize("years_off", [-20, 0, 20])
def test_a_wrong_clock_of_the_client_changes_nothing(years_off: int) -> None:
    sent_at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=365 * years_off)
    assert usable_for_s("2026-03-01T12:00:30Z", DATE, sent_at) == 28.0


def test_the_slack_for_a_coarse_date_leaves_half_of_a_short_span() -> None:
    assert usable_for_s("2026-03-01T12:00:01Z", DATE, datetime(1999, 1, 1, tzinfo=UTC)) == 0.5


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_without_a_date_the_clients_own_clock_stands_in(date: str | None) -> None:
    assert usable_for_s("2026-03-01T12:00:30Z", date, datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)) == 18.0


def test_on_a_simulated_clock_the_requests_own_moment_counts() -> None:
    found = usable_for_s("2011-10-01T08:00:30Z", DATE, datetime(2026, 3, 1, tzinfo=UTC), "2011-10-01T08:00:00Z")
    assert found == 30.0


def test_it_holds_up_to_its_last_moment_and_no_longer() -> None:
    answer = read_answer(GOOD, usable_until=10.0)
    assert answer.usable_at(10.0)
    assert not answer.usable_at(10.001)
    assert not answer.is_fallback


def test_a_fallback_pretends_nothing_and_holds_for_ever() -> None:
    answer = fallback_answer("d", "a", "unreachable")
    assert answer == Answer("d", "a", None, "fallback", "unknown", "caller", None, None, "unreachable", False, None)
    assert answer.is_fallback
    assert answer.usable_at(1e18)


def test_a_vector_comes_as_a_tuple_and_with_its_density_where_it_was_drawn() -> None:
    drawn = {**GOOD, "action": [0.5, 1], "propensity": None, "density": 0.25}
    assert (read_answer(GOOD, 1.0).action, read_answer(GOOD, 1.0).density) == (0, None)
    found = read_answer(drawn, 1.0)
    assert (found.action, found.propensity, found.density) == ((0.5, 1.0), None, 0.25)


def test_a_callers_own_vector_is_its_action() -> None:
    assert fallback_answer("d", [0.5, 1], "expired").action == (0.5, 1.0)
    assert fallback_answer("d", 1, "expired").action == 1


@pytest.mark.parametrize("bad", [{}, [], None, {**GOOD, "action": "x"}, {**GOOD, "action": None}])
def test_something_else_is_no_answer(bad: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_answer(bad, 1.0)


def test_a_time_that_is_none_is_no_answer_either() -> None:
    with pytest.raises(ValueError, match="soon"):
        usable_for_s("soon", DATE, datetime(2026, 3, 1, tzinfo=UTC))
