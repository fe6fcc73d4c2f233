"""Steps of logged episodes with the state that follows each: what learning from logs reads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Hashes, Logged
from tenure.evaluation.checks import refusal
from tenure.evaluation.episodes.columns import episode_columns, sorted_episodes, supported, units_of

NO_CUT: Hashes = np.empty(0, dtype=np.uint64)
"""Every episode ended by itself."""

SMALL = 1e-3
"""Share of an endless value that may be left out: rounds go on until discount^rounds is below it."""


@dataclass(frozen=True, eq=False)
class Transitions:
    """Rows sorted by episode and step; some are states only, reached when an episode was cut off.

    Args:
        features: the situation; [n, features].
        action: index of the logged action; [n].
        reward: what the step brought, in the problem's currency; [n].
        target_prob: probability the target gives to every action; [n, actions].
        propensity: of the logged action; [n].
        elsewhere: the target's probability on actions that the log could not hold; [n].
        index: position of each row in its source; [n].
        following: row of the state that follows; -1 where the episode ended there; [n].
        taken: rows whose action and reward count; False for a state in which an episode was cut off; [n].
        start: row of each episode's first step; [episodes].
        unit: hash of each episode's independent unit; uint64 [episodes].
        cluster: what a unit is.
        row: which row of the log each one was; [n].
    """

    features: Floats
    action: Ints
    reward: Floats
    target_prob: Floats
    propensity: Floats
    elsewhere: Floats
    index: Ints
    following: Ints
    taken: Bools
    start: Ints
    unit: Hashes
    cluster: str
    row: Ints

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def actions(self) -> int:
        """Actions there are."""
        return int(self.target_prob.shape[1])

    @property
    def owner(self) -> Hashes:
        """Unit of each row; [n]."""
        return np.repeat(self.unit, self.length)

    @property
    def length(self) -> Ints:
        """Rows of each episode; [episodes]."""
        return np.diff(self.start, append=len(self))

    @classmethod
    def from_logged(
        cls, logged: Logged, target_prob: Floats, *, cut: Hashes = NO_CUT, seen: Bools | None = None
    ) -> Transitions:
        """Transitions of a whole log, in any order of rows.

        An episode ends at its last row and nothing follows, unless it is named in `cut`: then it was only observed so
        far, its last row is the state it had reached, and the step before leads there. That row's own action and
        reward, if any, have no known consequence and do not count.

        Args:
            logged: rows with `episode` and `step`, of a `Discrete` action space.
            target_prob: the target's probability of every action; [n, actions].
            cut: hashes of the episodes that were cut off.
            seen: which actions the log holds; [actions]; found in the rows when None.

        Raises:
            EvidenceError: as `Episodes.from_logged`, or a cut episode that is not in the log.
        """
        episode, step = episode_columns(logged)
        p, elsewhere = supported(logged, target_prob, seen)
        order, start = sorted_episodes(episode, step)
        ids, unit, cluster = units_of(episode[order], logged.unit[order], start, given=True)
        last = np.append(start[1:], len(order)) - 1
        absent = np.setdiff1d(cut, ids)
        if len(absent):
            fix = "name cut episodes by the hashes of the column episode"
            raise refusal("cut episodes of this log", f"{int(absent[0])}", "Transitions.from_logged(cut)", fix)
        following, taken = np.arange(1, len(order) + 1), np.ones(len(order), dtype=bool)
        following[last] = -1
        taken[last[np.isin(ids, cut)]] = False
        rows = logged.take(order)
        return cls(
            features=rows.features,
            action=rows.action,
            reward=rows.reward,
            target_prob=p[order],
            propensity=rows.propensity,
            elsewhere=elsewhere[order],
            index=rows.index,
            following=following,
            taken=taken,
            start=start,
            unit=unit,
            cluster=cluster,
            row=order,
        )


def rounds_needed(transitions: Transitions, discount: float) -> int:
    """Rounds of backward induction that value a whole episode.

    As many as the longest episode has steps; where an episode was cut off, or earlier for a strong discount, as many
    as bring discount^rounds below 0.001.

    Raises:
        EvidenceError: an episode was cut off and nothing is discounted: its value has no end.
    """
    endless = not transitions.taken.all()
    if endless and discount >= 1:
        fix = "give a discount below 1, or leave out the episodes that were cut off"
        raise refusal("a discount below 1 where episodes were cut off", str(discount), "fqe(discount)", fix)
    longest = int(transitions.length.max())
    if discount >= 1:
        return longest
    fading = math.ceil(math.log(SMALL) / math.log(discount))
    return fading if endless else min(longest, fading)
