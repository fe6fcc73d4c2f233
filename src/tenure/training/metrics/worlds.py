"""What worlds went through since the last checkpoint: episodes, rewards by term, actions, exploration.

Steps are kept in blocks and summed a block at a time, so that a step costs a few copies, whatever is asked of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import Reward
from tenure.core.spaces import Box
from tenure.training.metrics.episodes import EpisodeMeter
from tenure.training.metrics.moments import Moments

BLOCK = 64
"""Steps of all worlds that are summed at once."""
LOOK_EVERY = 17
"""Steps between two looks at what the policy would do itself; a prime, so that looks fall on every hour of a day."""
LOOKED_AT, SAMPLED = 64, 16
"""Worlds that are looked at, and worlds whose single rewards and vectors are kept; spread evenly over all."""
CELLS = 10
"""Cells a number's range is cut into; vectors less than one apart are the same action."""

Actions = Ints | Floats
Greedy = Callable[[Floats, Bools | None], Actions]
"""From raw observations [n, features] and allowed actions to the policy's best actions, as it is now."""


@dataclass(frozen=True)
class Stepped:
    """One step of all worlds.

    Args:
        seen: raw observations it was decided on; [n, features].
        allowed: actions that were allowed; [n, actions], None for all.
        action: what was done; [n], or [n, numbers].
        signals: what came of it; [n] each.
        over: worlds whose episode ended with it; bool [n].
        earned: reward in the learner's units; [n], None where they are the problem's.
    """

    seen: Floats
    allowed: Bools | None
    action: Actions
    signals: Mapping[str, Floats]
    over: Bools
    earned: Floats | None = None


@dataclass
class Tally:
    """What was counted since the last checkpoint: single rewards, actions and looks beside moments."""

    reward: Moments = field(default_factory=Moments)
    earned: Moments = field(default_factory=Moments)
    explored: Moments = field(default_factory=Moments)
    exploited: Moments = field(default_factory=Moments)
    terms: dict[str, float] = field(default_factory=dict)
    rewards: list[Floats] = field(default_factory=list)
    actions: Counter[int] = field(default_factory=Counter)
    extreme: float | None = None

    def metrics(self) -> dict[str, float]:
        """By name; what was not met is absent."""
        if not self.reward.count:
            return {}
        found = {"reward_mean": self.reward.mean, "reward_std": self.reward.std}
        found |= {f"term/{name}": total / self.reward.count for name, total in self.terms.items()}
        single = np.concatenate(self.rewards)
        found["reward_busy"] = 1.0 - float(np.unique(single, return_counts=True)[1].max()) / len(single)
        taken = np.array(list(self.actions.values())) / self.actions.total()
        found |= {"behaviour_top": float(taken.max()), "behaviour_entropy": float(-(taken * np.log(taken)).sum())}
        looks = self.explored.count + self.exploited.count
        if looks:
            found["explored"] = self.explored.count / looks
        for name, part in (("reward_explored", self.explored), ("reward_exploited", self.exploited)):
            found |= {name: part.mean} if part.count else {}
        found |= {"reward_scale": self.earned.std} if self.earned.count else {}
        return found if self.extreme is None else found | {"observation_extreme": self.extreme}


class WorldMeter:
    """Counts what worlds go through; `take` gives the metrics and begins anew.

    Args:
        problem: states the actions.
        reward: whose terms are counted: the one trained on, without prices of limits.
        n: how many worlds.
        greedy: says what the policy's best is; None counts no exploration.
        scaled: raw observations in the learner's units before they are cut off; None for a learner that has none.
    """

    def __init__(
        self,
        problem: Problem,
        reward: Reward,
        n: int,
        greedy: Greedy | None = None,
        scaled: Callable[[Floats], Floats] | None = None,
    ) -> None:
        self.greedy, self.scaled = greedy, scaled
        self._box = problem.action if isinstance(problem.action, Box) else None
        self._weights = dict.fromkeys((term.signal for term in reward.terms), 0.0)
        for term in reward.terms:
            self._weights[term.signal] += term.weight
        self._signals = np.empty((len(self._weights), BLOCK, n))
        self._earned, self._over = np.empty((BLOCK, n)), np.empty((BLOCK, n), dtype=bool)
        numbers = () if self._box is None else (self._box.size,)
        self._action = np.empty((BLOCK, n, *numbers), dtype=np.int64 if self._box is None else np.float64)
        self._looked, self._sampled = spread(n, LOOKED_AT), spread(n, SAMPLED)
        self._at, self.steps, self._looks = 0, 0, list[tuple[int, Bools]]()
        self.episodes, self._tally = EpisodeMeter(n), Tally()

    def update(self, step: Stepped) -> None:
        """Count one step; its arrays are copied."""
        at = self._at
        for row, name in enumerate(self._weights):
            self._signals[row, at] = step.signals[name]
        self._action[at], self._over[at] = step.action, step.over
        self._earned[at] = np.nan if step.earned is None else step.earned
        if self.steps % LOOK_EVERY == 0:
            self._look(step)
        self.steps, self._at = self.steps + 1, at + 1
        if self._at == BLOCK:
            self._sum_up()

    def take(self) -> dict[str, float]:
        """The metrics since the last time; what was not met is absent."""
        self._sum_up()
        tally, self._tally = self._tally, Tally()
        return {**tally.metrics(), **self.episodes.take()}

    def state_dict(self) -> dict[str, Any]:
        """What goes on over checkpoints; call it after `take`."""
        return {"steps": self.steps, "episodes": self.episodes.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on from a checkpoint."""
        self.steps, self._at, self._looks, self._tally = state["steps"], 0, [], Tally()
        self.episodes.load_state_dict(state["episodes"])

    def _look(self, step: Stepped) -> None:
        """What the policy would do itself, and how far out features lie, in some worlds."""
        seen = step.seen[self._looked]
        if self.scaled is not None:
            self._tally.extreme = max(self._tally.extreme or 0.0, float(np.abs(self.scaled(seen)).max()))
        if self.greedy is not None:
            best = self.greedy(seen, None if step.allowed is None else step.allowed[self._looked])
            self._looks.append((self._at, self._same(best, step.action[self._looked])))

    def _same(self, best: Actions, taken: Actions) -> Bools:
        if self._box is None:
            return np.asarray(best == taken)
        width = np.array(self._box.high) - np.array(self._box.low)
        return np.asarray((np.abs(best - taken) < width / CELLS).all(axis=1))

    def _sum_up(self) -> None:
        """Add the block to the tally and empty it."""
        at, tally = self._at, self._tally
        if not at:
            return
        parts = {name: self._signals[row, :at] * weight for row, (name, weight) in enumerate(self._weights.items())}
        reward = np.sum(list(parts.values()), axis=0)
        tally.reward.update(reward)
        for name, part in parts.items():
            tally.terms[name] = tally.terms.get(name, 0.0) + float(part.sum())
        if not np.isnan(self._earned[0, 0]):
            tally.earned.update(self._earned[:at])
        tally.rewards.append(reward[:, self._sampled].ravel())
        labels, counts = np.unique(self._labels(at), return_counts=True)
        tally.actions.update(dict(zip(labels.tolist(), counts.tolist(), strict=True)))
        for row, same in self._looks:
            met = reward[row, self._looked]
            tally.exploited.update(met[same])
            tally.explored.update(met[~same])
        self.episodes.update(reward, self._over[:at])
        self._at, self._looks = 0, []

    def _labels(self, at: int) -> Ints:
        """The actions of a block; of vectors, which cell some worlds' lie in, as one number each."""
        if self._box is None:
            return np.asarray(self._action[:at].ravel())
        low, high = np.array(self._box.low), np.array(self._box.high)
        share = (self._action[:at, self._sampled].reshape(-1, self._box.size) - low) / (high - low)
        cell = np.clip((share * CELLS).astype(np.int64), 0, CELLS - 1)
        return np.asarray(cell @ CELLS ** np.arange(self._box.size))


def spread(n: int, most: int) -> Ints:
    """At most so many of n places, evenly spread.

    >>> spread(9, 3).tolist(), spread(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)
