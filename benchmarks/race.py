"""Does who wins on a tenth of the budget win on all of it? One race per shipped case, everybody also trained in full.

    python -m benchmarks.race [CASE ...] [--budget 100000] [--seeds 3] [--home DIR] [--csv docs/race.csv]

Contestants are one recipe that learns from each decision once and one that learns from it again and again: `ppo` and
`dqn` for labels, `ppo` and `sac` for vectors, `bandit` and `ppo` where a decision is one step. The budget is far below
the cases' own `[train].steps`, so that the whole table can be made in an hour; recipes end with whole updates, so that
decisions taken stand beside decisions asked for. A race that was stopped goes on in the same home. Every row names its
commit; `+` is a tree with changes.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict, dataclass
from pathlib import Path

from tenure.core.problem import Problem
from tenure.core.project import load_project
from tenure.core.spaces import Box
from tenure.training import read_train_settings
from tenure.training.race import Race, Rung, Standing, race
from tenure.training.race.entering import core_seconds
from tenure.training.record import lineage_of_tree

CASES = ("factory", "warehouse", "execution", "delivery", "alarms", "bikes", "recommender", "arm")
SHARE = 0.1


@dataclass(frozen=True)
class Row:
    """One case.

    Args:
        case: its name.
        budget: decisions per seed asked for at 100 %; `own` the case's own.
        early, late: gains over the incumbent at 10 % and at 100 %, interquartile mean and 95 % interval over seeds, and
            decisions taken, the best first.
        holds: the early winner also wins in full.
        regret: what the early winner costs there, in the unit of the first KPI.
        chosen: who beats the incumbent at 10 %; empty for nobody.
        core_s: processor seconds of it all.
        commit: the tree.
    """

    case: str
    own: int
    budget: int
    early: str
    late: str
    holds: bool
    regret: str
    chosen: str
    core_s: float
    commit: str


def contestants_of(problem: Problem) -> tuple[str, str]:
    """Who races."""
    if isinstance(problem.action, Box):
        return "ppo", "sac"
    return ("bandit", "ppo") if problem.horizon == 1 else ("ppo", "dqn")


def measure(case: str, budget: int, seeds: int, home: Path) -> Row:
    """Race on one case."""
    project = load_project(case)
    path = project.settings_path
    entered = {name: read_train_settings(path, name) for name in contestants_of(project.problem)}
    found = race(
        project,
        entered,
        tuple(range(1, seeds + 1)),
        home / case,
        budget=budget,
        share=SHARE,
        full="all",
        spent=core_seconds,
    )
    return row_of(case, read_train_settings(path).steps, budget, found, lineage_of_tree(Path(__file__).parent))


def row_of(case: str, own: int, budget: int, found: Race, commit: str) -> Row:
    """The race as a row of the table."""
    assert found.full is not None
    assert found.prediction is not None
    said = found.prediction
    cost = sum(one.core_s for rung in (*found.rungs, found.full) for one in rung.standings)
    regret = "" if said.regret is None else f"{said.regret:.4g}"
    early, late = told(found.rungs[-1]), told(found.full)
    return Row(case, own, budget, early, late, said.holds, regret, found.chosen or "", cost, commit)


def told(rung: Rung) -> str:
    """The standings of a round in words."""
    return "; ".join(_one(one) for one in rung.standings)


def _one(one: Standing) -> str:
    if one.score is None:
        return f"{one.name} not trained"
    span = f"{one.score.low:+.1%} to {one.score.high:+.1%}"
    return f"{one.name} {one.score.value:+.1%} ({span}, {one.taken:,.0f} taken)"


def main() -> None:
    """Race and print; rows already in the file stay, unless they are measured again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--budget", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--home", type=Path, default=Path(".tenure-race"))
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    for case in asked.cases:
        row = {name: str(value) for name, value in asdict(measure(case, asked.budget, asked.seeds, asked.home)).items()}
        print(row, flush=True)
        if asked.csv is not None:
            _keep(asked.csv, row)


def _keep(path: Path, row: dict[str, str]) -> None:
    kept = list(csv.DictReader(path.open(newline=""))) if path.exists() else []
    rows = [old for old in kept if old["case"] != row["case"]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])


if __name__ == "__main__":
    main()
