"""Looks at the log after every commit and at every answer, and says what should not be."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from tenure.rollout import check_head
from tenure.store import SqliteStore

from .heads import Head, Row
from .oracles import Join, broken_runs, expected, uniform
from .scheduler import SECOND, Scheduler
from .toy import EPSILON, LEASE_S, LIMIT, PROBLEM, RUN, WAIT_S

FAILED = ("policy_error", "illegal_action", "bundle_error", "deadline")
"""Reasons of a fallback where the candidate would have answered."""


class Violated(BaseException):
    """An invariant does not hold; not an Exception, so that no guard around foreign code swallows it."""


class Watch:
    """The observer.

    Args:
        path: the log.
        scheduler: for the time.
        salt: of the split.
    """

    def __init__(self, path: Path, scheduler: Scheduler, salt: str) -> None:
        self.log, self.scheduler, self.salt = apsw.Connection(str(path)), scheduler, salt
        self.store = SqliteStore(path, synchronous="OFF")
        self.head = Head()
        self.heads: list[tuple[int, Head]] = [(0, self.head)]
        self.rows: dict[str, Row] = {}
        self.join = Join(timedelta(seconds=WAIT_S), PROBLEM.signal_bounds)
        self.begun = self.sequence = self.outcome_id = self.commits = 0
        self.hash = bytes(32)
        self.split: dict[float, dict[str, bool]] = defaultdict(dict)
        self.kinds: dict[str, int] = defaultdict(int)

    def close(self) -> None:
        """Close both looks at the log."""
        self.log.close()
        self.store.close()

    def committed(self, actor: str, began: int) -> None:
        """Somebody committed: everything new in the log is right, and follows from what was there."""
        numbered = self._decisions() + self._events()
        for at, (sequence, *_) in enumerate(sorted(numbered), 1):
            self.demand(sequence == self.sequence + at, f"number {self.sequence + at} is missing, found {sequence}")
        for sequence, kind, values in sorted(numbered):
            if kind == "decision":
                self._decision(sequence, values, began)
        self._outcomes()
        for sequence, kind, values in sorted(numbered):
            if kind == "event":
                self._event(sequence, values)
        self._chain(len(numbered))
        self._stands(actor)
        self.commits += 1
        if self.commits % 60 == 0:
            self.everything()

    def everything(self) -> None:
        """The whole log, from the start."""
        found = self.store.verify("toy")
        self.demand(found.intact, f"the chain is broken: {found.reason}")
        check_head(self.store.control("toy"), self.store.events("toy"))
        rows = self._all("SELECT decision_id, outcome_id, place, counted FROM outcome")
        self.demand(len(rows) == len(self.join.kept), f"{len(rows)} outcomes stored, {len(self.join.kept)} expected")
        for decision_id, outcome_id, place, counted in rows:
            self._placed(decision_id, outcome_id, place, bool(counted))

    def demand(self, holds: bool, what: str) -> None:
        """Stop the run unless something holds."""
        if not holds:
            raise Violated(what)

    def _decisions(self) -> list[tuple[int, str, Any]]:
        found = self._all(
            """SELECT sequence, decision_id, unit_id, context, mask, stage, arm, version, action, propensity, explored,
            kill_epoch, reason, decided_at FROM decision WHERE sequence > ?""",
            self.sequence,
        )
        return [(values[0], "decision", values[1:]) for values in found]

    def _events(self) -> list[tuple[int, str, Any]]:
        statement = "SELECT sequence, kind, payload, reason, actor FROM event WHERE sequence > ?"
        return [(values[0], "event", values[1:]) for values in self._all(statement, self.sequence)]

    def _all(self, statement: str, *parameters: Any) -> list[Any]:
        """Rows of a statement."""
        rows: list[Any] = self.log.execute(statement, parameters).fetchall()
        return rows

    def _event(self, sequence: int, values: Any) -> None:
        kind, text, reason, actor = values
        payload = json.loads(text)
        self.kinds[kind] += 1
        if kind == "correction":
            self.rows[payload["decision_id"]].said.append((payload["action"], payload["arm"], payload["propensity"]))
            return
        self.scheduler.note(f"row {sequence}: {kind} {payload.get('to', '')} ({reason})")
        if actor.startswith("breaker:"):
            self.kinds["trip"] += 1
            self.demand(
                bool(self.broken_runs()), f"row {sequence}: {actor} tripped, and no {RUN} costs in a row say so"
            )
        before, self.head = self.head, self.head.after(kind, payload)
        if kind == "start":
            self.begun = sequence
        if before != self.head:
            self.heads.append((self.scheduler.now, self.head))

    def _decision(self, sequence: int, values: Any, began: int) -> None:
        decision_id, unit, context, mask, stage, arm, version, action, propensity, explored, epoch, reason, at = values
        self.demand(decision_id not in self.rows, f"{decision_id} was written twice")
        self.demand(epoch == self.head.epoch, f"{decision_id} of epoch {epoch} was written in epoch {self.head.epoch}")
        learned = arm == "candidate"
        self.demand(not (learned and self.head.killed), f"learned row {sequence} follows a kill")
        self.rows[decision_id] = Row(sequence, unit, epoch, [(action, arm, propensity)])
        if self.join.decision(decision_id, datetime.fromisoformat(at)):
            self.kinds["early"] += 1
        self.kinds[arm] += 1
        bits = [True] * 3 if mask is None else [bool(byte) for byte in mask]
        self.demand(bits[action], f"{decision_id} took a forbidden action")
        self.demand(propensity is None or 0 < propensity <= 1, f"propensity {propensity} of {decision_id}")
        if reason == "log_unavailable":  # from a spool: decided long ago, by the incumbent
            self.demand((arm, action) == ("fallback", bits.index(True)), f"{decision_id} came from a spool as {arm}")
            return
        # What only the incumbent could have done may rest on any view of the log, however old.
        certain = not learned and propensity == 1.0
        seen = [head for _, head in self.heads] if certain else self._in_force(began)
        in_force = [head for head in seen if (head.stage, head.epoch) == (stage, epoch)]
        self.demand(bool(in_force), f"{decision_id} by {arm} for {reason} was decided at {stage} in {epoch}: {seen}")
        x, told = json.loads(context)["x"], (arm, action, propensity, bool(explored))
        possible = [h for h in in_force if self._may(decision_id, unit, x, bits, h, told, (version, reason))]
        self.demand(bool(possible), f"{decision_id}: {told} {reason} by {version} follows from none of {in_force}")
        if reason in ("candidate", "control") and len({head.live for head in possible}) == 1:
            self.split[possible[0].live][unit] = learned

    def _may(
        self, decision_id: str, unit: str, x: float, bits: list[bool], head: Head, told: Any, why: tuple[str, str]
    ) -> bool:
        """Whether a row may have been decided so under a head."""
        arm, action, propensity, _ = told
        first, reason = bits.index(True), why[1]
        if reason not in ("candidate", "control"):
            owed = arm != "fallback" or reason not in FAILED or uniform(self.salt, "arm", unit) < head.live
            return arm != "candidate" and action == first and propensity in (1.0, None) and owed
        share = head.live
        should = expected(self.salt, decision_id, unit, x, bits, share, EPSILON)
        same = told[:2] == ("candidate" if should.learned else "incumbent", should.action)
        certain = reason == "control" and propensity == 1.0  # the candidate failed: no mixture is left
        right = certain or abs((propensity or 0) - should.propensity) < 1e-9
        return (
            share > 0
            and same
            and right
            and told[3] == should.explored
            and why[0] == (head.version if should.learned else "rule")
        )

    def _in_force(self, began: int) -> list[Head]:
        """Every head that somebody who began at a moment may have seen, with a lease not older than it may be."""
        oldest = began - int(LEASE_S * SECOND)
        before = [head for at, head in self.heads if at <= oldest][-1:]
        return before + [head for at, head in self.heads if at > oldest]

    def _chain(self, fresh: int) -> None:
        links = self._all(
            """SELECT first_sequence, last_sequence, prev_hash, hash FROM commit_log WHERE first_sequence > ?
            ORDER BY first_sequence""",
            self.sequence,
        )
        for first, last, before, after in links:
            self.demand((first, before) == (self.sequence + 1, self.hash), f"the commit at {first} follows nothing")
            self.sequence, self.hash, fresh = last, after, fresh - (last - first + 1)
        self.demand(fresh == 0, f"{fresh} rows belong to no commit")

    def _stands(self, actor: str) -> None:
        """The head row is the fold of the events, and a breaker has tripped when and only when it must."""
        (row,) = self._all("SELECT kill_epoch, killed, stage, share, version, paused, sequence, hash FROM head")
        found = Head(row[0], bool(row[1]), row[2], row[3], row[4], bool(row[5]))
        self.demand(found == self.head, f"after {actor} the head says {found}, the events {self.head}")
        self.demand(row[6:] == (self.sequence, self.hash), "the head is not the end of the chain")
        broken = self.broken_runs() if self.head.live > 0 else []
        self.demand(not broken, f"after {actor} the costs of {broken} lie above {LIMIT}, and no breaker tripped")

    def broken_runs(self) -> list[list[str]]:
        """Decisions that meet the breaker's rule in the log as it stands."""
        counts = [(name, self.join.seen(name)) for name, row in self.rows.items() if self._judged(row)]
        return broken_runs([(name, kept.signals["cost"]) for name, kept in counts if kept is not None], LIMIT, RUN)

    def _judged(self, row: Row) -> bool:
        """Whether a breaker looks at a row: learned, in the present epoch, since the rollout began."""
        return row.learned and row.epoch == self.head.epoch and row.sequence > self.begun

    def _outcomes(self) -> None:
        found = self._all(
            """SELECT id, decision_id, outcome_id, kind, signals, observed_at, received_at, place, counted FROM outcome
            WHERE id > ?""",
            self.outcome_id,
        )
        for number, decision_id, outcome_id, kind, signals, observed_at, received_at, place, counted in found:
            arrived = datetime.fromisoformat(received_at)
            self.demand((decision_id, outcome_id) not in self.join.kept, f"{outcome_id} of {decision_id} twice")
            self.join.outcome(decision_id, outcome_id, kind, json.loads(signals), observed_at, arrived)
            self._placed(decision_id, outcome_id, place, bool(counted))
            self.kinds[place] += 1
            self.outcome_id = number

    def _placed(self, decision_id: str, outcome_id: str, place: str, counted: bool) -> None:
        kept = self.join.kept[decision_id, outcome_id]
        right = (kept.place, kept.counted) == (place, counted)
        self.demand(right, f"{outcome_id} of {decision_id} is {place}, {counted}; by hand {kept.place}, {kept.counted}")
