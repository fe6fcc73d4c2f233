"""What tests of recipes share: a seed's ground over a small project, and a bundle against its trainer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tenure.core.project import Project
from tenure.simulators.actions import allowed_actions
from tenure.store.bundles import BundlePolicy
from tenure.training.export import export
from tenure.training.ground import Ground, Trained
from tenure.training.network import TorchPolicy
from tenure.training.settings import Settings

ROWS = 1_000
"""Observations a bundle is compared on."""


def ground(project: Project, settings: Settings, folder: Path, seed: int = 1) -> Ground:
    """The ground of one seed; its files lie in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return Ground(project, settings, seed, folder, lambda _: None)


def parted(project: Project, trained: Trained) -> int:
    """Rows of a thousand on which the exported bundle decides otherwise than the graph it was made from."""
    simulator, rng = project.simulator, np.random.default_rng(7)
    state = simulator.reset(ROWS, rng)
    seen = simulator.observe(state)
    bundle = export(project.problem, trained.graph, seen, {}, {})
    allowed = allowed_actions(project.problem, simulator, state, seen)
    served = BundlePolicy(bundle).propose(seen, allowed, np.zeros(ROWS)).action
    with torch.no_grad():
        own = TorchPolicy(trained.graph).propose(seen, allowed, np.zeros(ROWS)).action
    if served.ndim > 1:
        return int((np.abs(served - own).max(axis=1) > 1e-4).sum())
    return int((served != own).sum())
