"""From understood rows to `Logged`: labels to indices, ids to hashes, masks to matrices, episodes to counted steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes, Logged
from tenure.store.tables.understanding import Plan, Understood
from tenure.store.tables.values import hashes


class EpisodeCounter:
    """Numbers episodes that are told by their last rows, batch by batch.

    >>> counter = EpisodeCounter()
    >>> [part.tolist() for part in counter.update([np.array([0.0, 1.0, 0.0])])]
    [[0, 0, 1], [0, 1, 0]]
    >>> [part.tolist() for part in counter.update([np.array([1.0, 0.0])])]
    [[1, 2], [1, 0]]
    """

    def __init__(self) -> None:
        self._number, self._step = 0, 0

    def update(self, ends: Sequence[Floats]) -> tuple[Ints, Ints]:
        """Number and step of each row; an episode ends where any of the columns is not 0; int64 [n] each."""
        last: Ints = np.nan_to_num(np.stack(ends)).astype(bool).max(axis=0).astype(np.int64)
        n = len(last)
        begun: Ints = np.cumsum(last) - last  # episodes that ended before each row
        first = np.maximum.accumulate(np.where(np.concatenate([[1], last[:-1]])[:n] > 0, np.arange(n), 0))
        step = np.arange(n) - first + np.where(begun == 0, self._step, 0)
        number = self._number + begun
        if n:
            self._number, self._step = int(number[-1] + last[-1]), 0 if last[-1] else int(step[-1]) + 1
        return number.astype(np.int64), step.astype(np.int64)


class Shaper:
    """Shapes the chunks of one pass, in order: episodes without a number of their own are counted along."""

    def __init__(self, plan: Plan, labels: Sequence[str], names: Sequence[str]) -> None:
        self.plan, self.labels, self.names = plan, tuple(labels), tuple(names)
        self._values = pa.array(self.labels, pa.string())
        self._index = {label: k for k, label in enumerate(self.labels)}
        self._episodes = EpisodeCounter()
        self._steps: dict[int, int] = {}

    def logged(self, rows: Understood) -> Logged:
        """The rows as the estimators read them."""
        values, n = rows.values, len(rows)
        ids = self._ids(rows)
        id_hash, episode, step = self._hashed(rows, ids)
        return Logged(
            index=rows.row,
            decision_id=ids,
            unit=self._units(rows, id_hash),
            action=self._actions(values["action"]),
            propensity=values.get("propensity", np.full(n, np.nan)),
            reward=values.get("reward", np.full(n, np.nan)),
            features=self._features(rows),
            names=self.names,
            labels=self.labels,
            episode=episode,
            step=step,
            position=values.get("position"),
            at=values.get("decided_at"),
            allowed=self._allowed(values.get("allowed"), n),
        )

    def _actions(self, actions: Any) -> Any:
        if isinstance(actions, np.ndarray):
            return actions
        return pc.index_in(actions, value_set=self._values).to_numpy(zero_copy_only=False).astype(np.int64)

    def _features(self, rows: Understood) -> Floats:
        found = np.empty((len(rows), len(self.names)))
        start = 0
        for feature in self.plan.features:
            width = len(feature.names)
            found[:, start : start + width] = rows.features[feature.column]
            start += width
        return found

    def _ids(self, rows: Understood) -> Any:
        """Ids; where there is none the row's ordinal stands for it; object [n]."""
        ids = rows.values.get("decision_id")
        if ids is None:
            return np.array(list(map(str, rows.row.tolist())), dtype=object)
        found = ids.to_numpy(zero_copy_only=False)
        if ids.null_count:
            found = np.where(np.asarray(ids.is_null()), rows.row.astype(str).astype(object), found)
        return found

    def _units(self, rows: Understood, id_hash: Callable[[], Hashes]) -> Hashes:
        units = rows.values.get("unit_id")
        if units is None:
            return id_hash()
        found = hashes(units)
        return np.where(np.asarray(units.is_null()), id_hash(), found) if units.null_count else found

    def _hashed(self, rows: Understood, ids: Any) -> tuple[Any, Hashes | None, Ints | None]:
        """A hash per decision, made when asked for, and episodes with their steps."""

        def id_hash() -> Hashes:
            return hashes(ids)

        names = rows.values.get("episode_id")
        step: Ints | None = rows.values.get("step")
        if names is None:
            ends = [rows.values[role] for role in ("terminal", "timeout") if role in rows.values]
            if not ends:
                return id_hash, None, step
            number, counted = self._episodes.update(ends)
            return id_hash, hashes(number.astype(str).astype(object)), counted
        episode = hashes(names)
        if names.null_count:  # a decision without an episode is one of its own
            episode = np.where(np.asarray(names.is_null()), id_hash(), episode)
        return id_hash, episode, self._running(episode) if step is None else step

    def _running(self, episode: Hashes) -> Ints:
        """Steps in order of appearance; remembers how far each episode has come."""
        step = np.empty(len(episode), dtype=np.int64)
        steps = self._steps
        for i, name in enumerate(episode.tolist()):
            step[i] = steps.get(name, 0)
            steps[name] = int(step[i]) + 1
        return step

    def _allowed(self, masks: Any, n: int) -> Bools | None:
        """bool [n, actions]; None when nothing is forbidden in any of these rows."""
        if masks is None or self.plan.box or all(mask is None for mask in masks):
            return None
        found = np.ones((n, len(self.labels)), dtype=bool)
        for i, mask in enumerate(masks):
            if mask is None:
                continue
            found[i] = False
            if isinstance(mask[0], bool):
                found[i, : len(mask)] = mask
            else:
                found[i, [self._index[label] for label in mask]] = True
        return found
