"""Everything that a new project's files say, guessed from one table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from tenure.core.errors import DataError
from tenure.design.starting.decisions import WORLD_ROWS, Decisions, Order, read_decisions
from tenure.design.starting.features import LEFT_OUT, FeatureDraft, SignalDraft, draft_features, draft_signal
from tenure.design.starting.leaks import Leak, find_leaks
from tenure.design.starting.names import slugs
from tenure.design.starting.roles import Guess, Roles, Told, guess_roles
from tenure.design.starting.table import Table, is_known, read_table
from tenure.design.starting.today import Today, today
from tenure.store.tables.features import ordered_labels
from tenure.store.tables.words import is_outcome_word

FEWEST_ROWS = 10
"""Decisions from which a folder can be drafted."""
SIGNALS = 4
"""Columns measured afterwards that become signals, the outcome among them."""
FOLLOW = 0.5
"""Share of the decisions that must be followed by another of their group, for the world to be played in order."""
NEAR_ZERO = 0.1
"""Mean outcome, in standard deviations, below which a share of it says little."""
LONGEST = 200
"""Steps of an episode."""


@dataclass(frozen=True)
class Draft:
    """What was made of a log.

    Args:
        name: of the problem.
        path: the log.
        labels: of the actions.
        roles: which column is what.
        features, signals: as problem.py states them; the first signal is the outcome, which the reward pays for.
        order: what came after what.
        today: what decided.
        sequential: the world plays decisions of a group in order.
        horizon: steps of an episode.
        leaks: columns that may not be features.
        guesses, notes: what a person should check.
    """

    name: str
    path: Path
    labels: tuple[str, ...]
    roles: Roles
    features: tuple[FeatureDraft, ...]
    signals: tuple[SignalDraft, ...]
    order: Order
    today: Today
    sequential: bool
    horizon: int
    leaks: tuple[Leak, ...]
    guesses: tuple[Guess, ...]
    notes: tuple[str, ...]

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that nothing reads, each with the reason; leaks are told apart."""
        leaks = {leak.column for leak in self.leaks}
        left_out = {column: why for column, why in self.roles.left_out.items() if column not in leaks}
        return {**left_out, **{each.column: each.why for each in self.guesses if each.role == LEFT_OUT}}

    @property
    def taken(self) -> tuple[tuple[str, str, str], ...]:
        """Columns that something reads: column, role, why."""
        return tuple((each.column, each.role, each.why) for each in self.guesses if each.role != LEFT_OUT)

    @property
    def discount(self) -> float:
        """Weight of the next step: nothing follows from a decision where the log has no order."""
        return 0.99 if self.sequential else 0.1


def draft_project(name: str, path: Path, told: Told) -> Draft:
    """Read a log and guess a problem.

    Raises:
        DataError: the log is empty or too short, holds one action only, or nothing says what was done or came of it.
    """
    table = read_table(path, ignore=told.ignore)
    roles = guess_roles(table, told)
    leaks = find_leaks(table, roles)
    signals = _signals(table, roles, leaks)
    gone = {leak.column for leak in leaks} | {signal.column for signal in signals}
    features, more = draft_features(table, roles, tuple(column for column in roles.rest if column not in gone))
    labels = ordered_labels(table.labels(roles.action).drop_null().to_pylist())
    order = _order(table, roles)
    decisions = _read(path, roles, features, labels, signals, order)
    follows = float((decisions.following >= 0).mean())
    lengths = np.diff(np.append(np.flatnonzero(decisions.first), len(decisions)))
    sequential = follows >= FOLLOW
    measured = [Guess(signal.column, "signal", "measured after the decision") for signal in signals[1:]]
    return Draft(
        name=name,
        path=path,
        labels=labels,
        roles=roles,
        features=tuple(features),
        signals=signals,
        order=order,
        today=today(decisions, len(labels)),
        sequential=sequential,
        horizon=int(np.clip(np.median(lengths), 2, LONGEST)) if sequential else 20,
        leaks=leaks,
        guesses=(*roles.guesses, *measured, *more),
        notes=tuple(_notes(table, roles, leaks, signals, decisions, sequential)),
    )


def _signals(table: Table, roles: Roles, leaks: tuple[Leak, ...]) -> tuple[SignalDraft, ...]:
    """The outcome, and other numbers that were measured after the decision."""
    later = {leak.column for leak in leaks if leak.kind in ("function", "name")}
    named = {column for column in roles.rest if is_outcome_word(column) and column not in roles.known}
    others = [column for column in roles.rest if column in later | named and _varies(table, column)]
    columns = [roles.outcome, *others][:SIGNALS]
    names = slugs(columns, taken=("untried",))
    return tuple(draft_signal(table, column, name) for column, name in zip(columns, names, strict=True))


def _varies(table: Table, column: str) -> bool:
    """Numbers in every row in which they differ; a signal must have been measured."""
    if table.looks[column] not in ("number", "boolean"):
        return False
    values = table.numbers(column)
    return bool(is_known(values).all() and np.ptp(values) > 0)


def _order(table: Table, roles: Roles) -> Order:
    if roles.episode is not None:
        # Episodes of one length were cut off by a time limit, which is no end.
        lengths = pc.value_counts(table.texts(roles.episode)).field("counts")
        return Order(roles.time, roles.episode, roles.step, ends=pc.count_distinct(lengths).as_py() > 1)
    ordered = roles.time is not None or roles.step is not None
    return Order(roles.time, roles.unit if ordered else None, roles.step if roles.unit else None)


def _read(
    path: Path,
    roles: Roles,
    features: list[FeatureDraft],
    labels: tuple[str, ...],
    signals: tuple[SignalDraft, ...],
    order: Order,
) -> Decisions:
    measured = {signal.name: (signal.column, signal.missing) for signal in signals}
    columns = [feature.source for feature in features]
    decisions = read_decisions(path, columns, roles.action, labels, measured, order)
    if len(decisions) < FEWEST_ROWS or len(np.unique(decisions.action)) < 2:
        found = f"{len(decisions)} with {len(np.unique(decisions.action))} different actions"
        raise DataError(
            expected=f"{FEWEST_ROWS} decisions or more with action and outcome, and two actions among them",
            found=found,
            where=str(path),
            fix="export more rows; a first draft needs little, but not nothing",
        )
    return decisions


def _unmeasured(table: Table, roles: Roles) -> dict[str, int]:
    """Rows without a decision or what came of it, by cause; each row once."""
    acted = np.asarray(table.labels(roles.action).is_valid())
    outcome = table.numbers(roles.outcome)
    empty, endless = acted & np.isnan(outcome), acted & ~np.isnan(outcome) & ~is_known(outcome)
    helps = "find out why, as tenure assess refuses a log with such a row"
    told = {
        "no action": ~acted,
        f"nothing was measured in {roles.outcome!r}; {helps}": empty,
        f"{roles.outcome!r} is infinite or too large to reckon with; {helps}": endless,
    }
    return {
        f"{why} (the first: line {table.line(int(rows.argmax())).rpartition(':')[2]})": int(rows.sum())
        for why, rows in told.items()
    }


def _notes(
    table: Table,
    roles: Roles,
    leaks: tuple[Leak, ...],
    signals: tuple[SignalDraft, ...],
    decisions: Decisions,
    sequential: bool,
) -> list[str]:
    """What a person must know before trusting the folder."""
    unmeasured = _unmeasured(table, roles)
    outcome, kinds = decisions.signals[signals[0].name], {leak.kind for leak in leaks}
    (rejected, why), spare = table.rejected, len(table) - len(decisions) - sum(unmeasured.values())
    written = [f"the file has {note}" for note in table.notes]
    told = {
        "no propensity: the log does not say how likely each action was, so what it says of other policies rests on "
        "the assumption that the features explain the choice; log propensities from now on": roles.propensity is None,
        "no order: each situation is drawn by itself, so a decision changes nothing later; where it does, name --unit "
        "and --time, or log episode and step": not sequential,
        "a column from which the outcome follows is no feature here; where it was known before the decision, as a "
        "state is on which the reward depends, say so with --feature": "function" in kinds,
        "moments after the decision were left out; a delay from them can be a signal": "later" in kinds,
        "the mean outcome is close to 0, so that gains as a share of it say little; state the outcome from a zero of "
        "its own, such as costs or returns that cannot change their sign": (
            abs(outcome.mean()) < NEAR_ZERO * outcome.std()
        ),
        f"{rejected} rows cannot be read; {why}": rejected > 0,
        **{f"{count} of {len(table)} rows are left out: {why}": count > 0 for why, count in unmeasured.items()},
        f"{spare} of {len(table)} rows are not part of the world, which takes {WORLD_ROWS} at most": (
            spare > 0 and table.whole
        ),
        f"only the first {len(table)} rows were looked at": not table.whole,
    }
    return written + [note for note, applies in told.items() if applies]
