"""Ground truth for `tenure sim validate`: pairs of a world and a simulator, and what is right to say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from tests.simulators.fidelity.depot import (
    DEFECTS,
    DepotSimulator,
    World,
    drawn,
    estimated,
    incumbent,
    learned,
    problem,
    rules,
)

from tenure.core.evidence import Verdict
from tenure.core.trajectories import Trajectories, from_trace
from tenure.simulators.fidelity.behaviour import Mixed
from tenure.simulators.fidelity.validation import Question, Validation, validate
from tenure.simulators.rollout import run

FIRST_TEST = 2000
"""First of the test seeds. Seeds 0 to 3 developed the limits, 1000 to 1002 were a first test that showed a fault."""
HIDDEN = "missing feature"
"""The pair in whose log promotions are written; its faithful world has them without effect."""
EXPLORED = 0.2
"""Share of random decisions in the log."""


@dataclass(frozen=True)
class Answer:
    """One pair of one seed: the defect (empty: faithful), the verdict and the fields that failed."""

    pair: str
    defect: bool
    seed: int
    verdict: str
    failed: tuple[str, ...]
    right: bool


def answers(seed: int) -> Iterator[Answer]:
    """All sixteen pairs of a seed: every defect, and the same world once without it."""
    for number, name in enumerate(DEFECTS):
        for defect in (True, False):
            yield answer(name, defect, seed, number)


def answer(name: str, defect: bool, seed: int, number: int = 0) -> Answer:
    """One pair, judged.

    A defect is right only as `fail` with a finding that names one of its fields; a faithful simulator only as `pass`.
    """
    found = validation(name, defect, seed, number)
    failed = tuple(each.gate for each in found.findings if each.verdict is Verdict.FAIL)
    named = any(gate.partition(": ")[2] in DEFECTS[name].names for gate in failed)
    right = found.verdict is Verdict.FAIL and named if defect else found.verdict is Verdict.PASS
    return Answer(name, defect, seed, found.verdict.word, failed or _doubts(found), right)


def _doubts(found: Validation) -> tuple[str, ...]:
    return tuple(f"?{each.gate}" for each in found.findings if each.verdict is not Verdict.PASS)


def validation(name: str, defect: bool, seed: int, number: int = 0) -> Validation:
    """The pair of a seed through the validation, as the command would ask it."""
    world, simulator = pair(name, defect, seed, number)
    log = logged(world, seed * 100 + 2 * number + defect, name == HIDDEN)
    policies = {"incumbent": incumbent, "learned": learned, **rules}
    made = DepotSimulator(simulator, seed * 100 + 50 + 2 * number + defect)
    return validate(Question(problem, made, log, policies, ("learned",), delayed=False))


def pair(name: str, defect: bool, seed: int, number: int = 0) -> tuple[World, World]:
    """World and simulator. A faithful simulator is fitted to the very world that the defective one is wrong about."""
    chance = np.random.default_rng([seed, 17, number])
    size, drawn_world = chance.random(), drawn(seed * 10 + number)
    if defect:
        return DEFECTS[name].real(drawn_world, size), DEFECTS[name].wrong(drawn_world, size)
    # A log with promotions that move demand has no faithful simulator without them.
    world = drawn_world if name == HIDDEN else DEFECTS[name].real(drawn_world, size)
    return world, world if number % 2 else estimated(world, seed * 10 + number)


def logged(world: World, seed: int, with_promotions: bool) -> Trajectories:
    """Eighty depots over a week under the incumbent with some chance; promotions stand in the log, or not."""
    simulator = DepotSimulator(world, seed + 7_000_000)
    policy = Mixed(incumbent, EXPLORED, problem.action.size)
    panel = simulator.panel("held_out")
    log = from_trace(run(problem, simulator, policy, panel, seed=seed).trace, problem.feature_names)
    if not with_promotions:
        return log
    extra = panel.state.promotion.reshape(-1, 1)
    return replace(log, observation=np.hstack([log.observation, extra]), names=(*log.names, "promotion"))
