"""History features: the newest observations side by side, in place of a policy that remembers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.spaces import Feature


@dataclass(frozen=True)
class History:
    """How many observations a policy sees. Whoever asks brings them, so that nobody has to keep any.

    A window holds the newest observation first, then the one before it, and so on: [n, steps * features]. What asks for
    the plain observation reads its first columns.

    Args:
        steps: observations in a window, at least 2.
        half_life: instead of the older ones side by side, their exponentially weighted average beside the newest one;
            the age in steps at which a weight is half the newest's. None keeps all of them.

    Raises:
        ProblemError: fewer than 2 steps, or a half-life that is not above 0.

    Source: stacked observations, Mnih et al. (2015), "Human-level control through deep reinforcement learning".
    """

    steps: int
    half_life: float | None = None

    def __post_init__(self) -> None:
        if self.steps < 2:
            raise _wrong("steps of at least 2: the newest observation and one before it", f"{self.steps}")
        if self.half_life is not None and not self.half_life > 0:
            raise _wrong("a half_life above 0, in steps", f"{self.half_life}")

    def problem(self, problem: Problem) -> Problem:
        """The same problem with windows as observations; its rules read on in the first columns."""
        plain = problem.observation
        return replace(problem, observation=tuple(_aged(one, age) for age in range(self.steps) for one in plain))

    def begun(self, observation: Floats) -> Floats:
        """Windows of worlds that have just started: the first observation stands for those before it."""
        return np.tile(observation, (1, self.steps))

    def pushed(self, window: Floats, observation: Floats) -> Floats:
        """Windows one step later; both [n, ...]."""
        return np.concatenate([observation, window[:, : -observation.shape[1]]], axis=1)

    def windows(self, observation: Floats) -> Floats:
        """The windows of whole runs, from [steps, n, features] to [steps, n, steps * features]."""
        rows = [self.begun(observation[0])]
        for seen in observation[1:]:
            rows.append(self.pushed(rows[-1], seen))
        return np.stack(rows)

    @property
    def weights(self) -> Floats:
        """Weight of each age in the average, the newest first, summing to 1; [steps]."""
        assert self.half_life is not None
        weight = 0.5 ** (np.arange(self.steps) / self.half_life)
        return np.asarray(weight / weight.sum())


class Remembered:
    """A policy of windows over one run of worlds: it is shown plain observations, each world in every step.

    Args:
        policy: proposes from windows.
        history: of the policy.
    """

    def __init__(self, policy: Policy, history: History) -> None:
        self.version, self._policy, self._history = policy.version, policy, history
        self._window: Floats | None = None

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """From what was seen up to now; [n, features], the same n each time."""
        before = self._window
        self._window = self._history.begun(observation) if before is None else self._history.pushed(before, observation)
        return self._policy.propose(self._window, allowed, draw)


def remembering(policy: Policy) -> Policy:
    """The policy ready for one run: with a window of its own where it has a `history`, else itself."""
    history: History | None = getattr(policy, "history", None)
    return policy if history is None else Remembered(policy, history)


@dataclass(frozen=True)
class Newest:
    """A rule over plain observations where windows are shown: it reads the newest.

    Args:
        policy: the rule.
        features: of a plain observation.
    """

    policy: Policy
    features: int

    @property
    def version(self) -> str:
        """The rule's."""
        return self.policy.version

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """From the newest observation of each window."""
        return self.policy.propose(np.ascontiguousarray(observation[:, : self.features]), allowed, draw)


def _aged(feature: Feature, age: int) -> Feature:
    """The feature as it was so many steps ago."""
    if age == 0:
        return feature
    per = None if feature.per is None else _named(feature.per, age)
    return replace(feature, name=_named(feature.name, age), per=per, lag=feature.lag + age, default=None)


def _named(name: str, age: int) -> str:
    return f"{name}, {age} step{'s' if age > 1 else ''} ago"


def _wrong(expected: str, found: str) -> ProblemError:
    return ProblemError(expected=expected, found=found, where="History", fix="mend [train.history], or leave it out")
