"""A label is known afterwards, says the reward with the action, and does not depend on the action."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.design.assess.test_dependence import records

from tenure.core.arrays import Floats
from tenure.core.evidence import Finding, Verdict
from tenure.design.assess.behaviour import behaviour_of
from tenure.design.assess.labels import label_unknown


def judged(after: Floats, name: str, reward: Floats, action: np.ndarray, x: Floats) -> Finding:
    log = records(x, action, reward, np.full(len(x), 0.5))
    log = replace(log, after=after[:, None], after_names=(name,))
    return label_unknown(log, behaviour_of(log))


def drawn() -> tuple[Floats, np.ndarray, Floats]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(2000, 2)), rng.integers(0, 2, 2000), rng.normal(size=2000)


def test_a_demand_that_comes_whatever_is_ordered_is_a_label() -> None:
    x, action, demand = drawn()
    found = judged(demand, "demand", np.where(action == 1, demand, -demand), action, x)
    assert found.verdict is Verdict.FAIL
    assert "demand is known afterwards" in found.reason


def test_what_came_of_the_action_taken_is_no_label() -> None:
    x, action, noise = drawn()
    minutes = 2.0 * action + noise
    assert judged(minutes, "minutes", 3 * minutes, action, x).verdict is Verdict.PASS


def test_a_column_that_leaves_the_reward_open_is_no_label() -> None:
    x, action, demand = drawn()
    noise = np.random.default_rng(1).normal(size=2000)
    found = judged(demand, "demand", np.where(action == 1, demand, -demand) + noise, action, x)
    assert found.verdict is Verdict.PASS
    assert "not enough" in found.reason


def test_a_reward_that_the_situation_tells_already_needs_no_label() -> None:
    x, action, demand = drawn()
    assert judged(demand, "demand", x[:, 0] * (2 * action - 1), action, x).verdict is Verdict.PASS


def test_without_a_later_column_the_others_outcome_is_unknown() -> None:
    x, action, noise = drawn()
    log = records(x, action, noise, np.full(2000, 0.5))
    assert label_unknown(log, behaviour_of(log)).verdict is Verdict.PASS
