"""Which events people are told of, and in which words: a pure function of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from tenure.core.clock import to_text
from tenure.monitoring.alarms import ALARM
from tenure.store.records import Event

Urgency = Literal["info", "warning", "failure"]
BREAKER = "breaker:"
"""How the actor of a stop begins that no person made."""
LONGEST_REASON = 600
"""Characters of an event's reason that travel; the whole of it is in the log."""


@dataclass(frozen=True)
class Alert:
    """What people are told.

    Args:
        problem: name of the problem.
        sequence: number of the event in the log; an alert has no other identity.
        kind: of the event.
        at: when it happened, UTC.
        urgency: info, warning or failure.
        title: one line.
        body: what, since when, where, how sure, what was done already, what to do next; one line each.
    """

    problem: str
    sequence: int
    kind: str
    at: datetime
    urgency: Urgency
    title: str
    body: str


class Words(NamedTuple):
    """How one kind of event is told: urgency, what happened, how sure, what the system did, what to do next."""

    urgency: Urgency
    what: str
    sure: str
    done: str
    todo: str


_PERSON = "certain: a person did it"
_TEST = "a sequential test that may be looked at often; its figures are in the reason"
_COUNTED = "certain: counted in the log, not estimated"
_INCUMBENT = "the incumbent answers every decision"

TOLD: Mapping[str, Words] = {
    "kill": Words(
        "failure",
        "the learned policy was stopped",
        _PERSON,
        f"{_INCUMBENT}; nothing learned can be recorded any more",
        "see which replicas confirmed (tenure kill prints them); `tenure restore {problem} --reason "
        '"WHY"` once the cause is known',
    ),
    "trip": Words(
        "failure",
        "a breaker opened",
        _COUNTED,
        f"{_INCUMBENT} while it is open; it lets a small share through by itself later",
        'look at the decisions it names with `tenure why`; `tenure kill {problem} --reason "WHY"` stops for good',
    ),
    "half_open": Words(
        "warning",
        "a breaker lets a small share of the traffic through again, on trial",
        _COUNTED,
        "it closes after enough good decisions and opens again on a bad one",
        'watch it; `tenure kill {problem} --reason "WHY"` stops for good',
    ),
    "close": Words("info", "a breaker closed again", _COUNTED, "the learned policy has its share back", "nothing"),
    "rollback": Words(
        "failure",
        "the rollout was rolled back",
        _TEST,
        f"share 0: {_INCUMBENT}",
        "read the reason; a candidate begins again with `tenure rollout start {problem} --version "
        'VERSION --reason "WHY"`',
    ),
    "abort": Words("warning", "the rollout was aborted", _PERSON, f"share 0: {_INCUMBENT}", "nothing"),
    "request": Words(
        "warning",
        "a larger share waits for a person's approval",
        _TEST,
        "the share stays as it is until somebody answers; guardrails go on",
        '`tenure rollout approve {problem} --reason "WHY"` or `tenure rollout reject {problem} '
        '--reason "WHY"`, by another than who asked',
    ),
    "pending_waits": Words(
        "warning",
        "decisions wait for a person",
        _COUNTED,
        "the incumbent answered them; what was proposed instead is done only once a person approves it in time",
        "`tenure approvals list {problem}`, then `approve` or `reject` each, or press the button on the page",
    ),
    "expire": Words(
        "warning", "a request for approval expired", "certain: nobody answered in time", "the share stays", "nothing"
    ),
    "reject": Words("info", "a request for approval was rejected", _PERSON, "the share stays as it is", "nothing"),
    "refuse": Words(
        "warning",
        "a candidate was refused entry",
        "the gates' findings are in the reason",
        "nothing has changed",
        "train again, or mend what the reason names",
    ),
    "start": Words("info", "a candidate began in shadow", _PERSON, "it proposes and does not act", "nothing"),
    "promote": Words(
        "info",
        "the candidate's share grew",
        _TEST,
        "guardrails and breakers watch it",
        "`tenure rollout status {problem}`",
    ),
    "complete": Words("info", "the rollout is complete", _TEST, "guardrails and breakers stay on", "nothing"),
    "restore": Words(
        "warning",
        "a kill was lifted",
        _PERSON,
        f"{_INCUMBENT}; a candidate starts again from the beginning",
        'nothing, unless this was not meant: then `tenure kill {problem} --reason "WHY"`',
    ),
    "explore": Words("warning", "live exploration was changed", _COUNTED, "the model stays as it is", "nothing"),
    "forget": Words("info", "a unit was erased on request", _PERSON, "the audit chain stays intact", "nothing"),
    "alarm": Words(
        "warning",
        "a monitor raised an alarm",
        "a monitor under the budget of false alarms",
        "nothing was changed",
        "`tenure monitor {problem}`; docs/runbook.md, section 'A monitor raised an alarm'",
    ),
    "drill": Words(
        "failure",
        "the kill drill failed",
        "measured on a copy, no live decision was touched",
        "nothing leaves shadow until a drill passes",
        "run `tenure drill {problem}` by hand and read what it says",
    ),
}
"""Kinds of events people are told of; a drill only when it failed."""

_BY_BREAKER = Words(
    "failure",
    "a breaker stopped the learned policy",
    _COUNTED,
    f"{_INCUMBENT}; nothing learned can be recorded any more",
    'look at the last decisions with `tenure why`; only a person lifts it: `tenure restore {problem} --reason "WHY"`',
)
_BY_HAND = {"rollback": _PERSON, "promote": _PERSON, "explore": _PERSON}
_PAYLOAD = ("version", "to", "share", "rule", "breaker", "segment")


def alert_of(event: Event) -> Alert | None:
    """What people are told of an event; None where it is nobody's business at once."""
    words = _words(event)
    if words is None or (event.kind == "drill" and event.payload.get("passed")):
        return None
    return Alert(
        problem=event.problem,
        sequence=event.sequence,
        kind=event.kind,
        at=event.at,
        urgency=words.urgency,
        title=f"{event.problem}: {words.what}",
        body=_body(event, words),
    )


def _words(event: Event) -> Words | None:
    by_breaker = event.actor.startswith(BREAKER)
    if event.kind == "kill" and by_breaker:
        return _BY_BREAKER
    words = TOLD.get(event.kind)
    if words is not None and event.kind == ALARM and event.payload:
        return _of_alarm(words, event.payload)
    machine = by_breaker or event.actor == "controller"
    if words is None or machine or event.kind not in _BY_HAND:
        return words
    return words._replace(sure=_BY_HAND[event.kind])


def _of_alarm(words: Words, payload: Mapping[str, Any]) -> Words:
    """A monitor says itself how sure it is, what was done and what is next."""
    sure = f"with nothing changed, this monitor speaks within 30 days with chance {payload['sure']:.2g}"
    todo = f"`tenure monitor {{problem}}`; {payload['todo']}"
    return words._replace(sure=sure, done=payload["done"], todo=todo)


def _body(event: Event, words: Words) -> str:
    lines = {
        "What": f"{words.what}, by {event.actor}: {_short(event.reason)}",
        "Since": event.payload.get("since", to_text(event.at)),
        "Where": _where(event),
        "How sure": words.sure,
        "Done already": words.done,
        "Do next": words.todo.format(problem=event.problem),
    }
    return "\n".join(f"{name}: {text}" for name, text in lines.items())


def _where(event: Event) -> str:
    named: dict[str, Any] = {name: event.payload[name] for name in _PAYLOAD if name in event.payload}
    told = "".join(f", {name} {value}" for name, value in named.items())
    return f"problem {event.problem}, row {event.sequence} of its log{told}"


def _short(reason: str) -> str:
    one_line = " ".join(reason.split())
    return one_line if len(one_line) <= LONGEST_REASON else one_line[:LONGEST_REASON] + "..."
