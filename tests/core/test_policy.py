"""The conformance check of policies lets the good pass and catches every broken promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import BundleError
from tenure.core.policy import Proposal, check_policy
from tenure.core.project import load_project
from tenure.core.spaces import Box

OBSERVATION: Floats = np.arange(8, dtype=np.float32).reshape(4, 2)
Act = Callable[[Floats, Bools | None, Floats], Any]


class Made:
    """A policy from one function."""

    version = "made"

    def __init__(self, act: Act) -> None:
        self.act = act

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        found = self.act(observation, allowed, draw)
        return found if isinstance(found, Proposal) else Proposal(found, np.ones(len(found)))


def parity(observation: Floats) -> Any:
    return observation[:, 0].astype(int) % 3


def with_chances(*chances: float) -> Act:
    def act(observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        n = len(observation)
        return Proposal(np.zeros(n, int), np.ones(n), np.tile(chances, (n, 1)))

    return act


def test_a_good_policy_passes_with_and_without_a_mask() -> None:
    check_policy(Made(lambda o, a, d: parity(o)), OBSERVATION, 3)
    check_policy(Made(lambda o, a, d: np.zeros(len(o), int)), OBSERVATION, 3, np.tile([True, False, False], (4, 1)))
    check_policy(Made(with_chances(0.5, 0.25, 0.25)), OBSERVATION, 3)
    check_policy(Made(lambda o, a, d: (d * 3).astype(int)), OBSERVATION, 3)


def counter() -> Act:
    calls: list[int] = []

    def act(observation: Floats, allowed: Bools | None, draw: Floats) -> Any:
        calls.append(1)
        return np.full(len(observation), len(calls) % 2)

    return act


def spoil(observation: Floats, allowed: Bools | None, draw: Floats) -> Any:
    observation += 1
    return np.zeros(len(observation), int)


def boom(observation: Floats, allowed: Bools | None, draw: Floats) -> Any:
    raise RuntimeError("boom")


BROKEN: dict[str, tuple[Act, str]] = {
    "raises": (boom, "RuntimeError: boom"),
    "another answer the second time": (counter(), "again"),
    "looks at the other rows": (lambda o, a, d: np.full(len(o), int(len(o) > 1)), "alone"),
    "beyond the last action": (lambda o, a, d: np.full(len(o), 3), "an allowed action"),
    "a negative action": (lambda o, a, d: np.full(len(o), -1), "an allowed action"),
    "half an action": (lambda o, a, d: np.full(len(o), 0.5), "as an integer"),
    "too few actions": (lambda o, a, d: np.zeros(1, int), "4 actions"),
    "too few confidences": (lambda o, a, d: Proposal(np.zeros(len(o), int), np.ones(1)), "4 and 1"),
    "no confidence": (lambda o, a, d: Proposal(np.zeros(len(o), int), np.full(len(o), np.nan)), "confidence in [0, 1]"),
    "too confident": (lambda o, a, d: Proposal(np.zeros(len(o), int), np.full(len(o), 1.1)), "confidence in [0, 1]"),
    "chances above one": (with_chances(0.9, 0.9, 0.0), "summing to 1"),
    "negative chances": (with_chances(1.5, -0.5, 0.0), "summing to 1"),
    "no chance for its own action": (with_chances(0.0, 1.0, 0.0), "summing to 1"),
    "chances for other actions": (with_chances(0.5, 0.5), "summing to 1"),
    "writes into its observation": (spoil, "left as they were"),
}


@pytest.mark.parametrize(("act", "says"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_policy_is_caught(act: Act, says: str) -> None:
    with pytest.raises(BundleError) as caught:
        check_policy(Made(act), OBSERVATION.copy(), 3)
    assert says in str(caught.value)
    assert "'made'" in caught.value.where


def test_a_policy_that_ignores_the_mask_is_caught() -> None:
    allowed = np.tile([False, True, True], (4, 1))
    with pytest.raises(BundleError, match="row 0"):
        check_policy(Made(lambda o, a, d: np.zeros(len(o), int)), OBSERVATION, 3, allowed)
    with pytest.raises(BundleError, match="allowed actions, summing"):
        check_policy(Made(lambda o, a, d: masked(o)), OBSERVATION, 3, allowed)


def masked(observation: Floats) -> Proposal:
    n = len(observation)
    return Proposal(np.ones(n, int), np.ones(n), np.tile([0.5, 0.5, 0.0], (n, 1)))


def test_a_deterministic_proposal_has_probability_one_for_its_own_action() -> None:
    proposal = Proposal(np.array([0, 2]), np.ones(2))
    assert proposal.probability_of(np.array([0, 1])).tolist() == [1.0, 0.0]
    stochastic = Proposal(np.array([0, 2]), np.ones(2), np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]))
    assert stochastic.probability_of(np.array([1, 2])).tolist() == [0.5, 0.75]


def test_the_rules_of_the_shipped_case_keep_every_promise() -> None:
    project = load_project("bikes")
    simulator, rng = project.simulator, np.random.default_rng(7)
    state = simulator.reset(32, rng)
    for _ in range(5):
        observation = simulator.observe(state)
        for policy in (project.incumbent, *project.rules.values()):
            check_policy(policy, observation, 25)
        state = simulator.step(state, rng.integers(0, 25, 32), rng).state


TORQUES = Box(("left", "right"), ("", ""), (-1.0, 0.0), (1.0, 2.0))


def torques(left: float, right: float) -> Act:
    return lambda observation, allowed, draw: np.tile([left, right], (len(observation), 1))


def test_a_vector_within_its_bounds_keeps_every_promise() -> None:
    check_policy(Made(torques(-1.0, 2.0)), OBSERVATION, TORQUES)


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (torques(0.0, np.nan), "nan"),
        (torques(0.0, np.inf), "inf"),
        (torques(0.0, -0.01), "-0.01"),
        (torques(1.01, 1.0), "1.01"),
        (lambda observation, allowed, draw: np.zeros((len(observation), 3)), "0. 0. 0."),
        (lambda observation, allowed, draw: np.zeros(len(observation)), "0.0"),
        (lambda observation, allowed, draw: np.zeros((len(observation), 2), dtype=int), "0 0"),
    ],
)
def test_a_vector_that_is_not_finite_out_of_bounds_or_of_another_shape_is_caught(act: Act, found: str) -> None:
    with pytest.raises(BundleError, match=r"2 finite numbers from \[-1.0, 0.0\] to \[1.0, 2.0\]") as caught:
        check_policy(Made(act), OBSERVATION, TORQUES)
    assert found in caught.value.found


def test_a_vector_that_depends_on_its_neighbours_is_caught() -> None:
    def shy(observation: Floats, allowed: Bools | None, draw: Floats) -> Any:
        return np.full((len(observation), 2), 1.0 / len(observation))

    with pytest.raises(BundleError, match="the same action"):
        check_policy(Made(shy), OBSERVATION, TORQUES)


def test_a_vectors_probability_is_that_of_exactly_this_vector() -> None:
    proposal = Proposal(np.array([[0.0, 1.0], [0.5, 1.0]]), np.ones(2))
    assert proposal.probability_of(np.array([[0.0, 1.0], [0.5, 0.9]])).tolist() == [1.0, 0.0]
