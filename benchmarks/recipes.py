"""Every recipe that learns in worlds, on a case of its own: three seeds, their score, and what they cost.

    python -m benchmarks.recipes [RECIPE ...] [--seeds 3] [--csv docs/recipes.csv]

Recipes of labels train on `factory`, those of vectors on `arm`, each with its own defaults and what the case's
tenure.toml says of the problem; `ppo` and `dqn` also on 2,000 labels, `benchmarks/parking`. Scores are of the first KPI
on the selection data, each seed's best checkpoint, chosen there. `blind` is the score of actions drawn evenly among the
allowed ones. Core seconds are those of the training processes, from start to saved bundle. Every row names its commit;
`+` is a tree with changes.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tenure.cli.judge import judge
from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.project import Project, load_project
from tenure.simulators.actions import random_actions
from tenure.simulators.rollout import run
from tenure.store import load_bundle
from tenure.training import RECIPES, read_train_settings, train

PARKING = Path(__file__).parent / "parking"
CASES = {"discrete": ("factory",), "box": ("arm",), "any": ("factory", "arm")}
WIDE = ("ppo", "dqn")
STEPS = {"factory": 400_000, "arm": 200_000, "parking": 131_072}
"""Decisions per seed; of the cases, a third or less of what their own tenure.toml gives PPO."""
WORLDS = ("ppo", "a2c", "dqn", "qr_dqn", "sac", "td3", "ddpg", "tqc")


@dataclass(frozen=True)
class Row:
    """One recipe on one case.

    Args:
        recipe, case: names.
        steps: decisions per seed.
        incumbent: first KPI on the selection data.
        blind: first KPI of actions drawn evenly among the allowed ones.
        scores: of the seeds, from the first on.
        gain, low, high: of all seeds over the incumbent, as a share of its KPI, with the 95 % interval.
        beside: the other KPIs, candidate against incumbent, mean over seeds.
        core_s: processor seconds per seed.
        commit: the tree it was trained from.
    """

    recipe: str
    case: str
    steps: int
    incumbent: float
    blind: float
    scores: str
    gain: float
    low: float
    high: float
    beside: str
    core_s: float
    commit: str


def measure(recipe: str, case: str, seeds: int, home: Path) -> Row:
    """Train and judge one recipe."""
    project = load_project(PARKING if case == PARKING.name else case)
    own = read_train_settings(project.settings_path, recipe)
    defaults = RECIPES[recipe].settings()
    settings = replace(defaults, steps=STEPS[case], level=own.level, baseline=own.baseline)
    before = _core_seconds()
    record = train(project, settings, tuple(range(1, seeds + 1)), home / f"{recipe}-{case}", "recipes")
    spent = _core_seconds() - before
    bundles = home / f"{recipe}-{case}" / "bundles"
    policies = [load_bundle(bundles / seed.version, project.problem) for seed in record.seeds]
    found = judge(project, policies, "selection")
    gain = found.comparison.gain
    others = found.comparison.kpis[1:]
    return Row(
        recipe,
        case,
        STEPS[case],
        found.incumbent,
        _blind(project),
        " ".join(f"{seed.score:.4g}" for seed in record.seeds),
        gain.value,
        gain.low,
        gain.high,
        "; ".join(f"{kpi.name} {kpi.candidate:.4g} against {kpi.incumbent:.4g}" for kpi in others),
        spent / seeds,
        record.commit,
    )


@dataclass(frozen=True)
class Blind:
    """Draws evenly among the allowed actions."""

    problem: Problem
    version: str = "blind"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """From the draws alone; propensities are nobody's business here."""
        n = len(observation)
        rng = np.random.default_rng(np.frombuffer(draw.tobytes(), np.uint32))
        return Proposal(random_actions(self.problem, n, rng, allowed), np.ones(n))


def _blind(project: Project) -> float:
    problem, simulator = project.problem, project.simulator
    return run(problem, simulator, Blind(problem), simulator.panel("selection")).trace.kpi(problem.kpis[0])


def _core_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(wanted: Iterable[str], seeds: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as home:
        for recipe in wanted:
            for case in (*CASES[RECIPES[recipe].actions], *([PARKING.name] if recipe in WIDE else [])):
                yield measure(recipe, case, seeds, Path(home))


def main() -> None:
    """Measure and print; rows already in the file stay, unless they are measured again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=WORLDS, help="names; default all that learn in worlds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    for row in _rows(asked.recipes, asked.seeds):
        told = {name: f"{value:.5g}" if isinstance(value, float) else str(value) for name, value in asdict(row).items()}
        print(told, flush=True)
        if asked.csv is not None:
            _keep(asked.csv, told)


def _keep(path: Path, row: dict[str, str]) -> None:
    kept = list(csv.DictReader(path.open(newline=""))) if path.exists() else []
    same = ("recipe", "case")
    rows = [old for old in kept if any(old[name] != row[name] for name in same)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])


if __name__ == "__main__":
    main()
