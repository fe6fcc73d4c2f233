"""Logged decisions as columns, whoever wrote the log: what estimators, monitors and learners from logs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import EvidenceError

Hashes = NDArray[np.uint64]

SHARED = frozenset({"names", "labels"})
"""Fields of a batch that are its source's, not one per row."""


@dataclass(frozen=True, eq=False)
class Logged:
    """n decisions with what came of them, one batch of a log.

    Args:
        index: position of each row in its source, from 0; int64 [n].
        decision_id: ids; object [n].
        unit: hash of the sticky key, equal for rows of one unit; uint64 [n].
        action: index into `labels`, int64 [n]; for a `Box` the vector itself, float64 [n, dimensions].
        propensity: probability (for a `Box` the density) with which it was taken; NaN where unknown; [n].
        reward: what the decision brought, in the problem's currency; NaN where it was not measured; [n].
        features: the situation as numbers; float64 [n, features].
        names: one name per feature.
        labels: one label per action, the same in every batch of a source; empty for a `Box`.
        episode: hash of the episode, equal for its rows; uint64 [n], None in logs of one-step decisions.
        step: position in the episode; int64 [n], None in logs of one-step decisions.
        position: slot of a slate; int64 [n], None elsewhere.
        at: moment of the decision, UTC; datetime64[us] [n], None where the log has no time.
        allowed: actions that could have been taken; [n, actions], None when all could.
    """

    index: Ints
    decision_id: Any
    unit: Hashes
    action: Any
    propensity: Floats
    reward: Floats
    features: Floats
    names: tuple[str, ...]
    labels: tuple[str, ...]
    episode: Hashes | None = None
    step: Ints | None = None
    position: Ints | None = None
    at: Any = None
    allowed: Bools | None = None

    def __len__(self) -> int:
        return len(self.reward)

    def take(self, rows: Any) -> Logged:
        """Some of the rows, by a boolean or integer index."""
        columns = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in SHARED and getattr(self, field.name) is not None
        }
        return replace(self, **columns)


def joined(parts: Sequence[Logged]) -> Logged:
    """Batches of one source as one.

    Raises:
        EvidenceError: no batch.
    """
    if not parts:
        raise EvidenceError(
            expected="at least one batch", found="none", where="joined", fix="check the file and its rejected rows"
        )
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Logged)
        if field.name not in SHARED and getattr(parts[0], field.name) is not None
    }
    return replace(parts[0], **columns)


class LoggedSource(Protocol):
    """A log that can be read again and again, in batches and in order."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the actions, in order; empty for a `Box`."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        ...

    def batches(self) -> Iterator[Logged]:
        """The rows from the first to the last."""
        ...


Target = Callable[[Logged], Floats]
"""A policy under evaluation: probability of every action in each row, [n, actions], rows sum to 1; for a `Box` its
action, [n, dimensions]."""


@dataclass(frozen=True, eq=False)
class LoggedTable:
    """A log in memory: one batch that is its own source."""

    rows: Logged
    size: int = 65_536

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the actions."""
        return self.rows.labels

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.rows.names

    def batches(self) -> Iterator[Logged]:
        """The rows in order, `size` at a time."""
        for start in range(0, len(self.rows), self.size):
            yield self.rows.take(slice(start, start + self.size))
