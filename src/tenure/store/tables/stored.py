"""Tenure's own log as a source of decisions: corrections applied, only counted outcomes, flagged rows kept out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenure.core.clock import to_text
from tenure.core.decision import Decision
from tenure.core.problem import Problem
from tenure.core.spaces import Action, Discrete
from tenure.store.labels import known_labels
from tenure.store.log import Store
from tenure.store.records import FLAGS, LogRow
from tenure.store.sqlite import SqliteStore
from tenure.store.tables.chunks import SAMPLE, Chunk, bad_data, cells, ordinals
from tenure.store.tables.jsonlines import inner_of, names_of, with_columns

UNKNOWN_AT = "1970-01-01T00:00:00.000000Z"
"""Stands where a log without times was imported."""


class Stored:
    """The decisions of one problem in a log file.

    With a `Problem`, features are the observations it was decided by and the reward is worked out from the signals;
    with a name alone, features are the numbers and texts of the contexts and the reward is the signal `reward`.

    Args:
        store: an open store, or the path of one.
        problem: a `Problem`, its name, or None for the only one in the file.
        size: rows read at a time.

    Raises:
        DataError: no such file, or it holds several problems and none is named.
    """

    typed = False
    may_repeat = False

    def __init__(self, store: Store | Path | str, problem: Problem | str | None, size: int) -> None:
        if not isinstance(store, Store):
            if not Path(store).is_file():
                raise bad_data("a log file", "no such file", str(store), "check the path")
            store = SqliteStore(Path(store))
        self.store, self.size = store, min(size, SAMPLE)
        self.problem = problem if isinstance(problem, Problem) else None
        self.key = self.problem.name if self.problem else self._only(problem)
        self.name = f"the log of {self.key!r}"

    def _only(self, problem: Problem | str | None) -> str:
        known = self.store.problems()
        if isinstance(problem, str) and problem in known:
            return problem
        if problem is None and len(known) == 1:
            return known[0]
        raise bad_data(f"one of the problems {known}", repr(problem), "the log", "name it: (store, problem)")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Labels of the actions: the problem's, else those told by events, else the numbers seen."""
        if self.problem is not None:
            return self.problem.action.labels if isinstance(self.problem.action, Discrete) else ()
        told = known_labels(self.store, self.key)
        if told:
            return told
        seen = [row.decision.action for row in self.rows()]
        return tuple(map(str, range(1 + max((one for one in seen if not isinstance(one, tuple)), default=-1))))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return names_of(self._first)

    @cached_property
    def _first(self) -> Sequence[Mapping[str, Any]]:
        return [self._record(row) for row in self.store.read_rows(self.key, limit=self.size)]

    @cached_property
    def inner(self) -> frozenset[str]:
        """Columns that are members of a context."""
        return inner_of(self._first)

    def sample(self) -> Mapping[str, Any]:
        """The first rows."""
        return self._sample

    @cached_property
    def _sample(self) -> Mapping[str, Any]:
        return next((chunk.columns for chunk in self.chunks(self._names, ())), {})

    def chunks(self, columns: Collection[str], numbers: Collection[str]) -> Iterator[Chunk]:  # noqa: ARG002
        """Every decision in the order of the log; `line` is its sequence number."""
        names = [name for name in self._names if name in columns]
        count = 0
        for rows in self._pages():
            line = np.array([row.decision.sequence for row in rows], dtype=np.int64)
            bare = Chunk({}, ordinals(count, len(rows)), line, str, (), [self._record(row) for row in rows])
            chunk = with_columns(bare, names, self._names)
            yield Chunk(chunk.columns, chunk.row, line, cells(chunk.columns), (), chunk.records, chunk.late)
            count += len(rows)

    def _pages(self) -> Iterator[Sequence[LogRow]]:
        after = 0
        while rows := self.store.read_rows(self.key, after_sequence=after, limit=self.size):
            yield rows
            after = rows[-1].decision.sequence

    def rows(self) -> Iterator[LogRow]:
        """Every decision in order."""
        for rows in self._pages():
            yield from rows

    def _record(self, row: LogRow) -> dict[str, Any]:
        decision, action = row.decision, row.decision.action
        return {
            "decision_id": decision.decision_id,
            "unit_id": decision.unit_id,
            "episode_id": decision.episode_id,
            "step": decision.step,
            "position": decision.position,
            "decided_at": None if (at := to_text(decision.decided_at)) == UNKNOWN_AT else at,
            "action": list(action) if isinstance(action, tuple) else self.label(action),
            "propensity": self._propensity(decision),
            "reward": self.reward(row) if row.counted else None,
            "allowed": mask_of(decision.mask),
            "flag": decision.reason if decision.reason in FLAGS else None,
            "context": self._context(row),
        }

    def _propensity(self, decision: Decision) -> float | None:
        """A label's probability, or a vector's density: that of none, where some vectors were drawn by nobody.

        A probability and a density cannot be weighed against each other, and to leave out the rows without a density
        would choose rows by what was done in them.
        """
        if not isinstance(decision.action, tuple):
            return decision.propensity
        return decision.density if self._dense else None

    @cached_property
    def _dense(self) -> bool:
        return all(row.decision.density is not None for row in self.rows())

    def label(self, action: Action) -> str:
        """The label of an action; its number, or its numbers, where there is none."""
        if isinstance(action, tuple):
            return str(list(action))
        return self.labels[action] if 0 <= action < len(self.labels) else str(action)

    def reward(self, row: LogRow) -> float | None:
        """What a decision brought; None where it was not measured."""
        if row.signals is None:
            return None
        signals = row.signals
        if "reward" in signals or self.problem is None:
            return signals.get("reward")
        known = {name: np.asarray(signals.get(name, np.nan)) for name in self.problem.signal_names}
        return float(self.problem.reward(known))

    def _context(self, row: LogRow) -> Mapping[str, Any]:
        if self.problem is None:
            return row.decision.context
        seen = np.frombuffer(row.decision.observation, dtype="<f4").astype(float).tolist()
        return dict(zip(self.problem.feature_names, seen, strict=False))


def mask_of(mask: bytes | None) -> list[bool] | None:
    """A stored mask, one byte per action, as booleans."""
    return None if mask is None else [byte != 0 for byte in mask]
