"""Pay for going in a circle: short runs of actions that leave everything as it was, and were paid for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.reward import KPI
from tenure.core.simulator import Simulator, State
from tenure.core.spaces import Discrete
from tenure.design.reward.conduct import SEED, Conduct
from tenure.design.reward.exploit import FIRST_KPI, INDEPENDENT_KPI
from tenure.simulators.actions import allowed_actions, random_actions
from tenure.simulators.batch import put, size, take

LENGTHS = (2, 3)
"""Actions of a loop."""
STATES = 24
"""Moments at which loops are tried: worlds times depths of a random walk."""
DEPTHS = (0, 3, 9)
"""Random steps before a loop is tried."""
ROWS = 20_000
"""Loops tried at once; of longer lists a drawn part."""
DRAWS = 8
"""Times a circle must lead back, each under other chance."""
SAME = 1e-6
"""Difference of a feature below which nothing has changed."""


@dataclass(frozen=True)
class Loop:
    """A circle that pays.

    Args:
        actions: labels, in order.
        seen: features before and after.
        reward: sum over the circle, in the reward's unit.
        by_term: the same by term.
        signals: summed over the circle.
    """

    actions: tuple[str, ...]
    seen: Mapping[str, float]
    reward: float
    by_term: Mapping[str, float]
    signals: Mapping[str, float]


def loop_finding(project: Project, conducts: Sequence[Conduct]) -> Finding:
    """Gate `loops`: a circle that pays at least what the incumbent earns in as many decisions, and leaves a KPI worse.

    A circle that pays less is nothing to live on, and one that pays more with every KPI kept is honest work.
    """
    if not (project.folder / "simulator.py").exists() or not isinstance(project.problem.action, Discrete):
        return Finding(
            "loops", Verdict.INCONCLUSIVE, "not searched: loops are tried on a simulator with labelled actions"
        )
    reference = next((each for each in conducts if each.kind == "incumbent"), None)
    if reference is None:
        return Finding("loops", Verdict.INCONCLUSIVE, "not searched: the incumbent was not simulated")
    loops = list(paid_loops(project.problem, project.simulator))
    bad = [
        loop for loop in loops if _beats(project.problem, loop, reference) and _harmed(project.problem, loop, reference)
    ]
    if not bad:
        told = f"{len(loops)} circles of {' or '.join(map(str, LENGTHS))} actions pay" if loops else "no circle pays"
        return Finding("loops", Verdict.PASS, f"{told}, none instead of the work" if loops else told)
    worst_loop = max(bad, key=lambda loop: loop.reward / len(loop.actions))
    return Finding("loops", Verdict.FAIL, _told(project.problem, worst_loop, reference))


def paid_loops(problem: Problem, simulator: Simulator) -> Iterator[Loop]:
    """Runs of 2 or 3 allowed actions that surely leave every feature as it was, with a positive sum of rewards."""
    for depth in DEPTHS:
        state = _walked(problem, simulator, depth)
        for length in (length for length in LENGTHS if length <= problem.horizon):
            yield from _tried(problem, simulator, state, length, depth)


def _walked(problem: Problem, simulator: Simulator, depth: int) -> State:
    """Worlds after some random steps; those that ended start again."""
    rng = np.random.default_rng([SEED, depth])
    n = STATES // len(DEPTHS)
    state = simulator.reset(n, rng)
    for _ in range(depth):
        allowed = allowed_actions(problem, simulator, state, simulator.observe(state))
        step = simulator.step(state, random_actions(problem, n, rng, allowed), rng)
        ended = np.flatnonzero(step.terminated)
        state = put(step.state, ended, simulator.reset(len(ended), rng)) if len(ended) else step.state
    return state


def _tried(problem: Problem, simulator: Simulator, start: State, length: int, depth: int) -> Iterator[Loop]:
    plans, worlds = _plans(problem, size(start), length, np.random.default_rng([SEED, depth, length]))
    state = take(start, worlds)
    back, sums = _gone_round(problem, simulator, state, plans, 0)
    reward, before = problem.reward(sums), simulator.observe(state)
    for row in _surely(problem, simulator, state, plans, np.flatnonzero(back & (reward > 0)), reward):
        yield _loop(problem, plans[row], before[row], {name: values[[row]] for name, values in sums.items()})


def _surely(
    problem: Problem, simulator: Simulator, state: State, plans: Ints, rows: Ints, reward: Floats
) -> Iterator[int]:
    """The rows that lead back, at the same pay, whatever chance does: nobody could live on luck."""
    for chance in range(1, DRAWS):
        if not len(rows):
            return
        back, sums = _gone_round(problem, simulator, take(state, rows), plans[rows], chance)
        rows = rows[back & (np.abs(problem.reward(sums) - reward[rows]) <= SAME)]
    yield from rows.tolist()


def _gone_round(
    problem: Problem, simulator: Simulator, state: State, plans: Ints, chance: int
) -> tuple[Bools, dict[str, Floats]]:
    """Whether each run of actions was allowed and led back, and its signals summed; under one draw of all chance."""
    before, parts, back = simulator.observe(state), [], np.ones(len(plans), dtype=bool)
    for index in range(plans.shape[1]):
        action, legal = _legal(problem, simulator, state, simulator.observe(state), plans[:, index])
        step = simulator.step(state, action, np.random.default_rng([SEED, chance, index]))
        back &= legal & ~step.terminated
        state = step.state
        parts.append(step.signals)
    back &= (np.abs(simulator.observe(state) - before) <= SAME).all(axis=1)
    return back, {name: np.asarray(sum(part[name] for part in parts)) for name in problem.signal_names}


def _plans(problem: Problem, worlds: int, length: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Every run of actions in every world, or `ROWS` drawn ones; [n, length] and which world, [n]."""
    assert isinstance(problem.action, Discrete)
    actions = problem.action.size
    if actions**length * worlds <= ROWS:
        every = np.array(list(product(range(actions), repeat=length)), dtype=np.int64)
        return np.repeat(every, worlds, axis=0), np.tile(np.arange(worlds), len(every))
    return rng.integers(actions, size=(ROWS, length)), rng.integers(worlds, size=ROWS)


def _legal(
    problem: Problem, simulator: Simulator, state: State, observation: Floats, action: Ints
) -> tuple[Ints, Bools]:
    """The actions, each that is not allowed replaced by one that is; and which were allowed."""
    allowed = allowed_actions(problem, simulator, state, observation)
    if allowed is None:
        return action, np.ones(len(action), dtype=bool)
    legal = allowed[np.arange(len(action)), action]
    return np.where(legal, action, allowed.argmax(axis=1)), legal


def _loop(problem: Problem, plan: Ints, seen: Floats, sums: Mapping[str, Floats]) -> Loop:
    assert isinstance(problem.action, Discrete)
    return Loop(
        tuple(problem.action.labels[action] for action in plan),
        dict(zip(problem.feature_names, map(float, seen), strict=True)),
        float(problem.reward(sums)[0]),
        {name: float(part[0]) for name, part in problem.reward.by_term(sums).items()},
        {name: float(values[0]) for name, values in sums.items()},
    )


def _beats(problem: Problem, loop: Loop, reference: Conduct) -> bool:
    decisions = max(int(reference.trace.alive.sum()), 1)
    usual = float(reference.returns(problem.reward).sum()) / decisions
    return loop.reward / len(loop.actions) >= usual


def _harmed(problem: Problem, loop: Loop, reference: Conduct) -> KPI | None:
    """The first KPI that going in this circle leaves worse than the incumbent, by more than the audit's margins."""
    paid = {term.signal for term in problem.reward.terms}
    sums = {name: np.array([value]) for name, value in loop.signals.items()}
    for index, kpi in enumerate(problem.kpis):
        margin = FIRST_KPI if index == 0 else INDEPENDENT_KPI if not kpi.reads & paid else math.inf
        usual, found = reference.kpi(kpi), kpi.of_totals(sums, len(loop.actions))
        if kpi.sign * (found - usual) < -margin * abs(usual):
            return kpi
    return None


def _told(problem: Problem, loop: Loop, reference: Conduct) -> str:
    kpi = _harmed(problem, loop, reference)
    assert kpi is not None
    found = kpi.of_totals({name: np.array([value]) for name, value in loop.signals.items()}, len(loop.actions))
    terms = ", ".join(f"{name} {part:+.4g}" for name, part in loop.by_term.items() if part)
    circle = f"going {' > '.join(loop.actions)} changes nothing and pays {loop.reward:.4g} ({terms}), again and again"
    harm = f"{kpi.name} is {found:.4g} {kpi.unit} (incumbent {reference.kpi(kpi):.4g})"
    return f"{circle}, while {harm}: price the way back, or pay a potential"
