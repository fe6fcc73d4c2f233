"""End-to-end training speed: Stable-Baselines3 as a newcomer starts it, and the recipe of Tenure, on the same world.

    python benchmarks/training.py [--rounds 3] [--json]

Three contestants train PPO on the district world of the case 'bikes', in turns, so that a busy moment of the machine
meets all of them. Everything a run needs is in its time: worlds, inference, updates; for the recipe also its fitted
normaliser, the baseline's twin worlds and the scoring of its checkpoints on the selection month. Imports are left out,
and one warm-up before the first round. One torch thread each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from tenure.core.project import Project, load_project
from tenure.simulators.gym_env import SimulatorEnv
from tenure.training import PPOSettings
from tenure.training.ground import Ground
from tenure.training.recipes.ppo import train_ppo

TARGET = 15.0
"""The recipe's speed over the single-environment default's."""
SINGLE_STEPS, EIGHT_STEPS, RECIPE_STEPS = 4 * 2048, 8 * 2048, 20 * 256 * 64


@dataclass(frozen=True)
class Contestant:
    """A way to train, and how many decisions one run of it takes."""

    name: str
    steps: int
    run: Callable[[int], None]


def contestants(project: Project) -> list[Contestant]:
    """All three over one problem and simulator."""

    def world() -> SimulatorEnv:
        return SimulatorEnv(project.problem, project.simulator)

    def single(steps: int) -> None:
        PPO("MlpPolicy", world(), device="cpu").learn(steps)

    def eight(steps: int) -> None:
        worlds: VecEnv = DummyVecEnv([world] * 8)
        PPO("MlpPolicy", worlds, device="cpu").learn(steps)

    def recipe(steps: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            train_ppo(Ground(project, PPOSettings(steps=steps), 1, Path(folder), lambda _: None))

    return [
        Contestant("Stable-Baselines3 PPO, its default (1 environment)", SINGLE_STEPS, single),
        Contestant("Stable-Baselines3 PPO, 8 environments", EIGHT_STEPS, eight),
        Contestant("Tenure's recipe, 256 worlds as one batch", RECIPE_STEPS, recipe),
    ]


def measure(found: list[Contestant], rounds: int) -> dict[str, list[float]]:
    """Steps per second of every run, round by round."""
    speeds: dict[str, list[float]] = {contestant.name: [] for contestant in found}
    for _ in range(rounds):
        for contestant in found:
            started = time.perf_counter()
            contestant.run(contestant.steps)
            speeds[contestant.name].append(contestant.steps / (time.perf_counter() - started))
    return speeds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant, in turns")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    project = load_project("bikes")
    found = contestants(project)
    found[0].run(2048)
    found[2].run(256 * 64)
    speeds = measure(found, arguments.rounds)
    medians = [statistics.median(values) for values in speeds.values()]
    ratio = medians[2] / medians[0]
    if arguments.json:
        rows = [{"name": name, "steps_per_s": values} for name, values in speeds.items()]
        print(json.dumps({"contestants": rows, "ratio": ratio, "target": TARGET, "reached": ratio >= TARGET}))
        return
    print(f"{'contestant':<52}{'steps/s':>10}{'lowest':>10}{'highest':>10}{'ratio':>8}")
    for (name, values), median in zip(speeds.items(), medians, strict=True):
        low, high = float(np.min(values)), float(np.max(values))
        print(f"{name:<52}{median:>10,.0f}{low:>10,.0f}{high:>10,.0f}{median / medians[0]:>8.1f}")
    print(f"median of {arguments.rounds} runs in turns, one torch thread each; target {TARGET:g}: ", end="")
    print("reached" if ratio >= TARGET else "missed")


if __name__ == "__main__":
    main()
