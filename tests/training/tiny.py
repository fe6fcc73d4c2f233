"""What the tests of the training room share: a tiny recipe, and projects over another simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tenure.core.project import Project, load_project
from tenure.training import PPOSettings, Progress, RunRecord

TINY = PPOSettings(steps=2048, worlds=16, rollout=32, batch=256, epochs=2, checkpoint_every=4, net=(16,))

PROBLEM = "from tenure.cases.bikes.problem import incumbent, problem\n"
BOUND = """
import numpy as np

def bound(panel):
    return {name: np.full(len(panel.worlds), 1.0) for name in ("requests", "lost_rentals", "bikes_moved", "idle_bikes")}
"""
GUARDED = '''
from tenure.cases.bikes.simulator import BikesSimulator

OCTOBER = 273 * 24

class Guarded(BikesSimulator):
    """The districts up to September; whoever goes further is found out."""

    def panel(self, split, first_day=0, days=None):
        assert split != "held_out", "training looked at the held-out data"
        return super().panel(split, first_day, days)

    def step(self, state, action, rng):
        assert state.hour.max() < OCTOBER, "training went into the held-out months"
        return super().step(state, action, rng)

simulator = Guarded()
'''


def project_with(folder: Path, simulator: str) -> Project:
    """The bikes problem over another simulator.py."""
    folder.mkdir(parents=True)
    for name, text in (("problem.py", PROBLEM), ("simulator.py", simulator), ("bound.py", BOUND)):
        (folder / name).write_text(text)
    return load_project(folder)


@dataclass(frozen=True)
class Tiny:
    """The shared run, where it lies, and what it reported."""

    project: Project
    home: Path
    record: RunRecord
    reported: list[Progress]

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.home / "runs" / "tiny"
