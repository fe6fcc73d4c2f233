"""What is told of a bridge's incidents: nothing where nothing went wrong."""

from __future__ import annotations

from tenure.simulators.incidents import incidents_of, sentence_of

from .worlds import Shop


def test_worlds_led_back_without_a_restart_or_a_stray_are_no_incident() -> None:
    assert sentence_of({"restarts": 0, "led_back": 7, "strayed": 0}) == ""
    assert "1 restarts of its process" in sentence_of({"restarts": 1, "led_back": 0, "strayed": 0})


def test_strayed_worlds_are_told_with_what_they_mean() -> None:
    told = sentence_of({"restarts": 0, "led_back": 2, "strayed": 2})
    assert told.endswith("2 worlds that strayed; the seed of such worlds does not decide them")


def test_a_simulator_that_counts_nothing_has_none() -> None:
    assert incidents_of(Shop()) == {}
    assert sentence_of({}) == ""
