"""Cloning, IQL and CQL of vectors: a dial that is to be set to what is shown, from a log of clumsy hands.

What is shown, x, is uniform in [-1, 1]; setting a costs (a - x) ** 2. The log sets x / 2 with a deviation of 0.6, so it
costs x ** 2 / 4 + 0.36 on average, 0.443; its clone sets x / 2 and costs 1 / 12, 0.083; the best costs nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenure.core.errors import DataError
from tenure.core.project import Project, load_project
from tenure.training.offline import open_halves, told
from tenure.training.offline_settings import OfflineSettings
from tenure.training.recipes import RECIPES

from .grounds import ground, parted

LOGGED, CLONED = 0.443, 1 / 12
PROBLEM = """
import numpy as np

from tenure import KPI, Box, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="dial",
    about="Set the dial to what is shown.",
    observation=(Feature("shown", "turns", -1, 1),),
    action=Box(("dial",), ("turns",), (-3.0,), (3.0,)),
    signals=(Signal("off", "turns2", 0, 16),),
    reward=Reward((Term("off", -1.0, "$/turn2", "it grinds"),)),
    kpis=(KPI("off", "turns2", "lower", {"off": 1.0}),),
    horizon=4,
    discount=0.5,
)

class Still:
    version = "still"

    def propose(self, observation, allowed, draw):
        return Proposal(np.zeros((len(observation), 1)), np.ones(len(observation)))

incumbent = Still()
"""
SIMULATOR = """
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tenure import Panel, Step

@dataclass(frozen=True)
class Dial:
    shown: np.ndarray

class Dials:
    version = "dials-1"
    levels = {"normal": None}

    def reset(self, n, rng, level="normal"):
        return Dial(rng.uniform(-1, 1, n))

    def panel(self, split, first_day=0, days=None):
        names = tuple(f"dial-{number}" for number in range(200))
        return Panel(Dial(np.linspace(-1, 1, 200)), 4, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1),
            independent=True)

    def observe(self, state):
        return state.shown[:, None].astype(np.float32)

    def step(self, state, action, rng):
        off = (np.asarray(action)[:, 0] - state.shown) ** 2
        return Step(Dial(rng.uniform(-1, 1, len(off))), {"off": off}, np.zeros(len(off), dtype=bool))

simulator = Dials()
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("dial")
    (folder / "problem.py").write_text(PROBLEM)
    (folder / "simulator.py").write_text(SIMULATOR)
    return load_project(folder)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, path = np.random.default_rng(0), tmp_path_factory.mktemp("log") / "dials.jsonl"
    with path.open("w") as file:
        for row in range(3200):
            shown = rng.uniform(-1, 1)
            dial = float(np.clip(shown / 2 + 0.6 * rng.normal(), -3, 3))
            told = {"action": [dial], "shown": shown, "off": (dial - shown) ** 2}
            file.write(json.dumps({"episode_id": f"e{row // 4:04d}", "step": row % 4, **told}) + "\n")
    return path


@pytest.mark.parametrize("name", ["cloning", "iql", "cql"])
def test_vectors_are_cloned_and_from_their_costs_set_better_than_the_clone(
    project: Project, log: Path, tmp_path: Path, name: str
) -> None:
    settings = RECIPES[name].settings(steps=128_000, learning_rate=2e-3, checkpoint_every=500, net=(32, 32))
    assert isinstance(settings, OfflineSettings)
    settings = replace(settings, log=str(log), follow=0.02)
    assert told(open_halves(settings, project.problem), project.problem)["score"] == pytest.approx(LOGGED, abs=0.05)
    trained = RECIPES[name].train(ground(project, settings, tmp_path / name))
    score = trained.curve[-1].score
    if name == "cloning":
        assert score == pytest.approx(CLONED, abs=0.03)
    else:
        assert score < CLONED / 2
    assert parted(project, trained) == 0


def test_actions_that_are_no_vectors_are_refused(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("episode_id,step,action,shown,off\na,0,left,0.5,0.1\na,1,right,0.2,0.1\n")
    settings = RECIPES["cloning"].settings()
    assert isinstance(settings, OfflineSettings)
    with pytest.raises(DataError, match=r"vectors of 1 number\(s\), \['dial'\]"):
        open_halves(replace(settings, log=str(path)), project.problem)
