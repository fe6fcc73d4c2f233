"""People are told what they must know at once, in words that say what to do, and of nothing else."""

from __future__ import annotations

import pytest

from tenure.monitoring import TOLD, alert_of

from .world import event

TESTED_LINES = ("What:", "Since:", "Where:", "How sure:", "Done already:", "Do next:")


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_every_kind_people_are_told_of_says_what_since_where_how_sure_done_and_next(kind: str) -> None:
    alert = alert_of(event(kind))
    assert alert is not None
    lines = alert.body.splitlines()
    assert [line.split(" ")[0] for line in lines if line.startswith(("What", "Since", "Where"))] == list(
        TESTED_LINES[:3]
    )
    assert all(line.startswith(start) for line, start in zip(lines, TESTED_LINES, strict=True))
    assert "{" not in alert.body
    assert (alert.problem, alert.sequence, alert.kind) == ("toy", 7, kind)


@pytest.mark.parametrize("kind", ["correction", "note", "alert_test", "alert_ack", "token", "approve", "unheard_of"])
def test_of_everything_else_nobody_is_told(kind: str) -> None:
    assert alert_of(event(kind)) is None


def test_a_drill_is_told_only_when_it_failed() -> None:
    assert alert_of(event("drill", passed=True)) is None
    failed = alert_of(event("drill", passed=False))
    assert failed is not None
    assert failed.urgency == "failure"


def test_a_stop_by_a_breaker_is_told_apart_from_one_by_a_person() -> None:
    person = alert_of(event("kill"))
    breaker = alert_of(event("kill", actor="breaker:slippage", reason="0.0016 above 0.0015, 6 in a row"))
    assert person is not None
    assert breaker is not None
    assert "breaker" in breaker.title
    assert "breaker" not in person.title
    assert "counted in the log" in breaker.body
    assert "0.0016 above 0.0015" in breaker.body


def test_how_sure_a_rollback_is_depends_on_who_did_it() -> None:
    by_test, by_hand = alert_of(event("rollback", actor="controller")), alert_of(event("rollback", actor="bob"))
    assert by_test is not None
    assert by_hand is not None
    assert "sequential test" in by_test.body
    assert "a person did it" in by_hand.body


def test_it_names_version_and_share_where_the_event_does() -> None:
    alert = alert_of(event("request", version="abc", to=0.1))
    assert alert is not None
    assert "Where: problem toy, row 7 of its log, version abc, to 0.1" in alert.body


def test_a_reason_of_several_lines_stays_one_line_and_is_cut() -> None:
    alert = alert_of(event("refuse", reason="a\nDo next: nothing\n" + "x" * 1000))
    assert alert is not None
    assert len(alert.body.splitlines()) == 6
    assert "..." in alert.body
