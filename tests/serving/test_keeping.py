"""What a server does beside answering: duties that cannot end each other, and a line for what is notable."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from tenure.serving.keeping import Keeper, Sight, notable
from tenure.serving.lease import unknown

from .toy import World

CALM = Sight(unknown("toy"), "", {"answered": 3}, {})


def told(**changes: Any) -> list[tuple[int, str, dict[str, object]]]:
    return [(line.level, line.message, dict(line.fields)) for line in notable(CALM, CALM._replace(**changes))]


def test_nothing_notable_is_told_of_ordinary_seconds() -> None:
    assert told() == []
    assert told(counters={"answered": 900, "default_used": 3}) == []


def test_a_kill_that_is_seen_is_told_with_its_epoch() -> None:
    (line,) = told(control=replace(CALM.control, kill_epoch=3, killed=True))
    assert line == (logging.WARNING, "a kill is seen", {"epoch": 3, "killed": True, "cap": 1.0})


def test_a_breakers_trip_or_a_restore_moves_the_epoch_and_is_told() -> None:
    (line,) = told(control=replace(CALM.control, kill_epoch=3, cap=0.0))
    assert line == (logging.INFO, "the kill epoch has moved", {"epoch": 3, "killed": False, "cap": 0.0})


def test_doubt_is_told_when_it_comes_and_when_it_goes() -> None:
    (came,) = told(doubt="lease")
    assert came[1:] == ("only the incumbent answers", {"why": "lease"})
    (went,) = notable(CALM._replace(doubt="lease"), CALM)
    assert (went.message, went.fields) == ("the log is trusted again", {"why": "lease"})


def test_fallbacks_refusals_and_lost_rows_are_told_by_how_many_are_new() -> None:
    before = CALM._replace(failures={"deadline": 2}, counters={"refused": 1})
    after = CALM._replace(failures={"deadline": 5, "policy_error": 1}, counters={"refused": 3, "shadow_lost": 4})
    assert [(line.message, line.fields) for line in notable(before, after)] == [
        ("the incumbent stood in for the candidate", {"deadline": 3, "policy_error": 1}),
        ("requests were refused", {"refused": 2}),
        ("rows did not go to the log", {"shadow_lost": 4}),
    ]


def test_a_duty_that_fails_ends_neither_the_others_nor_itself(world: World, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def failing() -> None:
        done.append("failing")
        raise OSError("away")

    keeper = Keeper(world.service, [failing, lambda: done.append("next")])
    with caplog.at_level(logging.INFO, "tenure.serving"):
        keeper.round()
        keeper.round()
    assert done == ["failing", "next"] * 2
    assert "away" in caplog.text


def test_what_happened_in_a_round_is_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper(world.service, [])
    world.store.stop()
    with caplog.at_level(logging.INFO, "tenure.serving"):
        keeper.round()
        keeper.round()
    assert [record.message for record in caplog.records] == ["a kill is seen"]


def test_it_keeps_on_until_it_is_closed(world: World) -> None:
    import threading

    rounds = threading.Semaphore(0)
    with Keeper(world.service, [rounds.release], every_s=0.001):
        assert all(rounds.acquire(timeout=10) for _ in range(3))
