"""Evolutionary search: the cross-entropy method over linear softmax policies, a whole generation in one batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.policy import Proposal
from tenure.core.simulator import Panel
from tenure.design.reward.attack.hunt import Candidate, Hunt
from tenure.simulators.batch import take
from tenure.simulators.rollout import run
from tenure.training.normaliser import Normaliser, fit_normaliser

ELITE = 0.2
"""Share of a generation that the next is drawn around (de Boer et al. 2005 suggest 0.01 to 0.1 of far larger ones)."""
NOISE = 0.3
"""Added to the spread at first, falling to 0: keeps a search from settling too soon (Szita and Lorincz 2006)."""


@dataclass(frozen=True)
class LinearSoftmax:
    """Action probabilities from a linear score of normalised features; each row may have weights of its own.

    Args:
        weights: [members, actions, features + 1]; rows of a batch are shared out among members in equal runs.
        normaliser: of the features.
    """

    weights: Floats
    normaliser: Normaliser
    version: str = "linear-softmax"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """An action by its probability in every row."""
        score = self._scores(observation)
        score = score if allowed is None else np.where(allowed, score, -np.inf)
        chance = np.exp(score - score.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        below = np.minimum(chance.cumsum(axis=1), 1.0)
        below[:, -1] = np.where(chance[:, -1] > 0, 1.0, below[:, -1])
        action: Ints = (below > (draw * below[:, -1])[:, None]).argmax(axis=1)
        return Proposal(action, chance.max(axis=1), chance)

    def _scores(self, observation: Floats) -> Floats:
        members, actions, columns = self.weights.shape
        seen = np.ones((len(observation), columns))
        seen[:, :-1] = self.normaliser(observation)
        each = seen.reshape(members, -1, columns) @ self.weights.transpose(0, 2, 1)
        return np.asarray(each.reshape(-1, actions))


def evolution(hunt: Hunt) -> Iterable[Candidate]:
    """One evolution from each start; each gives the policy in the middle of its last generation."""
    project = hunt.project
    rng = np.random.default_rng([hunt.seed, 0])
    normaliser = fit_normaliser(project.problem, project.simulator, project.incumbent, rng)
    for start in range(hunt.effort.restarts):
        weights = _evolve(hunt, normaliser, start)
        yield hunt.candidate(f"evolution, start {start + 1}", LinearSoftmax(weights[None], normaliser))


def _evolve(hunt: Hunt, normaliser: Normaliser, start: int) -> Floats:
    """Weights [actions, features + 1] in the middle of the last generation."""
    rng = np.random.default_rng([hunt.seed, start, 1])
    shape = (hunt.actions.size, len(hunt.project.problem.observation) + 1)
    middle, spread = np.zeros(shape), np.ones(shape)
    generations = _generations(hunt)
    for generation in range(generations):
        members = middle + spread * rng.standard_normal((hunt.effort.population, *shape))
        returns = _returns(hunt, LinearSoftmax(members, normaliser), salt=100 * start + generation)
        best = members[np.argsort(-returns, kind="stable")[: max(int(ELITE * len(members)), 2)]]
        middle, spread = best.mean(axis=0), best.std(axis=0) + NOISE * (1 - (generation + 1) / generations)
    return middle


def _generations(hunt: Hunt) -> int:
    effort = hunt.effort
    each = effort.population * effort.worlds * hunt.project.problem.horizon
    return int(np.clip(effort.evolution_steps // each, 2, effort.generations))


def _returns(hunt: Hunt, policy: LinearSoftmax, salt: int) -> Floats:
    """Mean return of every member; all meet the same worlds, in one batch."""
    members, problem = len(policy.weights), hunt.project.problem
    few = hunt.panel(hunt.effort.worlds, salt)
    trace = run(problem, hunt.project.simulator, policy, _repeated(few, members), seed=salt).trace
    return np.asarray(problem.reward(trace.signals).sum(axis=0).reshape(members, -1).mean(axis=1))


def _repeated(panel: Panel, times: int) -> Panel:
    rows = np.tile(np.arange(len(panel.worlds)), times)
    return replace(panel, state=take(panel.state, rows), worlds=panel.worlds * times)
