"""What the tests of bandits share: a small problem, rows that depend on all of it, and bandits that learned them."""

from __future__ import annotations

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.training.bandit_rules import UCB, EpsilonGreedy, InverseGap, LinUCB, Rule, Softmax, Thompson
from tenure.training.bandits import Bandit, make_bandit

PROBLEM = Problem(
    name="toy",
    about="for tests",
    observation=(Feature("x", "m"), Feature("y", "m"), Feature("kind", "category number")),
    action=Discrete(("a", "b", "c", "d")),
    signals=(Signal("won", "$", -100, 100),),
    reward=Reward((Term("won", 1.0, "$", "it is earned"),)),
    kpis=(KPI("won", "$", "higher", {"won": 1}),),
)
RULES: tuple[Rule, ...] = (EpsilonGreedy(), Softmax(0.5), InverseGap(8.0), LinUCB(), UCB(), Thompson(draws=200))
ITEMS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, -1.0]])


def rows(n: int, seed: int = 0) -> tuple[Floats, Ints, Floats]:
    """Situations, actions and rewards that depend on all of them."""
    rng = np.random.default_rng(seed)
    observation = np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, 3, n)]).astype(np.float32)
    action = rng.integers(0, 4, n)
    reward = observation[:, 0] * action + observation[:, 1] + (observation[:, 2] == action) + rng.normal(size=n)
    return observation, action, reward


def learned(rule: Rule, action_features: Floats | None = None, n: int = 200) -> Bandit:
    bandit = make_bandit(PROBLEM, rule, categories={"kind": 3}, action_features=action_features)
    bandit.update(*rows(n))
    return bandit


def masks(n: int) -> Bools:
    allowed = np.random.default_rng(8).random((n, 4)) < 0.5
    allowed[np.arange(n), np.arange(n) % 4] = True
    return allowed
