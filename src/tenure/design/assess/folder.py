"""A project folder measured on simulated worlds: a log it writes itself, and policies tried where they act."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.errors import DataError
from tenure.core.evidence import Estimate
from tenure.core.policy import Policy, Proposal
from tenure.core.project import Project
from tenure.core.simulator import Panel
from tenure.core.spaces import Discrete
from tenure.design.assess.behaviour import Behaviour
from tenure.design.assess.records import MOST_ROWS, Records
from tenure.design.reward.conduct import Always
from tenure.evaluation.intervals import t_interval
from tenure.simulators.actions import allowed_actions
from tenure.simulators.rollout import run

EXPLORES = 0.5
"""Share of random decisions in the log that a folder writes of itself."""
DAYS = 7
"""Days of the selection data in which policies are tried."""
SEED = 1964
"""Of all chance; the year of Kushner's note on stochastic control."""
MOST_CONSTANT = 12
"""Actions tried for ever, at most."""


@dataclass(frozen=True)
class Exploring:
    """The incumbent, with a share of random allowed actions."""

    incumbent: Policy
    actions: int
    version: str = "exploring"
    share: float = EXPLORES

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """One draw decides whether to explore, and, stretched, what to take."""
        own = self.incumbent.propose(observation, allowed, draw).action
        chance = self.chance(own, allowed)
        drawn = np.minimum((chance.cumsum(axis=1) <= draw[:, None]).sum(axis=1), self.actions - 1)
        return Proposal(drawn, np.ones(len(own)), chance)

    def chance(self, own: Ints, allowed: Bools | None) -> Floats:
        """Probability of every action; [n, actions]."""
        can = np.ones((len(own), self.actions)) if allowed is None else allowed.astype(float)
        even = can / can.sum(axis=1, keepdims=True)
        return np.asarray((1 - self.share) * np.eye(self.actions)[own] + self.share * even)


def written_log(project: Project) -> tuple[Records, Behaviour]:
    """The log that half random decisions write in training worlds, with the propensities they had.

    Raises:
        DataError: the project's actions are no labels.
    """
    problem, simulator = project.problem, project.simulator
    if not isinstance(problem.action, Discrete):
        where = f"{project.folder / 'problem.py'}, action"
        fix = "give a grid of the vector's values as labels"
        raise DataError(expected="labelled actions", found="a vector of numbers", where=where, fix=fix)
    worlds = min(max(60, MOST_ROWS // problem.horizon), MOST_ROWS // 4)
    steps = min(problem.horizon, max(4, MOST_ROWS // worlds))
    policy = Exploring(project.incumbent, problem.action.size)
    state, rng = simulator.reset(worlds, np.random.default_rng(SEED)), np.random.default_rng(SEED + 1)
    alive, parts = np.ones(worlds, dtype=bool), []
    for index in range(steps):
        seen = simulator.observe(state)
        allowed = allowed_actions(problem, simulator, state, seen)
        proposal = policy.propose(seen, allowed, rng.random(worlds))
        step = simulator.step(state, proposal.action, rng)
        can = np.ones((worlds, problem.action.size), dtype=bool) if allowed is None else allowed
        assert proposal.distribution is not None
        columns: dict[str, np.ndarray] = {
            "x": seen, "action": proposal.action, "chance": proposal.distribution, "allowed": can,
            "reward": problem.reward(step.signals), "world": np.arange(worlds), "step": np.full(worlds, index),
            "after": np.stack([step.signals[name] for name in sorted(problem.signal_names)], axis=1),
        }  # fmt: skip
        parts.append({name: column[alive] for name, column in columns.items()})
        state, alive = step.state, alive & ~step.terminated
        if not alive.any():
            break
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((rows["step"], rows["world"]))
    return _records(project, {name: column[order] for name, column in rows.items()}, bool((~alive).any()))


def _records(project: Project, rows: Mapping[str, np.ndarray], ends: bool) -> tuple[Records, Behaviour]:
    problem, world, n = project.problem, rows["world"], len(rows["reward"])
    assert isinstance(problem.action, Discrete)
    taken = rows["chance"][np.arange(n), rows["action"]]
    records = Records(
        x=rows["x"].astype(float),
        names=problem.feature_names,
        after=rows["after"].astype(float),
        after_names=tuple(sorted(problem.signal_names)),
        action=rows["action"].astype(np.int64),
        labels=problem.action.labels,
        reward=rows["reward"],
        propensity=taken,
        unit=world,
        cluster="world",
        following=np.where(np.diff(world, append=-1) == 0, np.arange(1, n + 1), -1),
        order=np.full(n, np.nan),
        ordered=True,
        episodic=ends,
        days=float("nan"),
        of=n,
        allowed=None if rows["allowed"].all() else rows["allowed"],
    )
    return records, Behaviour(rows["chance"], taken, assumed=False)


def trial_panel(project: Project) -> Panel:
    """A week of the selection data; where weeks mean nothing, all of it."""
    try:
        return project.simulator.panel("selection", 0, DAYS)
    except DataError:
        return project.simulator.panel("selection")


@dataclass(frozen=True)
class Trial:
    """Returns per decision of several policies in the same worlds.

    Args:
        returns: by policy, [worlds]; `bound` where the project has one.
    """

    returns: Mapping[str, Floats]

    @property
    def luck(self) -> float:
        """Standard deviation, between worlds, of the incumbent's mean reward; wherever the reward has its 0."""
        return float(self.returns["incumbent"].std(ddof=1))

    def gain(self, policy: str, over: str = "incumbent") -> Estimate:
        """What one gains over another per decision, paired by world."""
        return t_interval(self.returns[policy] - self.returns[over], cluster="world")

    def best(self, names: list[str]) -> str:
        """The policy of highest mean return."""
        return max(names, key=lambda name: float(self.returns[name].mean()))


def trial(project: Project, policies: Mapping[str, Policy]) -> Trial:
    """Let policies decide in worlds of the selection data, which neither search nor training has seen."""
    panel, problem = trial_panel(project), project.problem
    returns: dict[str, Floats] = {}
    for name, policy in policies.items():
        trace = run(problem, project.simulator, policy, panel, seed=SEED).trace
        returns[name] = problem.reward(trace.signals).sum(axis=0) / panel.steps
    if project.bound is not None:
        returns["bound"] = problem.reward(project.bound(panel)) / panel.steps
    return Trial(returns)


def contestants(project: Project, searched: Mapping[str, Policy]) -> dict[str, Policy]:
    """The incumbent, the project's rules, every action for ever, random decisions, and what a search found."""
    assert isinstance(project.problem.action, Discrete)
    labels = project.problem.action.labels
    constant = {f"always {label}": Always(index, f"always {label}") for index, label in enumerate(labels)}
    some = dict(list(constant.items())[:: math.ceil(len(constant) / MOST_CONSTANT)])
    random = Exploring(project.incumbent, len(labels), "random", share=1.0)
    return {"incumbent": project.incumbent, **project.rules, **some, "random": random, **searched}
