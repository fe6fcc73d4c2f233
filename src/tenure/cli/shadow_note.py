"""`tenure shadow note`: what a person says of one decision, kept in the log's chain."""

from __future__ import annotations

import getpass
from pathlib import Path

from tenure.cli.output import Output
from tenure.cli.workspace import existing_log
from tenure.core.clock import SystemClock, to_text
from tenure.core.errors import RequestError
from tenure.store.opening import open_store, shown


def run_note(output: Output, project: str, decision_id: str, text: str, actor: str, home: Path | None) -> None:
    """Append the note and say under which number it stands.

    Raises:
        RequestError: nothing is said.
        UnknownError: no such decision.
        ProjectError: the project has no log.
    """
    if not text.strip():
        raise RequestError(expected="a text", found="nothing", where="TEXT", fix="say what you saw in a few words")
    name, place = existing_log(project, home)
    with open_store(place) as store:
        event = store.append_note(name, decision_id, text, actor=actor or getpass.getuser(), at=SystemClock().now())
    output.say(f"Noted by {event.actor} on {decision_id}: row {event.sequence} of {shown(place)}")
    output.result(
        {
            "decision_id": decision_id,
            "text": text,
            "actor": event.actor,
            "at": to_text(event.at),
            "sequence": event.sequence,
        }
    )
