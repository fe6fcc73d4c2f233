"""The log as verbs, over any database: each public verb is one transaction or one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.spaces import Action
from tenure.store import decisions, events, journal, notes, reading, registry, shadow
from tenure.store import outcomes as outcome_rows
from tenure.store.database import Database, TakenError
from tenure.store.decisions import Beside
from tenure.store.folding import Fold
from tenure.store.records import Appended, Control, Event, LogFrame, LogRow, Receipt, Verification, VersionRow


class Store:
    """The log and its control rows, in a database.

    Threads share one object; processes open the same database. Every method raises StoreError when the database cannot
    be read or written. Small records beside the log (tokens, replicas, the outbox...) have classes of their own over
    `reading` and `writing`.

    Args:
        database: where the rows are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; closing twice is allowed."""
        self.database.close()

    def open_problem(self, problem: str, salt: str) -> Control:
        """The control row, made when absent; a salt stored before wins."""
        with self.database.writing() as connection:
            return events.open_problem(connection, problem, salt)

    def control(self, problem: str) -> Control:
        """What a server must know to answer.

        Raises:
            UnknownError: the problem was never opened.
        """
        with self.database.reading() as connection:
            return journal.read_control(connection, problem)

    def kill_epoch(self, problem: str) -> int:
        """The kill epoch alone: the cheapest way to see whether a kill or restore came between.

        Raises:
            UnknownError: the problem was never opened.
        """
        with self.database.reading() as connection:
            return journal.read_epoch(connection, problem)

    def still_stands(self, problem: str, epoch: int, sequence: int) -> bool:
        """Whether what was committed under an epoch still holds: no kill, restore or correction after that number.

        Raises:
            UnknownError: the problem was never opened.
        """
        with self.database.reading() as connection:
            return journal.still_stands(connection, problem, epoch, sequence)

    def append_decisions(
        self, rows: Sequence[Decision], fold: Fold | None = None, beside: Beside | None = None
    ) -> Appended:
        """Write decisions durably in one group commit: numbered without gaps, fenced by kill epoch, each id once.

        Of two rows with one id the first is written; the other is reported as existing.

        Args:
            rows: the decisions.
            fold: sees decisions whose outcome was there before them; what it calls for is recorded in the transaction.
            beside: writes what belongs to the rows that are new, in the same transaction.

        Raises:
            UnknownError: a row's problem was never opened.
        """
        try:
            with self.database.writing() as connection:
                return decisions.append(connection, rows, fold, beside, as_new=True)
        except TakenError:  # nearly every id is new, so that it pays to look only now which is not
            with self.database.writing() as connection:
                return decisions.append(connection, rows, fold, beside)

    def decision(self, problem: str, decision_id: str) -> Decision | None:
        """One decision with its correction applied; None when unknown."""
        with self.database.reading() as connection:
            return decisions.find(connection, problem, decision_id)

    def decision_and_epoch(self, problem: str, decision_id: str) -> tuple[Decision | None, int]:
        """As `decision`, and the kill epoch of the same moment: between two readings either may move.

        Raises:
            UnknownError: the problem was never opened.
        """
        with self.database.snapshot() as connection:
            return decisions.find(connection, problem, decision_id), journal.read_epoch(connection, problem)

    def append_correction(
        self,
        problem: str,
        decision_id: str,
        *,
        action: Action,
        arm: Arm,
        propensity: float | None,
        reason: str,
        at: datetime,
        fold: Fold | None = None,
        unless_measured: bool = False,
    ) -> bool:
        """Record that something else was done than a decision's row says; the latest correction holds.

        It takes a number of its own, as an event of kind "correction", and is not fenced. `fold` sees the decision.
        With `unless_measured` an outcome that came keeps it as it is; whether it was written is returned.

        Raises:
            UnknownError: no such problem or decision.
        """
        correction = decisions.Correction(decision_id, action, arm, propensity, reason, at)
        with self.database.writing() as connection:
            return decisions.correct(connection, problem, correction, fold, unless_measured=unless_measured)

    def append_proposals(self, problem: str, rows: Sequence[ShadowProposal]) -> None:
        """Record what the arms that did not answer would have done; the first per (decision, arm, version) stays.

        Nothing waits for it, so that it costs no sync: a loss of power may take what no later commit has followed.
        """
        with self.database.writing(synced=False) as connection:
            decisions.propose(connection, problem, rows)

    def append_outcomes(
        self,
        problem: str,
        outcomes: Sequence[Outcome],
        *,
        received_at: datetime,
        wait: timedelta,
        signals: Collection[str],
        fold: Fold | None = None,
    ) -> list[Receipt]:
        """Write outcomes durably in one transaction, each in exactly one place; one receipt each, in order.

        Args:
            problem: name of the problem.
            outcomes: what was reported.
            received_at: moment of arrival, UTC.
            wait: reward wait time after the decision; what arrives later is late.
            signals: names the problem declares.
            fold: sees the decisions whose outcome now counts; what it calls for is recorded in the transaction.

        Raises:
            ConflictError: an id came before with another body; nothing of the batch is written.
        """
        arrival = outcome_rows.Arrival(problem, received_at, wait, signals, fold)
        with self.database.writing() as connection:
            return outcome_rows.append(connection, arrival, outcomes)

    def append_event(
        self,
        event: Event,
        *,
        control: Mapping[str, Any] | None = None,
        expect_sequence_epoch: int | None = None,
        expect_last_event: int | None = None,
    ) -> Event:
        """Append an event and, in the same transaction, set columns of the control row; returns it numbered.

        Args:
            event: what was done.
            control: new values of any of stage, share, version, paused, killed.
            expect_sequence_epoch: the kill epoch the step was decided under.
            expect_last_event: number of the last event, corrections aside, that the step was decided after.

        Raises:
            FencedError: the kill epoch or the events have moved on.
            UnknownError: the problem was never opened.
            ValueError: `control` names something else.
        """
        with self.database.writing() as connection:
            return events.append(connection, event, control, expect_sequence_epoch, expect_last_event)

    def kill(self, problem: str, *, actor: str, reason: str, at: datetime) -> Control:
        """Stop for good: from this commit on nothing decided before it can be recorded.

        Raises:
            UnknownError: the problem was never opened.
        """
        event = Event(problem, "kill", actor, reason, at, {})
        with self.database.writing() as connection:
            return events.move_epoch(connection, event, {"killed": True})

    def restore(self, problem: str, *, actor: str, reason: str, at: datetime) -> Control:
        """Lift a kill; the candidate gets no traffic back, stage is rolled_back with share 0.

        Raises:
            MoveError: nothing is killed.
            UnknownError: the problem was never opened.
        """
        event = Event(problem, "restore", actor, reason, at, {})
        with self.database.writing() as connection:
            events.check_killed(connection, problem)
            return events.move_epoch(connection, event, {"killed": False, "stage": "rolled_back", "share": 0.0})

    def append_note(self, problem: str, decision_id: str, text: str, *, actor: str, at: datetime) -> Event:
        """Write what a person says of one decision into the chain; returns the event it became, numbered.

        Raises:
            UnknownError: no such problem or decision.
        """
        with self.database.writing() as connection:
            return notes.append(connection, problem, decision_id, text, actor, at)

    def notes(self, problem: str) -> list[Event]:
        """Every note, in order; `reason` is its text, `payload` names its decision."""
        with self.database.reading() as connection:
            return notes.read(connection, problem)

    def candidate_proposals(self, problem: str, version: str) -> shadow.Proposals:
        """What one version would have done where it did not answer."""
        with self.database.reading() as connection:
            return shadow.candidate_proposals(connection, problem, version)

    def events(self, problem: str, since_sequence: int = 0) -> list[Event]:
        """Events after a number, in order."""
        with self.database.reading() as connection:
            return events.since(connection, problem, since_sequence)

    def learned_after(self, problem: str, sequence: int) -> int:
        """Decisions of the candidate after a number, corrections applied."""
        with self.database.reading() as connection:
            return reading.learned_after(connection, problem, sequence)

    def read_log(
        self, problem: str, *, after_sequence: int = 0, upto: datetime | None = None, limit: int | None = None
    ) -> LogFrame:
        """Decisions as columns, in order, with corrections applied and their counted outcome; without flagged ones.

        Args:
            problem: name of the problem.
            after_sequence: only rows with a greater number.
            upto: only rows decided at that moment or before.
            limit: at most so many rows.

        Raises:
            EvidenceError: the rows' observations differ in width.
        """
        with self.database.reading() as connection:
            return reading.read_log(connection, problem, after_sequence, upto, limit)

    def read_rows(self, problem: str, *, after_sequence: int = 0, limit: int) -> list[LogRow]:
        """Whole decisions in order, flagged ones included, with corrections applied and what was measured.

        Args:
            problem: name of the problem.
            after_sequence: only rows with a greater number.
            limit: at most so many rows.
        """
        with self.database.reading() as connection:
            return reading.read_rows(connection, problem, after_sequence, limit)

    def problems(self) -> list[str]:
        """Names of the problems this log was opened for, in order."""
        with self.database.reading() as connection:
            return reading.problems(connection)

    def counts(self, problem: str) -> dict[str, int]:
        """Rows: decisions, learned, proposals, corrections, and outcomes under the word of each place."""
        with self.database.snapshot() as connection:
            return reading.counts(connection, problem)

    def verify(self, problem: str) -> Verification:
        """Recompute the hash chain from the rows; finds edited, moved, missing and added decisions and events.

        Raises:
            UnknownError: the problem was never opened.
        """
        with self.database.snapshot() as connection:
            return journal.verify(connection, problem)

    def register_version(self, version: str, problem: str, at: datetime, record: Mapping[str, Any]) -> None:
        """Register a version with its immutable record; the same again changes nothing.

        Raises:
            ConflictError: the version is registered with another record.
        """
        with self.database.writing() as connection:
            registry.register_version(connection, version, problem, at, record)

    def versions(self, problem: str, as_of: datetime | None = None) -> list[VersionRow]:
        """Versions registered up to a moment, oldest first."""
        with self.database.reading() as connection:
            return registry.versions(connection, problem, as_of)

    def count_read(self, problem: str, split: str, at: datetime, by: str) -> int:
        """Record one more reading of a part of the data; returns how many there are."""
        with self.database.writing() as connection:
            return registry.count_read(connection, problem, split, at, by)

    def reads(self, problem: str, split: str) -> int:
        """How often a part of the data has been read."""
        with self.database.reading() as connection:
            return registry.reads(connection, problem, split)
