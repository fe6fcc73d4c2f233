"""What swayed a policy in one decision of the log: its odds, and each feature hidden in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tenure.cli.workspace import Workspace
from tenure.core.arrays import Floats
from tenure.core.decision import Arm
from tenure.core.errors import TenureError
from tenure.core.policy import Policy
from tenure.core.spaces import Action, Box
from tenure.evaluation.influence import occlusion
from tenure.store import Store
from tenure.store.looking import Story

MEDIAN_OF = 1000
"""Latest decisions whose median stands for a feature that is hidden."""


@dataclass(frozen=True)
class Weighed:
    """What a policy's odds were in one decision, and what swayed them.

    Args:
        arm: whose odds: the candidate's where it answered, was approved or only proposed, else the incumbent's.
        version: of that arm.
        action: the one that is weighed.
        distribution: probability of each action; None where it cannot be known, or where actions are vectors.
        influence: change of the action's probability with each feature hidden, the largest first; of a vector how far
            it moves, as `Box.apart`.
        unexplained: why there is neither, in a sentence; empty where there is.
    """

    arm: Arm
    version: str
    action: Action
    distribution: dict[str, float] | None = None
    influence: dict[str, float] | None = None
    unexplained: str = ""


def explained(workspace: Workspace, store: Store, found: Story) -> Weighed:
    """The odds and influences of the arm worth asking about, which need not be the one that answered."""
    problem, row = workspace.project.problem, found.written
    whose = weighed_arm(found)
    if not row.observation:
        return replace(whose, unexplained="its features were erased")
    try:
        learned = whose.arm is Arm.CANDIDATE
        policy: Policy = workspace.bundle(whose.version) if learned else workspace.project.incumbent
        observation = np.frombuffer(row.observation, dtype=np.float32)
        mask = None if row.mask is None else np.frombuffer(row.mask, dtype=bool)
        baseline = baseline_of(store, problem.name, observation)
        space = problem.action
        if isinstance(space, Box):
            sway, odds = moved(policy, space, observation, baseline), None
        else:
            assert not isinstance(whose.action, tuple)
            chances = probabilities(policy, space.size, mask)
            odds = dict(zip(space.labels, chances(observation[None])[0].tolist(), strict=True))
            sway = occlusion(chances, observation, baseline, whose.action)
    except TenureError as error:
        return replace(whose, unexplained=str(error))
    except Exception as error:  # a policy is somebody else's code
        told = f"{whose.version} cannot be asked again: {type(error).__name__}: {error}"
        return replace(whose, unexplained=told)
    named = dict(zip(problem.feature_names, sway.tolist(), strict=True))
    ranked = dict(sorted(named.items(), key=lambda item: -abs(item[1])))
    return replace(whose, distribution=odds, influence=ranked)


def moved(policy: Policy, space: Box, observation: Floats, baseline: Floats) -> Floats:
    """How far a policy's vector moves when one feature after the other takes its baseline value; [features], >= 0.

    Source: occlusion, as `evaluation.occlusion`, with the distance between vectors for the change of a probability.
    """
    n = len(observation)
    asked = np.tile(observation, (n + 1, 1))
    asked[np.arange(n), np.arange(n)] = baseline
    vectors = policy.propose(asked, None, np.full(n + 1, 0.5)).action
    return space.apart(vectors[:n], vectors[n])


def weighed_arm(found: Story) -> Weighed:
    """The candidate with its answer or its proposal; the arm that answered where the candidate said nothing."""
    row = found.written
    if row.arm in (Arm.CANDIDATE, Arm.HUMAN):  # what a person approved is what the candidate proposed
        return Weighed(Arm.CANDIDATE, row.version, row.action)
    for proposal in found.proposals:
        if proposal.arm is Arm.CANDIDATE:
            return Weighed(Arm.CANDIDATE, proposal.version, proposal.action)
    return Weighed(row.arm, row.version, row.action)


def baseline_of(store: Store, problem: str, observation: Floats) -> Floats:
    """The median of each feature over the latest decisions that were kept; the observation itself without any."""
    last = store.control(problem).sequence
    rows = store.read_rows(problem, after_sequence=max(0, last - MEDIAN_OF), limit=MEDIAN_OF)
    seen = [np.frombuffer(row.decision.observation, dtype=np.float32) for row in rows]
    kept = [one for one in seen if one.shape == observation.shape]
    return np.median(np.stack(kept), axis=0).astype(np.float32) if kept else observation


def probabilities(policy: Policy, actions: int, mask: Any) -> Any:
    """A policy's probability of every action: its softmax where it has logits, else what it proposes."""
    logits = getattr(policy, "logits", None)

    def ask(observation: Floats) -> Floats:
        allowed = None if mask is None else np.tile(mask, (len(observation), 1))
        if logits is None:
            proposal = policy.propose(observation, allowed, np.full(len(observation), 0.5))
            every = np.arange(actions)
            return np.stack([proposal.probability_of(np.full(len(observation), one)) for one in every], axis=1)
        found = np.asarray(logits(observation, allowed), dtype=float)
        found = found if allowed is None else np.where(allowed, found, -np.inf)
        weight = np.exp(found - found.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))

    return ask
