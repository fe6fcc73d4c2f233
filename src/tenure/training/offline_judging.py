"""Checkpoints judged by the part of a log that was kept back, where no simulator is to choose among them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import SettingsError
from tenure.core.evidence import Verdict
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.reward import Reward
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.trajectories import FORMULAS, returns
from tenure.evaluation.episodes.values import EpisodeValue
from tenure.training.offline import filled, some_rows

ESTIMATOR = "pdwis"
"""Per-decision weighted importance sampling, the self-normalised one `evaluate --log` judges episodes by; in problems
of one step it is `snips`."""
ALPHA = 0.05


@dataclass(frozen=True)
class ByLog:
    """What the log says of a checkpoint.

    Args:
        estimator: its short name.
        value: discounted return of an episode, in the reward's unit; None where the log cannot say.
        low, high: 95 % interval.
        logged: the same of the log's own policy.
        verdict: pass where the interval lies above that, fail where below, else inconclusive.
        reason: why there is no value.
    """

    estimator: str
    value: float | None
    low: float | None
    high: float | None
    logged: float
    verdict: str
    reason: str = ""


class LogJudge:
    """Values policies on whole episodes of the part kept back.

    Episodes with a missing step, feature, reward or propensity are left out.

    Args:
        log: the part kept back.
        problem: labels and discount.
        reward: of the signals.

    Raises:
        SettingsError: actions are vectors, or no episode is whole.
    """

    def __init__(self, log: Trajectories, problem: Problem, reward: Reward) -> None:
        if not isinstance(problem.action, Discrete):
            raise _refused("labels, to choose checkpoints by a log", "vectors", problem)
        paid = np.asarray(reward(log.signals), dtype=float)
        rows = _whole(log, paid, filled(log, problem))
        if not rows.any():
            raise _refused("episodes with every step, feature, reward and propensity", "none", problem)
        self.log, self.reward, self.problem = some_rows(log, rows), paid[rows], problem
        self.seen = filled(self.log, problem).astype(np.float32)
        episodes = self._episodes(np.ones(len(self.log)), np.zeros(len(self.log)))
        self.logged = float(returns(episodes, problem.discount).mean())

    def __call__(self, policy: Policy) -> dict[str, Any]:
        """What the log says, as plain fields of `ByLog`."""
        n = len(self.log)
        proposal = policy.propose(self.seen, self.problem.allowed(self.seen, None), np.zeros(n))
        shares = proposal.distribution
        if shares is None:
            shares = np.eye(len(self._taken))[proposal.action]
        own = shares[np.arange(n), self.log.action]
        estimator = EpisodeValue(FORMULAS[ESTIMATOR], self.problem.discount)
        estimator.update(self._episodes(own, shares[:, ~self._taken].sum(axis=1)))
        found = estimator.result(ALPHA, seed=0)
        verdict = _verdict(found.low, found.high, self.logged)
        return asdict(ByLog(ESTIMATOR, found.value, found.low, found.high, self.logged, verdict.word, found.reason))

    @property
    def _taken(self) -> Bools:
        """Actions that the log holds at all; bool [actions]."""
        assert isinstance(self.problem.action, Discrete)
        return np.asarray(np.bincount(self.log.action, minlength=self.problem.action.size) > 0)

    def _episodes(self, target: Floats, elsewhere: Floats) -> Episodes:
        first = np.searchsorted(self.log.episode, np.arange(self.log.episodes))
        units = np.unique(self.log.world, return_inverse=True)[1]
        return Episodes.from_columns(
            reward=self.reward,
            target_prob=target,
            logged_prob=self.log.propensity,
            episode=self.log.episode,
            step=self.log.step - self.log.step[first][self.log.episode],
            unit=units[self.log.episode],
            elsewhere=elsewhere,
        )


def _whole(log: Trajectories, paid: Floats, seen: Floats) -> Bools:
    """Rows of episodes that miss nothing; bool [n]."""
    legal = (log.propensity > 0) & (log.propensity <= 1)
    right = legal & np.isfinite(paid) & np.isfinite(seen).all(axis=1)
    jump = np.append(False, (np.diff(log.episode) == 0) & (np.diff(log.step) != 1))
    wrong = np.bincount(log.episode, weights=~right | jump, minlength=log.episodes) > 0
    return np.asarray(~wrong[log.episode])


def _verdict(low: float | None, high: float | None, logged: float) -> Verdict:
    if low is None or high is None:
        return Verdict.INCONCLUSIVE
    if low >= logged:
        return Verdict.PASS
    return Verdict.FAIL if high < logged else Verdict.INCONCLUSIVE


def _refused(expected: str, found: str, problem: Problem) -> SettingsError:
    where, fix = f"problem {problem.name!r}, `choose`", 'set choose = "simulator" in the table of the recipe'
    return SettingsError(expected=expected, found=found, where=where, fix=fix)
