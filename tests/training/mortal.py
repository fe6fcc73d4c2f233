"""A world in which a process dies once, at a step drawn by a seed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tenure.core.project import Project

MORTAL = '''
"""The districts; a training process that finds the file beside this dies at a step drawn by a seed, once."""

import os
import signal
from pathlib import Path

from tenure.cases.bikes.simulator import BikesSimulator

DIE = Path(__file__).with_name("die")

class Mortal(BikesSimulator):
    left = None

    def step(self, state, action, rng):
        if DIE.exists():
            at, spared = map(int, DIE.read_text().split())
            if os.getpid() == spared:
                return super().step(state, action, rng)
            Mortal.left = at if Mortal.left is None else Mortal.left - 1
            if Mortal.left == 0:
                DIE.unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().step(state, action, rng)

simulator = Mortal()
'''


def die_once(project: Project, draw: int, first: int = 1_500, last: int = 5_000) -> None:
    """The next process that steps these worlds dies, but not this one; a training takes about 5,900 steps."""
    at = int(np.random.default_rng(draw).integers(first, last))
    (Path(project.folder) / "die").write_text(f"{at} {os.getpid()}")
