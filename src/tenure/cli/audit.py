"""`tenure log verify` and `log forget`, and the checkpoint that is signed after whatever a person does."""

from __future__ import annotations

import getpass
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tenure.cli.log import opened_store, project_problem
from tenure.cli.output import Output
from tenure.cli.workspace import checkpoints_of, keys_of
from tenure.core.clock import SystemClock
from tenure.core.errors import StoreError
from tenure.store import Store
from tenure.store.checkpoints import read_checkpoints, sign, verify_log
from tenure.store.erasure import forget
from tenure.store.keys import PUBLIC, public_key, signing_key


def run_verify(output: Output, name: str, home: Path | None) -> int:
    """Check chain and checkpoints; returns the exit code."""
    keys = keys_of(home)
    with opened_store(name, project_problem(name), home, make=False) as (store, key):
        public = public_key(keys) if (keys / PUBLIC).exists() else None
        found = verify_log(store, key, read_checkpoints(store, key, checkpoints_of(key, home)), public)
    output.say(f"{'intact' if found.intact else 'NOT intact'}: {found.reason}")
    output.say(
        f"Held against {found.checkpoints} signed checkpoint(s)."
        if found.checkpoints
        else "No signed checkpoint to hold it against: a log rewritten or cut as a whole would pass."
    )
    if found.erased:
        output.say(f"{found.erased} decision(s) are erased; their digests stand in the chain.")
    output.result(asdict(found) | {"problem": key})
    return 0 if found.intact else 4


def run_forget(output: Output, name: str, unit: str, actor: str, home: Path | None) -> int:
    """Erase a unit and say what is left to do; returns 3 while bytes may remain in the database's files."""
    now, who = SystemClock().now(), actor or getpass.getuser()
    with opened_store(name, project_problem(name), home, make=False) as (store, key):
        done = forget(store, key, unit, actor=who, at=now)
        sign_now(store, key, now, home)
    output.say(f"{done.decisions} decision(s) emptied; they stand under {done.pseudonym} now.")
    if done.notes:
        output.say(f"{done.notes} note(s) on them stay as they were written: they are part of the chain.")
    if not done.scrubbed:
        output.say("Bytes may remain in the database's files: forget again when no reader is open on SQLite; on")
        output.say("PostgreSQL its administrator runs VACUUM FULL on decision, outcome and proposal.")
    output.say("Backups, exports, bundles and the server's spool are other files: forget there too.")
    output.result(asdict(done) | {"problem": key})
    return 0 if done.scrubbed else 3


def sign_now(store: Store, problem: str, now: datetime, home: Path | None) -> None:
    """Sign the log's head; what was done stands without it, so that a failure here stops nothing."""
    with suppress(StoreError):
        sign(store, problem, signing_key(keys_of(home)), now, checkpoints_of(problem, home))
