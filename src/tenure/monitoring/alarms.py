"""An alarm of a monitor, the event it becomes, and which alarms are one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tenure.core.clock import from_text, to_text
from tenure.store.records import Event

ALARM = "alarm"
"""Kind of the event that alarms become."""
ACTOR = "monitor"
NAMED = 4
"""Alarms of one moment that are spelt out; the others are in the event's payload."""

STALE = timedelta(days=7)
"""After which an alarm is history; a week, so that one raised while nothing looked for some days is still told."""
NEAR = timedelta(days=1)
"""How long before an alarm's beginning a move of the rollout may be its cause."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Alarm:
    """What a monitor found.

    Args:
        monitor: which one.
        segment: of what: a KPI, a feature, a group.
        what: one sentence with the figures.
        since: hour in which it seems to have begun, hours since 1970-01-01 UTC.
        hour: hour whose end raised it.
        sure: chance that nothing had changed and the monitor would have spoken all the same, in (0, 1], within 30 days.
        todo: what to do next.
    """

    monitor: str
    segment: str
    what: str
    since: int
    hour: int
    sure: float
    todo: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, with moments as text."""
        return {**asdict(self), "since": to_text(moment_of(self.since)), "hour": to_text(moment_of(self.hour))}


def moment_of(hour: int) -> datetime:
    """The moment an hour begins, UTC.

    >>> moment_of(24).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return _EPOCH + timedelta(hours=hour)


def untold(alarms: Iterable[Alarm], told: Sequence[Event], cool_down: timedelta) -> list[Alarm]:
    """Alarms nobody has been told of: of one monitor and segment within the cool-down only the first counts.

    Replaying the log raises the same alarms again, which are then found among those that were told.
    """
    last: dict[tuple[str, str], list[datetime]] = {}
    for event in told:
        for each in event.payload["alarms"]:
            last.setdefault((each["monitor"], each["segment"]), []).append(from_text(each["hour"]))
    new = []
    for alarm in alarms:
        at, known = moment_of(alarm.hour), last.setdefault((alarm.monitor, alarm.segment), [])
        if not any(abs(at - other) < cool_down for other in known):
            new.append(alarm)
            known.append(at)
    return new


def events_of(
    problem: str, alarms: Sequence[Alarm], at: datetime, done: str, moves: Sequence[Event] = ()
) -> list[Event]:
    """One event for the alarms of each hour, in their order.

    What a first look at an old log finds is history: its events bear their own moment, so that nobody is called.

    Args:
        problem: name of the problem.
        alarms: none of which has been told.
        at: the present moment, UTC.
        done: what the system has done about it already.
        moves: of the rollout; one shortly before an alarm is named with it, since it may be the cause.
    """
    groups: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        groups.setdefault(alarm.hour, []).append(alarm)
    return [
        _event(problem, groups[hour], _told_at(hour, at), done + _before(groups[hour], moves))
        for hour in sorted(groups)
    ]


def _told_at(hour: int, now: datetime) -> datetime:
    found = moment_of(hour + 1)
    return found if now - found > STALE else now


def _before(alarms: Sequence[Alarm], moves: Sequence[Event]) -> str:
    first, last = min(alarm.since for alarm in alarms), max(alarm.hour for alarm in alarms)
    near = [move for move in moves if moment_of(first) - NEAR <= move.at <= moment_of(last + 1)]
    return "".join(f"; shortly before, the rollout had a {move.kind} at {to_text(move.at)}" for move in near[-2:])


def _event(problem: str, alarms: Sequence[Alarm], at: datetime, done: str) -> Event:
    ordered = sorted(alarms, key=lambda alarm: alarm.sure)
    more = f"; and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    first = ordered[0]
    payload: Mapping[str, Any] = {
        "alarms": [alarm.as_dict() for alarm in ordered],
        "since": to_text(moment_of(min(alarm.since for alarm in ordered))),
        "segment": first.segment,
        "sure": first.sure,
        "done": done,
        "todo": first.todo,
    }
    return Event(problem, ALARM, ACTOR, "; ".join(alarm.what for alarm in ordered[:NAMED]) + more, at, payload)
