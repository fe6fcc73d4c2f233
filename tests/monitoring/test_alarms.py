"""Alarms of one hour are one event, and nobody is told twice of one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tenure.monitoring import Alarm, alert_of
from tenure.monitoring.alarms import events_of, moment_of, untold
from tenure.store import Event

AT, DAY = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)
ALARM = Alarm("kpi", "cost", "cost has risen", since=90, hour=100, sure=0.01, todo="look")


def later(hours: int) -> Alarm:
    return replace(ALARM, hour=ALARM.hour + hours)


def test_alarms_of_one_monitor_and_segment_within_the_cool_down_are_one() -> None:
    alarms = [ALARM, later(23), later(24), replace(later(1), segment="service"), replace(later(1), monitor="candidate")]
    assert untold(alarms, [], DAY) == [ALARM, *alarms[2:]]


def test_what_the_log_says_was_told_is_not_told_again_when_it_is_replayed() -> None:
    told = events_of("toy", [ALARM], AT, "nothing")
    assert untold([ALARM, later(-23), later(23)], told, DAY) == []
    assert untold([later(-24)], told, DAY) == [later(-24)]


def test_alarms_of_one_hour_become_one_event_the_surest_first() -> None:
    surer = replace(ALARM, segment="service", what="service has fallen", sure=0.001, since=80)
    (one, other) = events_of("toy", [ALARM, surer, later(5)], AT, "nothing")
    assert one.reason == "service has fallen; cost has risen"
    assert [each["segment"] for each in one.payload["alarms"]] == ["service", "cost"]
    assert (one.payload["since"], one.payload["sure"]) == ("1970-01-04T08:00:00.000000Z", 0.001)
    assert [each["hour"] for each in other.payload["alarms"]] == ["1970-01-05T09:00:00.000000Z"]


def test_of_many_alarms_in_an_hour_four_are_spelt_out_and_all_are_kept() -> None:
    many = [replace(ALARM, segment=f"f{k}", what=f"f{k} moved") for k in range(7)]
    (event,) = events_of("toy", many, AT, "nothing")
    assert event.reason == "f0 moved; f1 moved; f2 moved; f3 moved; and 3 more"
    assert len(event.payload["alarms"]) == 7


def test_people_are_told_since_when_where_how_sure_what_was_done_and_what_is_next() -> None:
    (event,) = events_of("toy", [ALARM], AT, "the candidate keeps its 10 %")
    alert = alert_of(replace(event, sequence=7))
    assert alert is not None
    assert alert.body.splitlines() == [
        "What: a monitor raised an alarm, by monitor: cost has risen",
        "Since: 1970-01-04T18:00:00.000000Z",
        "Where: problem toy, row 7 of its log, segment cost",
        "How sure: with nothing changed, this monitor speaks within 30 days with chance 0.01",
        "Done already: the candidate keeps its 10 %",
        "Do next: `tenure monitor toy`; look",
    ]


def test_what_a_first_look_at_an_old_log_finds_bears_its_own_moment() -> None:
    at = moment_of(100)
    recent, old = replace(ALARM, hour=100 - 24 * 7), replace(ALARM, hour=100 - 24 * 7 - 2)
    assert [event.at for event in events_of("toy", [old, recent], at, "")] == [moment_of(old.hour + 1), at]


def test_a_move_of_the_rollout_shortly_before_is_named_with_the_alarm() -> None:
    def move(kind: str, hour: int) -> Event:
        return Event("toy", kind, "controller", "", moment_of(hour), {})

    moves = [move("start", 60), move("promote", 80), move("kill", 120)]
    (event,) = events_of("toy", [ALARM], AT, "nothing", moves)
    assert event.payload["done"] == "nothing; shortly before, the rollout had a promote at 1970-01-04T08:00:00.000000Z"


def test_an_hour_is_a_moment() -> None:
    assert moment_of(100) == datetime(1970, 1, 5, 4, tzinfo=UTC)
