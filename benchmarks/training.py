"""Training speed end to end: what people start with, and ours, on one machine, one torch thread, in turns.

    python benchmarks/training.py [--case cartpole] [--rounds 3] [--goal] [--sbx PYTHON] [--json]

Contestants: Stable-Baselines3's PPO with its default (1 environment), with 8 environments, with its default network
behind our batch of worlds; SBX, where `--sbx` names a python that has it (it wants a newer gymnasium than RLlib);
RLlib's PPO with 64x64 tanh; ours with two such networks, and the fast preset. On CartPole those without our batch step
Gymnasium's own, which a test holds to be the same world. On a case all step its simulator; RLlib and SBX stay out.

A speed is of decisions that were trained on, worlds and updates together, without imports and without the learner's
making; beside it stands the speed per second of processor time of this process, which a busy machine changes less
(RLlib and SBX run on threads or in processes of their own: theirs is left out or stands for all threads).

With `--goal` everybody trains on until the last 100 episodes have a mean return of 475; a limit of decisions ends it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from tenure.core.project import Project, load_project
from tenure.simulators.gym_env import SimulatorEnv
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.fast_ppo import ONE_CALL, FastPPO, shared_trunk
from tenure.training.ground import Ground
from tenure.training.recipes.fast_ppo import FastPPOSettings, train_fast_ppo

CARTPOLE = Path(__file__).resolve().parent / "cartpole"
GOAL = 475.0
"""Mean return of the last 100 episodes. Source: Gymnasium, the threshold of CartPole-v1."""
EPISODES = 100
OURS: dict[str, Any] = {"n_steps": 32, "batch_size": 8192, "n_epochs": 4, "learning_rate": 2e-3}
WORLDS = 1024
SCALE = 0.01
"""Of CartPole's rewards behind the batch of worlds, the discounted sum of which then is at most 1."""


@dataclass(frozen=True)
class Measured:
    """One run.

    Args:
        steps: decisions.
        wall_s, cpu_s: seconds that passed, and of processors of this process; nan where others worked for it.
        score: mean return of the last episodes.
    """

    steps: int
    wall_s: float
    cpu_s: float
    score: float


@dataclass(frozen=True)
class Contestant:
    """A way to train.

    Args:
        steps: decisions of a run without a goal.
        most: decisions after which a run with a goal ends.
        run: for so many decisions, with a goal or without.
    """

    name: str
    steps: int
    most: int
    run: Callable[[int, int, bool], Measured]


class Until(BaseCallback):
    """Ends a training whose last episodes were good enough, looked at between rollouts."""

    def __init__(self, goal: float) -> None:
        super().__init__()
        self.goal, self.reached, self.score = goal, False, float("nan")

    def _on_rollout_start(self) -> None:
        episodes = self.model.ep_info_buffer or deque()
        self.score = float(np.mean([episode["r"] for episode in episodes])) if len(episodes) else float("nan")
        self.reached = len(episodes) >= EPISODES and self.score >= self.goal

    def _on_step(self) -> bool:
        return not self.reached


def timed(made: Callable[[], Any], steps: int, goal: bool) -> Measured:
    """Train what is made."""
    learner, until = made(), Until(GOAL if goal else float("inf"))
    wall, cpu = time.perf_counter(), time.process_time()
    learner.learn(steps, callback=until)
    return Measured(learner.num_timesteps, time.perf_counter() - wall, time.process_time() - cpu, until.score)


def stable(project: Project, envs: int) -> Callable[[int, int, bool], Measured]:
    """Stable-Baselines3 with its defaults, over Gymnasium's environment or the project's as one."""

    def world() -> Any:
        import gymnasium

        if project.folder == CARTPOLE:
            return Monitor(gymnasium.make("CartPole-v1"))
        return Monitor(SimulatorEnv(project.problem, project.simulator))

    def run(seed: int, steps: int, goal: bool) -> Measured:
        def made() -> Any:
            if envs == 1:
                return PPO("MlpPolicy", world(), device="cpu", seed=seed)
            return PPO("MlpPolicy", DummyVecEnv([world] * envs), device="cpu", seed=seed)

        return timed(made, steps, goal)

    return run


def batched(project: Project, kind: str) -> Callable[[int, int, bool], Measured]:
    """Over the batch of worlds: Stable-Baselines3's loop, ours with two networks, or the preset."""

    def run(seed: int, steps: int, goal: bool) -> Measured:
        def made() -> Any:
            worlds = SimulatorVecEnv(project.problem, project.simulator, WORLDS, seed, scale=SCALE)
            trunk = shared_trunk((64, 64))
            if kind == "sb3":
                return PPO("MlpPolicy", worlds, device="cpu", seed=seed, **OURS)
            if kind == "sb3 trunk":
                return PPO("MlpPolicy", worlds, device="cpu", seed=seed, policy_kwargs=trunk, **OURS)
            layers = trunk if kind == "fast" else {}
            return FastPPO(
                "MlpPolicy", worlds, seed=seed, policy_kwargs={**layers, "optimizer_kwargs": ONE_CALL}, **OURS
            )

        return timed(made, steps, goal)

    return run


def rllib(seed: int, steps: int, goal: bool) -> Measured:
    """RLlib's PPO with its defaults, the network apart, one local environment runner on CartPole."""
    import ray
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    config: Any = PPOConfig()  # type: ignore[no-untyped-call]
    network = DefaultModelConfig(fcnet_hiddens=[64, 64], fcnet_activation="tanh")
    config = config.environment("CartPole-v1").env_runners(num_env_runners=0).debugging(seed=seed)
    algorithm = config.rl_module(model_config=network).build_algo()
    done, score, wall, cpu = 0, float("nan"), time.perf_counter(), time.process_time()
    while done < steps and not (goal and score >= GOAL):
        found = algorithm.train()
        done = int(found["num_env_steps_sampled_lifetime"])
        score = float(found["env_runners"].get("episode_return_mean", float("nan")))
    measured = Measured(done, time.perf_counter() - wall, time.process_time() - cpu, score)
    algorithm.stop()
    return measured


SBX = """
import json, sys, time
import gymnasium
from sbx import PPO
seed, steps = int(sys.argv[1]), int(sys.argv[2])
learner = PPO("MlpPolicy", gymnasium.make("CartPole-v1"), seed=seed)
learner.learn(4096)
episodes = learner.ep_info_buffer
learner = PPO("MlpPolicy", gymnasium.make("CartPole-v1"), seed=seed)
from stable_baselines3.common.callbacks import BaseCallback
import numpy as np
class Until(BaseCallback):
    reached, score = False, float("nan")
    def _on_rollout_start(self):
        found = self.model.ep_info_buffer
        self.score = float(np.mean([e["r"] for e in found])) if len(found) else float("nan")
        self.reached = len(found) >= 100 and self.score >= float(sys.argv[3])
    def _on_step(self):
        return not self.reached
until = Until()
wall, cpu = time.perf_counter(), time.process_time()
learner.learn(steps, callback=until)
print(json.dumps({"steps": learner.num_timesteps, "wall_s": time.perf_counter() - wall,
                  "cpu_s": time.process_time() - cpu, "score": until.score}))
"""
"""SBX's PPO with its defaults, compiled before the clock starts."""


def sbx(python: str) -> Callable[[int, int, bool], Measured]:
    """SBX in a python of its own."""

    def run(seed: int, steps: int, goal: bool) -> Measured:
        limit = str(GOAL if goal else float("inf"))
        with tempfile.TemporaryDirectory() as folder:
            where = {**os.environ, "PYTHONPATH": "", "JAX_PLATFORMS": "cpu"}
            command = [python, "-W", "ignore", "-c", SBX, str(seed), str(steps), limit]
            said = subprocess.run(command, capture_output=True, text=True, check=True, env=where, cwd=folder)
        return Measured(**json.loads(said.stdout.splitlines()[-1]))

    return run


def contestants(project: Project, python: str | None) -> list[Contestant]:
    """Everybody who can train on the project; ratios are to the first."""
    both = [
        Contestant("Stable-Baselines3, default (1 environment)", 8 * 2048, 300_000, stable(project, 1)),
        Contestant("Stable-Baselines3, 8 environments", 2 * 16_384, 500_000, stable(project, 8)),
        Contestant("Stable-Baselines3 behind our batch of worlds", 8 * 32_768, 3_000_000, batched(project, "sb3")),
        Contestant("the same with our trunk", 8 * 32_768, 3_000_000, batched(project, "sb3 trunk")),
        Contestant("ours, two 64x64 tanh networks", 8 * 32_768, 3_000_000, batched(project, "tanh")),
        Contestant("ours, fast preset", 8 * 32_768, 3_000_000, batched(project, "fast")),
    ]
    if project.folder != CARTPOLE:
        return both
    more = [Contestant("RLlib, 64x64 tanh", 3 * 4000, 120_000, rllib)]
    more += [Contestant("SBX, default", 8 * 2048, 300_000, sbx(python))] if python else []
    return both + more


def long_run(project: Project, steps: int) -> Measured:
    """The recipe `fast_ppo` with its defaults, its normaliser, scores and checkpoints in its time; the best score."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        ground = Ground(project, FastPPOSettings(steps=steps), 1, Path(folder), lambda _: None)
        curve = train_fast_ppo(ground).curve
    kpi = project.problem.kpis[0]
    best = max(curve, key=lambda point: point.merit(kpi))
    return Measured(curve[-1].steps, time.perf_counter() - wall, time.process_time() - cpu, best.score)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default="cartpole", help="cartpole, or a shipped case")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contestant, in turns")
    parser.add_argument("--goal", action="store_true", help="train until good enough; CartPole only")
    parser.add_argument("--sbx", help="a python that has sbx-rl")
    parser.add_argument("--recipe", type=int, default=0, help="only the recipe fast_ppo, for so many decisions")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    asked = parser.parse_args()
    if asked.goal and asked.case != "cartpole":
        parser.error("--goal is for cartpole")
    torch.set_num_threads(1)
    project = load_project(CARTPOLE if asked.case == "cartpole" else asked.case)
    if asked.recipe:
        print(json.dumps({"load": os.getloadavg()[0], **asdict(long_run(project, asked.recipe))}))
        return
    found = contestants(project, asked.sbx)
    runs: dict[str, list[Measured]] = {contestant.name: [] for contestant in found}
    for seed in range(asked.rounds):
        for one in found:
            runs[one.name].append(one.run(seed, one.most if asked.goal else one.steps, asked.goal))
            print(one.name, runs[one.name][-1], file=sys.stderr, flush=True)
    load = os.getloadavg()[0]
    if asked.json:
        print(json.dumps({"load": load, "runs": {name: [asdict(m) for m in all_] for name, all_ in runs.items()}}))
        return
    table(runs, load)


def table(runs: dict[str, list[Measured]], load: float) -> None:
    """Medians, and how many times the first contestant's speed."""
    first = next(iter(runs.values()))

    def speed(found: list[Measured], seconds: str) -> float:
        return float(statistics.median(one.steps / getattr(one, seconds) for one in found))

    print(
        f"{'contestant':<48}{'steps/s':>10}{'ratio':>8}{'per cpu s':>11}{'ratio':>8}{'steps':>11}{'s':>8}{'score':>8}"
    )
    for name, found in runs.items():
        wall, cpu = speed(found, "wall_s"), speed(found, "cpu_s")
        steps, lasted = statistics.median(o.steps for o in found), statistics.median(o.wall_s for o in found)
        score = statistics.median(o.score for o in found)
        print(
            f"{name:<48}{wall:>10,.0f}{wall / speed(first, 'wall_s'):>8.1f}{cpu:>11,.0f}"
            f"{cpu / speed(first, 'cpu_s'):>8.1f}{steps:>11,.0f}{lasted:>8.1f}{score:>8.1f}"
        )
    print(f"medians of {len(first)} runs in turns; 1-minute load {load:.1f}")


if __name__ == "__main__":
    main()
