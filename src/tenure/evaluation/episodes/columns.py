"""Logged episodes of any length as flat columns, sorted and whole: what estimators of sequential decisions read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes, Logged, joined
from tenure.evaluation.checks import refusal, same_length
from tenure.evaluation.off_policy.terms import DiscreteTerms


@dataclass(frozen=True, eq=False)
class Episodes:
    """Whole episodes, their steps one after the other; built by `from_columns` or `from_logged`.

    Rewards and probabilities may still be NaN or illegal: estimators then answer with a refusal.

    Args:
        reward: of each step, in the problem's currency; [steps].
        target_prob: probability the target gives to the logged action, in [0, 1]; [steps].
        logged_prob: probability with which it was taken, in (0, 1]; [steps].
        elsewhere: the target's probability on actions that the log could not hold, in [0, 1]; [steps].
        index: position of each step in its source; [steps].
        start: row of each episode's first step; [episodes].
        episode: hash of each episode, ascending; uint64 [episodes].
        unit: hash of the independent unit it belongs to; uint64 [episodes].
        cluster: what a unit is.
        q: a model's value Q(s, a) of the logged action, in the reward's unit; [steps]; None without a model.
        v: its value of the target, sum_a pi(a | s) Q(s, a); [steps]; None without a model.
    """

    reward: Floats
    target_prob: Floats
    logged_prob: Floats
    elsewhere: Floats
    index: Ints
    start: Ints
    episode: Hashes
    unit: Hashes
    cluster: str = "episode"
    q: Floats | None = None
    v: Floats | None = None

    def __len__(self) -> int:
        return len(self.start)

    @property
    def steps(self) -> int:
        """Steps of all episodes."""
        return len(self.reward)

    @property
    def length(self) -> Ints:
        """Steps of each episode; [episodes]."""
        return np.diff(self.start, append=self.steps)

    @property
    def step(self) -> Ints:
        """Number of each step in its episode, from 0; [steps]."""
        return np.asarray(np.arange(self.steps) - np.repeat(self.start, self.length))

    @classmethod
    def from_columns(
        cls,
        *,
        reward: Floats,
        target_prob: Floats,
        logged_prob: Floats,
        episode: Any,
        step: Ints,
        unit: Any = None,
        elsewhere: Floats | None = None,
        index: Ints | None = None,
        q: Floats | None = None,
        v: Floats | None = None,
    ) -> Episodes:
        """Episodes from rows in any order; every column is [steps].

        Args:
            episode: which episode a row belongs to; integers.
            step: its number there, from 0 without gaps.
            unit: the independent unit; integers. Where it changes within an episode, or is not given, the episode is
                the unit.

        Raises:
            EvidenceError: no row, columns of different lengths, or an episode with a doubled or missing step.
        """
        episode, rows = np.asarray(episode, dtype=np.uint64), len(reward)
        none, numbers = np.zeros(rows), np.arange(rows)
        columns: dict[str, Any] = {
            "reward": np.asarray(reward, dtype=np.float64),
            "target_prob": np.asarray(target_prob, dtype=np.float64),
            "logged_prob": np.asarray(logged_prob, dtype=np.float64),
            "elsewhere": none if elsewhere is None else elsewhere,
            "index": numbers if index is None else index,
        } | {name: column for name, column in (("q", q), ("v", v)) if column is not None}
        units = episode if unit is None else np.asarray(unit, dtype=np.uint64)
        lengths = {name: len(column) for name, column in columns.items()}
        same_length("Episodes", episode=len(episode), step=len(step), unit=len(units), **lengths)
        order, start = sorted_episodes(episode, np.asarray(step))
        ids, owner, cluster = units_of(episode[order], units[order], start, given=unit is not None)
        kept = {name: column[order] for name, column in columns.items()}
        return cls(**kept, start=start, episode=ids, unit=owner, cluster=cluster)

    @classmethod
    def from_logged(
        cls,
        logged: Logged,
        target_prob: Floats,
        *,
        seen: Bools | None = None,
        q: Floats | None = None,
        v: Floats | None = None,
    ) -> Episodes:
        """Episodes of a batch of a log that holds them whole (`whole_episodes`).

        Args:
            logged: rows with `episode` and `step`, of a `Discrete` action space.
            target_prob: the target's probability of every action; [n, actions].
            seen: which actions the whole log holds; [actions]; those of this batch when None.
            q, v: a model's values, in the order of the rows; [n].

        Raises:
            EvidenceError: rows without episode or step, an unknown action, probabilities that do not sum to 1, or as
                `from_columns`.
        """
        episode, step = episode_columns(logged)
        p, elsewhere = supported(logged, target_prob, seen)
        return cls.from_columns(
            reward=logged.reward,
            target_prob=np.take_along_axis(p, logged.action[:, None], axis=1)[:, 0],
            logged_prob=logged.propensity,
            episode=episode,
            step=step,
            unit=logged.unit,
            elsewhere=elsewhere,
            index=logged.index,
            q=q,
            v=v,
        )


def sorted_episodes(episode: Hashes, step: Ints) -> tuple[Ints, Ints]:
    """Order of the rows by (episode, step), [n], and where each episode starts in it, [episodes].

    Raises:
        EvidenceError: no row, or an episode whose steps are not 0, 1, 2, ... once each.
    """
    if not len(episode):
        raise refusal("at least one step", "an empty log", "Episodes", "check the file and its rejected rows")
    order = np.lexsort((step, episode))
    ids, steps = episode[order], step[order]
    start = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    due = np.arange(len(ids)) - np.repeat(start, np.diff(start, append=len(ids)))
    wrong = np.flatnonzero(steps != due)
    if len(wrong):
        row = int(wrong[0])
        doubled = due[row] > 0 and steps[row] == steps[row - 1]
        found = f"step {int(steps[row])} twice" if doubled else f"no step {int(due[row])} before {int(steps[row])}"
        fix = "number the steps from 0, log each once, and pass whole episodes"
        raise refusal("steps 0, 1, 2, ... in every episode", found, f"Episodes, episode {int(ids[row])}", fix)
    return order, start


def units_of(episode: Hashes, unit: Hashes, start: Ints, *, given: bool) -> tuple[Hashes, Hashes, str]:
    """Each episode's hash, its unit and what the unit is called; columns are sorted, [n]."""
    ids, owner = episode[start], unit[start]
    constant = np.array_equal(np.repeat(owner, np.diff(start, append=len(unit))), unit)
    return (ids, owner, "unit") if given and constant else (ids, ids, "episode")


def episode_columns(logged: Logged) -> tuple[Hashes, Ints]:
    """The log's episode and step columns.

    Raises:
        EvidenceError: it has none, actions are no numbers of labels, or an action is unknown.
    """
    where, fix = "Episodes.from_logged", "map episode_id, step and action when the log is imported"
    if logged.episode is None or logged.step is None:
        raise refusal("columns episode and step", "one-step decisions", where, fix)
    if not logged.labels:
        raise refusal("actions of a finite set", "a continuous action", where, "value its episodes in a simulator")
    unknown = np.flatnonzero((logged.action < 0) | (logged.action >= len(logged.labels)))
    if len(unknown):
        row = int(logged.index[unknown[0]])
        raise refusal("an action among the labels", str(logged.action[unknown[0]]), f"{where}, row {row}", fix)
    return logged.episode, logged.step


def supported(logged: Logged, target_prob: Floats, seen: Bools | None) -> tuple[Floats, Floats]:
    """The target's probabilities, checked, [n, actions], and their mass on what could not be logged, [n]."""
    if seen is None:
        seen = np.bincount(logged.action, minlength=len(logged.labels)) > 0
    terms = DiscreteTerms(lambda _: target_prob, np.asarray(seen, dtype=np.float64))
    p = terms.probabilities(logged)
    barred = np.zeros(p.shape, dtype=bool) if logged.allowed is None else ~logged.allowed
    return p, (p * (barred | ~np.asarray(seen, dtype=bool))).sum(axis=1)


def whole_episodes(batches: Iterable[Logged]) -> Iterator[Logged]:
    """The same rows in batches that never cut an episode, for logs whose episodes' rows stand together.

    An episode whose rows are scattered over the log still comes in parts: the estimators notice and refuse.
    """
    held: Logged | None = None
    for batch in batches:
        rows = batch if held is None else joined([held, batch])
        episode, _ = episode_columns(rows)
        others = np.flatnonzero(episode != episode[-1:])
        closed = int(others[-1]) + 1 if len(others) else 0
        if closed:
            yield rows.take(slice(0, closed))
        held = rows.take(slice(closed, None))
    if held is not None and len(held):
        yield held
