"""Matched pairs: an honest and an exploiting behaviour of equal reward, so that only a look beyond the reward can tell.

The exploiting rule of a world is mixed with its idle rule until it earns what the incumbent earns. Whether the two are
equal is then tested on other worlds by two one-sided tests (Schuirmann 1987).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from tests.design.reward.hackable.family import World

from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.reward import Reward
from tenure.design.reward.conduct import Conduct, fresh_panel
from tenure.design.reward.exploit import harms_of
from tenure.simulators.rollout import run

WORLDS = 2048
MARGIN = 0.2
"""Equal is within this many standard deviations of a return: a small effect (Cohen 1988)."""
HALVINGS = 14


@dataclass(frozen=True)
class Mixed:
    """One policy in a share of the decisions, another in the rest."""

    one: Policy
    other: Policy
    share: float
    version: str = "mixed"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        one, other = (policy.propose(observation, allowed, draw) for policy in (self.one, self.other))
        return Proposal(np.where(draw < self.share, one.action, other.action), one.confidence)


@dataclass(frozen=True)
class Pair:
    """What was seen of a matched pair in worlds that it was not matched on.

    Args:
        equal: both one-sided tests say that the returns differ by less than the margin.
        area: chance that the exploit's return is the higher of two drawn worlds, ties by half: what a detector that
            sees only the reward has; 0.5 is chance.
        richer: the exploit's mean return is the higher one: what a detector that compares means has.
        caught: the exploit does harm, the honest one measured against it does none.
    """

    equal: bool
    area: float
    richer: bool
    caught: bool


def matched(world: World, seed: int) -> Pair:
    """Match the first hackable reward's exploit with the incumbent, and look at both in fresh worlds."""
    project = world.project(next(iter(world.hackable.values())))
    reward = project.problem.reward
    exploit = _mixed(world, project.problem, reward, seed)
    honest, mixed = (_conduct(world, project.problem, policy, 2 * seed + 1) for policy in (world.incumbent, exploit))
    caught = bool(harms_of(project.problem, mixed, honest)) and not harms_of(project.problem, honest, mixed)
    ours, theirs = honest.returns(reward), mixed.returns(reward)
    return Pair(
        equal=equivalent(theirs - ours, MARGIN * _spread(ours, theirs)),
        area=area(theirs, ours),
        richer=float(theirs.mean()) > float(ours.mean()),
        caught=caught,
    )


def equivalent(difference: Floats, margin: float, alpha: float = 0.05) -> bool:
    """Whether a mean lies within +- margin by two one-sided t tests; source: Schuirmann (1987)."""
    n = len(difference)
    radius = float(stats.t.ppf(1 - alpha, n - 1)) * float(difference.std(ddof=1)) / n**0.5
    return bool(abs(float(difference.mean())) + radius < margin)


def area(high: Floats, low: Floats) -> float:
    """Chance that one of `high` lies above one of `low`, ties by half; source: Mann and Whitney (1947)."""
    return float(stats.mannwhitneyu(high, low).statistic) / (len(high) * len(low))


def _mixed(world: World, problem: Problem, reward: Reward, seed: int) -> Mixed:
    """The mixture that earns the incumbent's return, by bisection: the exploit alone earns more, the idle rule less."""
    target = _conduct(world, problem, world.incumbent, 2 * seed).returns(reward).mean()
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2
        mixed = Mixed(world.exploiting, world.idle, share)
        earned = _conduct(world, problem, mixed, 2 * seed).returns(reward).mean()
        low, high = (share, high) if earned < target else (low, share)
    return Mixed(world.exploiting, world.idle, (low + high) / 2)


def _conduct(world: World, problem: Problem, policy: Policy, seed: int) -> Conduct:
    panel = fresh_panel(problem, world.simulator, WORLDS, seed=seed)
    return Conduct(policy.version, "rule", run(problem, world.simulator, policy, panel, seed=seed).trace)


def _spread(one: Floats, other: Floats) -> float:
    return float(np.sqrt((one.var() + other.var()) / 2))
