"""From a trained policy to a head that says how sure it is, or the reason why it says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from tenure.core.arrays import Floats
from tenure.core.errors import EvidenceError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.core.simulator import Panel, Simulator
from tenure.simulators.twins import Reliability, Twins, fresh_panel, reliability, twins
from tenure.training.confidence.graph import ConfidentGraph
from tenure.training.confidence.head import Head, Sure, head_for, rising
from tenure.training.confidence.settings import Confidence
from tenure.training.worlds import training_worlds

if TYPE_CHECKING:
    from tenure.training.ground import Ground

CARRIED = 0.05
"""Largest expected calibration error on the selection data with which a head leaves with the bundle."""
BRANCHES = 8
"""Situations taken from one training world."""
BATCH, RATE, DECAY = 512, 1e-3, 1e-4
"""Rows, learning rate and weight decay of the members' Adam steps."""


@dataclass(frozen=True)
class Fitted:
    """A head and what the selection data says of it.

    Args:
        sure: the head, calibrated on training worlds it did not learn from.
        within: decisions over which it compares.
        checked: on the selection data; None where that is too little to say.
        refused: why it stays behind; empty where it leaves with the bundle.
    """

    sure: Sure
    within: int
    checked: Reliability | None
    refused: str

    def as_dict(self) -> dict[str, Any]:
        """What the bundle's evaluation says of it."""
        found = None if self.checked is None else self.checked.as_dict()
        return {"split": "selection", "within": self.within, "found": found, "refused": self.refused}


def confident(ground: Ground, graph: nn.Module) -> tuple[nn.Module, dict[str, Any]]:
    """What leaves with the bundle: the graph with its confidence where that is asked for and holds, else the graph.

    Args:
        ground: of the seed that trained it.
        graph: the trained network, from raw observations to its answer.

    Returns:
        the graph, and what the bundle's evaluation says of its confidence; nothing where none is asked for.
    """
    project, wanted = ground.project, ground.settings.confidence
    if wanted is None:
        return graph, {}
    worlds = training_worlds(project, ground.settings)
    found = fitted(project, worlds, ground.policy(graph), graph, wanted, ground.settings.hardest, ground.seed)
    whole = graph if found.refused else ConfidentGraph(graph, found.sure, found.within).eval()
    return whole, {"confidence": found.as_dict()}


def fitted(
    project: Project, simulator: Simulator, policy: Policy, graph: nn.Module, wanted: Confidence, level: str, seed: int
) -> Fitted:
    """Learn, calibrate and check, each on worlds of its own: two sets of training worlds, and the selection data.

    Args:
        project: its problem, incumbent and selection data.
        simulator: the training worlds.
        policy: the trained policy over the project's own actions.
        graph: its network, from raw observations to its answer.
        wanted: the settings.
        level: of the training worlds.
        seed: of worlds, networks and order.
    """
    problem, incumbent = project.problem, project.incumbent
    within = min(wanted.within, max(1, problem.horizon // 2))

    def rows(worlds: Simulator, panel: Panel, situations: int, draw: int) -> Twins:
        given = (problem, worlds, policy, incumbent, panel)
        return twins(*given, within=within, situations=situations, seed=draw)

    learning, calibrating = (
        rows(simulator, training_panel(problem, simulator, count, level, (seed, part)), count, 2 * seed + part)
        for part, count in enumerate((wanted.situations, wanted.situations // 2))
    )
    head = head_for(answered(graph, learning.observation).numpy(), wanted.members, wanted.units, seed)
    learn(head, graph, learning, wanted.passes, seed)
    sure = Sure(head, *rising(stated(head, graph, calibrating.observation), calibrating.good))
    seen = rows(project.simulator, project.simulator.panel("selection"), wanted.situations // 2, 0)
    return judged(sure, within, seen.said(stated(sure, graph, seen.observation)))


def judged(sure: Sure, within: int, seen: Twins) -> Fitted:
    """Whether a head may leave with the bundle, by situations it has not seen and the confidence it stated there."""
    try:
        checked = reliability(seen)
    except EvidenceError as error:
        return Fitted(sure, within, None, f"{error.expected} needed on the selection data, found {error.found}")
    off = checked.calibration.error
    if off.value <= CARRIED:
        return Fitted(sure, within, checked, "")
    said = f"on average {off.value:.3f} off on the selection data ({off.low:.3f} to {off.high:.3f})"
    return Fitted(sure, within, checked, f"{said}, limit {CARRIED:g}")


def training_panel(problem: Problem, simulator: Simulator, situations: int, level: str, seed: tuple[int, int]) -> Panel:
    """Fresh training worlds over one horizon each, enough for so many situations."""
    worlds = max(2, -(-situations // min(BRANCHES, problem.horizon)))
    return fresh_panel(simulator, worlds, problem.horizon, np.random.default_rng([*seed, worlds]), level)


def learn(head: Head, graph: nn.Module, rows: Twins, passes: int, seed: int) -> None:
    """Fit every member to the rows of its own draw of worlds, with replacement, by cross-entropy."""
    ensemble, chance = head.ensemble, np.random.default_rng(seed)
    seen = head.inputs(answered(graph, rows.observation))
    good = torch.as_tensor(rows.good, dtype=torch.float32)
    weight = torch.as_tensor(_drawn(rows, ensemble.members, chance))
    adam = torch.optim.Adam(ensemble.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(passes):
        order = chance.permutation(len(good))
        for at in range(0, len(order), BATCH):
            batch = torch.as_tensor(order[at : at + BATCH])
            target = good[batch][:, None].expand(-1, ensemble.members)
            loss = nn.functional.binary_cross_entropy_with_logits(ensemble(seen[batch]), target, weight[batch])
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()


def _drawn(rows: Twins, members: int, chance: np.random.Generator) -> Floats:
    """How often each member drew each row's world; float32 [rows, members]."""
    names, place = np.unique(rows.unit, return_inverse=True)
    counts = chance.multinomial(len(names), np.full(len(names), 1 / len(names)), members)
    return np.asarray(counts[:, place].T, dtype=np.float32)


def answered(graph: nn.Module, observation: Floats) -> torch.Tensor:
    """Observations and the policy's answers side by side; [n, width]."""
    with torch.no_grad():
        rows = torch.as_tensor(observation)
        return torch.cat([rows, graph(rows)], dim=1)


def stated(head: nn.Module, graph: nn.Module, observation: Floats) -> Floats:
    """What a head says of those situations; float64 [n]."""
    with torch.no_grad():
        said = head(answered(graph, observation))
    return np.asarray(said.numpy(), dtype=np.float64)
