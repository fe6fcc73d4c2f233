"""The tables, and the check that a file holds them; `postgres.py` makes its own from the same text."""

from __future__ import annotations

import apsw

from tenure.core.errors import StoreError

SCHEMA_VERSION = 3
"""Written to `PRAGMA user_version`; grows with every change of the tables."""

_ANSWERED = """
SELECT d.decision_id, d.problem, d.problem_version, d.unit_id, d.episode_id, d.step, d.decided_at, d.context,
    d.observation, d.mask, d.stage, coalesce(c.arm, d.arm) AS arm, d.version, coalesce(c.action, d.action) AS action,
    CASE WHEN c.arm IS NULL THEN d.propensity ELSE c.propensity END AS propensity, d.explored, d.confidence,
    d.kill_epoch, coalesce(c.reason, d.reason) AS reason, d.latency_us, d.request_hash,
    CASE WHEN c.arm IS NULL THEN d.density END AS density, d.candidates, d.position, d.sequence,
    CASE WHEN c.arm IS NULL THEN d.vector ELSE c.vector END AS vector
FROM decision d LEFT JOIN correction c ON c.problem = d.problem AND c.sequence = (
    SELECT max(sequence) FROM correction WHERE problem = d.problem AND decision_id = d.decision_id
)"""

# Every table is keyed by problem first: one file serves many problems, and each has its own order and chain.
# Without statistics SQLite takes a second index only where it covers what is read of it: hence `arm` in two of them.
# `answered` is the only way readers see decisions, so that no reader can forget a correction; `kept` leaves out those
# whose person was forgotten, for whoever learns from the log.
DDL = """
CREATE TABLE head (
    problem TEXT PRIMARY KEY, sequence INTEGER NOT NULL, hash BLOB NOT NULL, kill_epoch INTEGER NOT NULL,
    killed INTEGER NOT NULL, stage TEXT NOT NULL, share REAL NOT NULL, version TEXT, paused INTEGER NOT NULL,
    salt TEXT NOT NULL, changed_at TEXT,
    cap REAL NOT NULL, exploration REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    decision_id TEXT NOT NULL, problem TEXT NOT NULL, problem_version TEXT NOT NULL, unit_id TEXT NOT NULL,
    episode_id TEXT, step INTEGER, decided_at TEXT NOT NULL, context TEXT NOT NULL, observation BLOB NOT NULL,
    mask BLOB, stage TEXT NOT NULL, arm TEXT NOT NULL, version TEXT NOT NULL, action INTEGER NOT NULL,
    propensity REAL, explored INTEGER NOT NULL, confidence REAL NOT NULL, kill_epoch INTEGER NOT NULL,
    reason TEXT NOT NULL, latency_us INTEGER NOT NULL, request_hash TEXT NOT NULL, density REAL, candidates TEXT,
    position INTEGER, sequence INTEGER NOT NULL, nonce BLOB, erased BLOB, vector TEXT,
    PRIMARY KEY (problem, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX decision_by_id ON decision (problem, decision_id);
CREATE INDEX decision_learned ON decision (problem, kill_epoch, sequence, arm) WHERE arm IN ('candidate', 'fallback');

CREATE TABLE event (
    problem TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
    at TEXT NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (problem, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_by_kind ON event (problem, kind, sequence);

CREATE TABLE correction (
    problem TEXT NOT NULL, sequence INTEGER NOT NULL, decision_id TEXT NOT NULL, action INTEGER NOT NULL,
    arm TEXT NOT NULL, propensity REAL, reason TEXT NOT NULL, vector TEXT,
    PRIMARY KEY (problem, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_by_decision ON correction (problem, decision_id, sequence, arm, reason);

CREATE TABLE commit_log (
    problem TEXT NOT NULL, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
    prev_hash BLOB NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (problem, first_sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE proposal (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, decision_id TEXT NOT NULL, arm TEXT NOT NULL,
    version TEXT NOT NULL, action INTEGER NOT NULL, propensity REAL NOT NULL, confidence REAL NOT NULL,
    computed_at TEXT NOT NULL, vector TEXT, apart REAL,
    UNIQUE (problem, decision_id, arm, version)
) STRICT;

CREATE TABLE outcome (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, decision_id TEXT NOT NULL, outcome_id TEXT NOT NULL,
    observed_at TEXT, received_at TEXT NOT NULL, signals TEXT NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL,
    note TEXT NOT NULL, counted INTEGER NOT NULL,
    decision_sequence INTEGER, learned_epoch INTEGER,
    UNIQUE (problem, decision_id, outcome_id)
) STRICT;
CREATE UNIQUE INDEX outcome_counted ON outcome (problem, decision_id) WHERE counted = 1;
CREATE INDEX outcome_orphan ON outcome (problem, decision_id) WHERE place = 'orphan';
CREATE UNIQUE INDEX outcome_in_order ON outcome (problem, learned_epoch, decision_sequence)
    WHERE learned_epoch IS NOT NULL;

CREATE TABLE version (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, version TEXT NOT NULL, registered_at TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (problem, version)
) STRICT;

CREATE TABLE split_read (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, split TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL
) STRICT;
CREATE INDEX split_read_by_split ON split_read (problem, split);

CREATE TABLE replica (
    problem TEXT NOT NULL, replica TEXT NOT NULL, started_at TEXT NOT NULL, seen_at TEXT NOT NULL,
    epoch INTEGER NOT NULL, version TEXT, software TEXT NOT NULL, url TEXT, stopped INTEGER NOT NULL,
    PRIMARY KEY (problem, replica)
) STRICT, WITHOUT ROWID;

CREATE TABLE pending (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, decision_id TEXT NOT NULL, version TEXT NOT NULL,
    action INTEGER NOT NULL, confidence REAL NOT NULL, kill_epoch INTEGER NOT NULL, rule TEXT NOT NULL,
    asked_at TEXT NOT NULL, until TEXT NOT NULL, status TEXT NOT NULL, decided_at TEXT, decided_by TEXT,
    UNIQUE (problem, decision_id)
) STRICT;
CREATE INDEX pending_by_status ON pending (problem, status);

CREATE TABLE turn (
    problem TEXT NOT NULL, name TEXT NOT NULL, holder TEXT NOT NULL, until TEXT NOT NULL,
    PRIMARY KEY (problem, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    id INTEGER PRIMARY KEY, problem TEXT NOT NULL, sequence INTEGER NOT NULL, channel TEXT NOT NULL, at TEXT NOT NULL,
    kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
    next_at TEXT NOT NULL, delivered_at TEXT, error TEXT,
    UNIQUE (problem, sequence, channel)
) STRICT;
CREATE INDEX alert_by_status ON alert (problem, status, next_at);

CREATE TABLE token (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, digest BLOB NOT NULL UNIQUE,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL, expires_at TEXT, revoked_at TEXT
) STRICT;

CREATE TABLE session (
    digest BLOB PRIMARY KEY, token INTEGER NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    problem TEXT NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, at TEXT NOT NULL, key TEXT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (problem, sequence)
) STRICT, WITHOUT ROWID;
"""

VIEWS = """
CREATE VIEW answered AS {answered};

CREATE VIEW kept AS {answered} WHERE d.erased IS NULL;
""".replace("{answered}", _ANSWERED)

BEFORE_VECTORS = 2
"""The schema version that knew labelled actions only; `ADD_VECTORS` makes the present one of it."""
ADD_VECTORS = (
    "DROP VIEW kept",
    "DROP VIEW answered",
    "ALTER TABLE decision ADD COLUMN vector TEXT",
    "ALTER TABLE correction ADD COLUMN vector TEXT",
    "ALTER TABLE proposal ADD COLUMN vector TEXT",
    "ALTER TABLE proposal ADD COLUMN apart REAL",
    *(view.strip() for view in VIEWS.split(";") if view.strip()),
)
"""Nothing stored changes, and so nothing that is hashed: what was written before has no vector."""


def prepare(connection: apsw.Connection, path: str) -> None:
    """Make the tables in an empty file, bring those of the version before up to date, or check that they are there.

    Inside the caller's transaction.

    Raises:
        StoreError: the file belongs to another version of Tenure, or to another program.
    """
    found = connection.pragma("user_version")
    if found == SCHEMA_VERSION:
        return
    if found == BEFORE_VECTORS:
        for statement in ADD_VECTORS:
            connection.execute(statement)
        connection.pragma("user_version", SCHEMA_VERSION)
        return
    if found != 0:
        raise _foreign(
            path,
            f"schema version {found}",
            "export it with the Tenure that wrote it, and import it here",
        )
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() != (0,):
        raise _foreign(path, "tables of another program", "name another file for the log")
    connection.execute(DDL + VIEWS)
    connection.pragma("user_version", SCHEMA_VERSION)


def _foreign(path: str, found: str, fix: str) -> StoreError:
    return StoreError(
        expected=f"an empty file, or a log with schema version {SCHEMA_VERSION}", found=found, where=path, fix=fix
    )
