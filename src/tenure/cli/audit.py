"""`tenure log verify` and `log forget`, and the checkpoint that is signed after whatever a person does."""

from __future__ import annotations

import getpass
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from tenure.cli.log import opened_store, project_problem
from tenure.cli.output import Output
from tenure.cli.workspace import checkpoints_of, keys_of
from tenure.core.clock import SystemClock
from tenure.core.errors import StoreError
from tenure.rollout import check_head
from tenure.store import Store, events, journal
from tenure.store.checkpoints import read_checkpoints, sign, verify_log
from tenure.store.erasure import forget
from tenure.store.keys import PUBLIC, public_key, signing_key
from tenure.store.records import Verification


def run_verify(output: Output, name: str, home: Path | None) -> int:
    """Check chain, head and checkpoints; returns the exit code, 3 where all checkpoints are by keys not known here."""
    keys = keys_of(home)
    with opened_store(name, project_problem(name), home, make=False) as (store, key):
        public = public_key(keys) if (keys / PUBLIC).exists() else None
        found = verify_log(store, key, read_checkpoints(store, key, checkpoints_of(key, home)), public)
        found = _held_against_events(store, key, found)
    unproven = found.intact and bool(found.checkpoints_unchecked) and not found.checkpoints
    word = "inconclusive" if unproven else "intact" if found.intact else "NOT intact"
    output.say(f"{word}: {found.reason}")
    for line in _standing(found):
        output.say(line)
    output.result(asdict(found) | {"problem": key})
    return 3 if unproven else 0 if found.intact else 4


def _held_against_events(store: Store, problem: str, found: Verification) -> Verification:
    """The head row, which servers obey, is no part of the chain; the events in the chain say what it must be."""
    if not found.intact:
        return found
    with store.database.snapshot() as connection:
        control, told = journal.read_control(connection, problem), events.since(connection, problem, 0)
    try:
        check_head(control, told)
    except StoreError as error:
        return replace(found, intact=False, reason=f"the head row says {error.found}; expected {error.expected}")
    return found


def _standing(found: Verification) -> list[str]:
    """What the finding rests on."""
    told = []
    if found.checkpoints:
        told.append(f"Held against {found.checkpoints} signed checkpoint(s).")
    else:
        told.append("No signed checkpoint to hold it against: a log rewritten or cut as a whole would pass.")
    if found.checkpoints_unchecked:
        told.append(
            f"{found.checkpoints_unchecked} checkpoint(s) by another key were not checked: put the public key that "
            f"signed them in place as {PUBLIC}, and verify again."
        )
    if found.erased:
        told.append(f"{found.erased} decision(s) are erased; their digests stand in the chain.")
    return told


def run_forget(output: Output, name: str, unit: str, actor: str, home: Path | None) -> int:
    """Erase a unit and say what is left to do; returns 3 where nothing was found, or bytes may remain in the files."""
    now, who = SystemClock().now(), actor or getpass.getuser()
    with opened_store(name, project_problem(name), home, make=False) as (store, key):
        done = forget(store, key, unit, actor=who, at=now)
        sign_now(store, key, now, home)
    if not done.decisions:
        output.say("No decision of that unit is in the log: check the id, unless it was forgotten before.")
    output.say(f"{done.decisions} decision(s) emptied; they stand under {done.pseudonym} now.")
    if done.notes:
        output.say(f"{done.notes} note(s) on them stay as they were written: they are part of the chain.")
    if not done.scrubbed:
        output.say("Bytes may remain in the database's files: forget again when no reader is open on SQLite; on")
        output.say("PostgreSQL its administrator runs VACUUM FULL on decision, outcome and proposal.")
    output.say("Backups, exports, bundles and the server's spool are other files: forget there too.")
    output.result(asdict(done) | {"problem": key})
    return 0 if done.scrubbed and done.decisions else 3


def sign_now(store: Store, problem: str, now: datetime, home: Path | None) -> None:
    """Sign the log's head; what was done stands without it, so that a failure here stops nothing."""
    with suppress(StoreError):
        sign(store, problem, signing_key(keys_of(home)), now, checkpoints_of(problem, home))
