"""Labels of actions in logs without a project: told by events, numbered for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tenure.core.errors import FencedError
from tenure.store.log import Store
from tenure.store.records import MOVE_NOTHING, Event

IMPORT = "import"
"""Kind of the event an import leaves: {file, sha256, labels}."""
LABELS = "labels"
"""Kind of the event that a new action leaves: {labels}."""


def known_labels(store: Store, problem: str) -> tuple[str, ...]:
    """The labels told so far, in the order of the actions' numbers; empty where none were."""
    told = [event.payload["labels"] for event in store.events(problem) if event.kind in (IMPORT, LABELS)]
    return tuple(told[-1]) if told else ()


def add_labels(store: Store, problem: str, labels: Iterable[str], actor: str, at: datetime) -> tuple[str, ...]:
    """All labels with those that are new behind the others, whoever else adds some at the same time.

    Raises:
        UnknownError: the problem was never opened.
    """
    labels = tuple(labels)
    while True:
        events = store.events(problem)
        last = max((event.sequence for event in events if event.kind not in MOVE_NOTHING), default=0)
        known = known_labels(store, problem)
        new = [label for label in dict.fromkeys(labels) if label not in known]
        if not new:
            return known
        told = Event(problem, LABELS, actor, f"new actions: {', '.join(new)}", at, {"labels": [*known, *new]})
        try:
            store.append_event(told, expect_last_event=last)
        except FencedError:
            continue
        return (*known, *new)
