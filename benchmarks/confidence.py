"""How far off is what a policy says of its own confidence, on held-out worlds it never met?

    python -m benchmarks.confidence [RECIPE:CASE ...] [--seeds 3] [--csv docs/confidence.csv]

Trains each recipe on a case with `[train.confidence]` on, at a small budget (`STEPS`), one seed after the
other, and asks each bundle how sure it is in situations of the held-out data. `error` is the expected calibration error
with its 95 % interval, `plain` that of what the same bundle states without a head (its share of the softmax, 1 for a
vector), `skill` the share of the squared error of a constant that the head takes away. `curve` lists, for each tenth
with situations in it, stated:came true:situations. `us` is the least time of one proposal, in microseconds, without and
with the head.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tenure.cli.judge import whole_panel
from tenure.cli.sureness import SITUATIONS
from tenure.core.arrays import Floats
from tenure.core.project import Project, load_project
from tenure.simulators.twins import Twins, reliability, twins
from tenure.store import BundlePolicy, load_bundle
from tenure.training import RECIPES, Settings, read_train_settings, train
from tenure.training.confidence import Confidence
from tenure.training.export import export
from tenure.training.watcher import load_graph

WANTED = ("ppo:factory", "a2c:factory", "dqn:factory", "qr_dqn:factory", "ppo:arm", "sac:arm", "ppo:bikes")
STEPS = {"factory": 200_000, "arm": 50_000, "bikes": 400_000}
"""Decisions per seed."""
DRAWS, BLOCK = 41, 200
"""Blocks of proposals that are timed, in turns with and without the head."""


@dataclass(frozen=True)
class Row:
    """One seed of one recipe on one case; `refused` says why a head stayed behind, and then nothing else is known."""

    recipe: str
    case: str
    seed: int
    commit: str
    refused: str
    situations: int = 0
    good: float = 0.0
    error: float = 0.0
    low: float = 0.0
    high: float = 0.0
    skill: float = 0.0
    plain: float = 0.0
    curve: str = ""
    us: str = ""


def measure(recipe: str, case: str, seed: int, home: Path) -> Row:
    """Train one seed and ask its bundle."""
    project = load_project(case)
    record = train(project, _settings(project, recipe, case), (seed,), home, f"{recipe}-{case}-{seed}")
    policy = load_bundle(home / "bundles" / record.seeds[0].version, project.problem)
    refused = policy.bundle.manifest["evaluation"]["confidence"]["refused"]
    if refused:
        return Row(recipe, case, seed, record.commit, refused)
    found = _asked(project, policy)
    bare = _without_head(project, home / "runs" / record.run / f"seed-{seed}" / "best.pt", found.observation)
    said = reliability(found)
    plain = reliability(found.said(bare.propose(found.observation, None, np.zeros(len(found.gain))).confidence))
    off, bins = said.calibration.error, said.calibration.bins
    curve = " ".join(f"{one.confidence:.3f}:{one.good.value:.3f}:{one.n}" for one in bins if one.good is not None)
    spent = " ".join(f"{us:.1f}" for us in timed((bare, policy), found.observation[:BLOCK]))
    told = off.value, off.low, off.high, said.skill, plain.calibration.error.value
    return Row(recipe, case, seed, record.commit, "", off.n, said.good, *told, curve, spent)


def _settings(project: Project, recipe: str, case: str) -> Settings:
    own = read_train_settings(project.settings_path, recipe)
    defaults = RECIPES[recipe].settings()
    asked = {"steps": STEPS[case], "level": own.level, "baseline": own.baseline, "confidence": Confidence()}
    return replace(defaults, **asked)  # type: ignore[arg-type]


def _asked(project: Project, policy: BundlePolicy) -> Twins:
    """Situations of the held-out data, and how sure the policy is in them."""
    within, panel = policy.bundle.manifest["confidence"]["within"], whole_panel(project, "held_out")
    given = project.problem, project.simulator, policy, project.incumbent, panel
    return twins(*given, within=within, situations=SITUATIONS)


def _without_head(project: Project, best: Path, observation: Floats) -> BundlePolicy:
    """The same policy as a bundle that has none."""
    return BundlePolicy(export(project.problem, load_graph(best), observation, {}, {}))


def timed(policies: Sequence[BundlePolicy], rows: Floats) -> list[float]:
    """Least microseconds of one proposal of each policy over blocks asked in turns: what others do only adds."""
    spent: list[list[float]] = [[] for _ in policies]
    for _ in range(DRAWS):
        for times, policy in zip(spent, policies, strict=True):
            begun = time.perf_counter()
            for row in range(len(rows)):
                policy.propose(rows[row : row + 1], None, np.zeros(1))
            times.append((time.perf_counter() - begun) / len(rows) * 1e6)
    return [min(times) for times in spent]


def _rows(wanted: Iterable[str], seeds: int) -> Iterable[Row]:
    with tempfile.TemporaryDirectory() as home:
        for name in wanted:
            recipe, _, case = name.partition(":")
            for seed in range(1, seeds + 1):
                yield measure(recipe, case, seed, Path(home) / case)


def main() -> None:
    """Measure and print; rows already in the file stay, unless they are measured again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", default=WANTED, metavar="RECIPE:CASE")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--csv", type=Path)
    asked = parser.parse_args()
    for row in _rows(asked.wanted, asked.seeds):
        told = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in asdict(row).items()}
        print(told, flush=True)
        if asked.csv is not None:
            _keep(asked.csv, told)


def _keep(path: Path, row: dict[str, str]) -> None:
    kept = list(csv.DictReader(path.open(newline=""))) if path.exists() else []
    same = ("recipe", "case", "seed")
    rows = [old for old in kept if any(old[name] != row[name] for name in same)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])


if __name__ == "__main__":
    main()
