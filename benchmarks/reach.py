"""How soon a goal is reached: CartPole's 475 over many seeds, and 10 % below the incumbent on a case.

    python -m benchmarks.reach cartpole [--kinds tanh sb3] [--seeds 30] [--csv FILE] [--svg FILE]
    python -m benchmarks.reach bikes [--limit 300] [--goal 0.1] [--csv FILE]

`cartpole` trains the fast preset and Stable-Baselines3, with its default network and with the preset's trunk (`--kinds`
takes others, such as our loop with two tanh networks), behind the same batch of worlds with the same settings, until
the last 100 episodes have a mean return of 475. It prints decisions and seconds, the ratio of means to the first with a
95 % bootstrap interval over seeds (10,000 resamples), and draws the learning curves side by side.

A case's name trains everybody on its worlds until the greedy policy's first KPI on the selection data is so much better
than the incumbent's, or the limit of seconds ends it: Stable-Baselines3's PPO with its defaults (1 environment, 8
environments, our batch of worlds), RLlib's PPO with its defaults, and our recipe with the case's own settings. Judging
is left out of everybody's seconds but ours, which counts its measurements, scores and checkpoints.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import torch
import vl_convert
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from benchmarks.training import CARTPOLE, EPISODES, GOAL, OURS, SCALE, WORLDS
from tenure.core.project import Project, load_project
from tenure.simulators.gym_env import SimulatorEnv
from tenure.simulators.rollout import run as simulate
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training import read_train_settings
from tenure.training.fast_ppo import ONE_CALL, FastPPO, shared_trunk
from tenure.training.ground import Ground
from tenure.training.network import TorchPolicy
from tenure.training.recipes.ppo import acting, train_ppo
from tenure.training.record import CurvePoint

MOST = 5_000_000
"""Decisions after which a seed on CartPole gives up."""


@dataclass(frozen=True)
class Point:
    """Where a training was: decisions, seconds, score."""

    steps: int
    seconds: float
    score: float


@dataclass(frozen=True)
class Run:
    """One training, to its goal or to its limit."""

    name: str
    seed: int
    reached: bool
    curve: tuple[Point, ...]


class Watch(BaseCallback):
    """Keeps the curve between rollouts, not counting the time of looking, and ends the training at the goal.

    Args:
        look: the score; None where there is none yet.
        good: says whether it is good enough.
        limit: seconds after which the training ends anyway.
        every: seconds between two looks.
    """

    def __init__(
        self,
        look: Callable[[Any], float | None],
        good: Callable[[float], bool],
        limit: float = float("inf"),
        every: float = 0.0,
    ) -> None:
        super().__init__()
        self.look, self.good, self.limit, self.every = look, good, limit, every
        self.curve: list[Point] = []
        self.reached, self.away, self.began, self.looked = False, 0.0, time.perf_counter(), 0.0

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return time.perf_counter() - self.began - self.away

    def _on_rollout_start(self) -> None:
        if self.seconds - self.looked < self.every:
            return
        self.looked = self.seconds
        score = self.look(self.model)
        self.away += self.seconds - self.looked
        if score is not None:
            self.curve.append(Point(self.num_timesteps, self.looked, score))
            self.reached = self.good(score)

    def _on_step(self) -> bool:
        return not self.reached and self.seconds < self.limit


def recent(model: Any) -> float | None:
    """Mean return of the last episodes, once there are enough."""
    found = model.ep_info_buffer or ()
    return float(np.mean([episode["r"] for episode in found])) if len(found) >= EPISODES else None


KINDS = {
    "fast": "ours, fast preset",
    "tanh": "ours, two tanh networks",
    "sb3": "Stable-Baselines3",
    "trunk": "Stable-Baselines3, our trunk",
}
"""Who trains on CartPole behind the batch of worlds."""


def on_cartpole(kind: str, seed: int) -> Run:
    """One seed of one of `KINDS`."""
    project = load_project(CARTPOLE)
    worlds = SimulatorVecEnv(project.problem, project.simulator, WORLDS, seed, scale=SCALE)
    trunk = shared_trunk((64, 64))
    learner: Any
    if kind in ("fast", "tanh"):
        layers = {**(trunk if kind == "fast" else {}), "optimizer_kwargs": ONE_CALL}
        learner = FastPPO("MlpPolicy", worlds, seed=seed, policy_kwargs=layers, **OURS)
    else:
        layers = trunk if kind == "trunk" else {}
        learner = PPO("MlpPolicy", worlds, device="cpu", seed=seed, policy_kwargs=layers, **OURS)
    watch = Watch(recent, lambda score: score >= GOAL)
    learner.learn(MOST, callback=watch)
    return Run(kind, seed, watch.reached, tuple(watch.curve))


def ratio(ours: Sequence[float], theirs: Sequence[float], draws: int = 10_000) -> tuple[float, float, float]:
    """Ratio of means with the 95 % interval of a percentile bootstrap over both sets of seeds."""
    rng = np.random.default_rng(0)
    a, b = np.asarray(ours), np.asarray(theirs)
    resampled = [rng.choice(a, len(a)).mean() / rng.choice(b, len(b)).mean() for _ in range(draws)]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(a.mean() / b.mean()), float(low), float(high)


class Judge:
    """The first KPI of a greedy policy on the selection data, beside the incumbent's."""

    def __init__(self, project: Project, goal: float) -> None:
        self.project, self.kpi = project, project.problem.kpis[0]
        self.panel = project.simulator.panel("selection")
        self.incumbent = simulate(project.problem, project.simulator, project.incumbent, self.panel).trace.kpi(self.kpi)
        self.goal = self.incumbent * (1 + self.kpi.sign * goal)

    def score(self, graph: nn.Module) -> float:
        """Of a graph from raw observations to logits."""
        policy = TorchPolicy(graph.eval())
        return simulate(self.project.problem, self.project.simulator, policy, self.panel).trace.kpi(self.kpi)

    def good(self, score: float) -> bool:
        """The goal is reached."""
        return self.kpi.sign * (score - self.goal) >= 0


def stable(project: Project, judge: Judge, limit: float, envs: int, seed: int) -> Run:
    """Stable-Baselines3's defaults; no `envs` stands for the batch of worlds, with the settings of CartPole's."""

    def world() -> SimulatorEnv:
        return SimulatorEnv(project.problem, project.simulator)

    def look(model: Any) -> float:
        graph = nn.Sequential(*acting(model.policy))
        found = judge.score(graph)
        model.policy.set_training_mode(False)
        return found

    if envs:
        learner = PPO("MlpPolicy", DummyVecEnv([world] * envs), device="cpu", seed=seed)
    else:
        worlds = SimulatorVecEnv(project.problem, project.simulator, WORLDS, seed, scale=SCALE)
        learner = PPO("MlpPolicy", worlds, device="cpu", seed=seed, **OURS)
    watch = Watch(look, judge.good, limit, every=2.0)
    learner.learn(10**9, callback=watch)
    environments = {1: "1 environment", 0: "default network, our batch of worlds"}.get(envs, f"{envs} environments")
    name = f"Stable-Baselines3, {environments}"
    return Run(name, seed, watch.reached, tuple(watch.curve))


def rllib(project: Project, judge: Judge, limit: float, seed: int) -> Run:
    """RLlib's PPO with its defaults but for two 64x64 tanh networks, one local runner."""
    import ray
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.tune import register_env

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    register_env("the-case", lambda _: SimulatorEnv(project.problem, project.simulator))
    config: Any = PPOConfig()  # type: ignore[no-untyped-call]
    network = DefaultModelConfig(fcnet_hiddens=[64, 64], fcnet_activation="tanh")
    config = config.environment("the-case", disable_env_checking=True).env_runners(num_env_runners=0)
    algorithm = config.debugging(seed=seed).rl_module(model_config=network).build_algo()
    curve, away, began, steps, reached = list[Point](), 0.0, time.perf_counter(), 0, False
    while not reached and time.perf_counter() - began - away < limit:
        steps = int(algorithm.train()["num_env_steps_sampled_lifetime"])
        seconds = time.perf_counter() - began - away
        module = algorithm.get_module()
        score = judge.score(nn.Sequential(module.encoder.encoder.net, module.pi.net))
        away = time.perf_counter() - began - seconds
        curve.append(Point(steps, seconds, score))
        reached = judge.good(score)
    algorithm.stop()
    return Run("RLlib, 64x64 tanh", seed, reached, tuple(curve))


class Reached(Exception):
    """Our recipe came to the goal, or to the limit."""


def ours(project: Project, judge: Judge, limit: float, seed: int) -> Run:
    """The recipe `ppo` with the case's own settings, all it does counted."""
    curve = list[Point]()

    def report(point: CurvePoint) -> None:
        curve.append(Point(point.steps, time.perf_counter() - began, point.score))
        if judge.good(point.score) or curve[-1].seconds >= limit:
            raise Reached

    settings = replace(read_train_settings(project.settings_path, "ppo"), checkpoint_every=100)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, suppress(Reached):
        train_ppo(Ground(project, settings, seed, Path(folder), report))
    return Run("ours, recipe ppo", seed, judge.good(curve[-1].score), tuple(curve))


def cartpole(kinds: Sequence[str], seeds: int, path: Path | None, picture: Path | None) -> None:
    """Run, print, keep and draw; ratios are of the first kind's decisions."""
    runs = [on_cartpole(kind, seed) for seed in range(seeds) for kind in kinds]
    by_kind = {kind: [run for run in runs if run.name == kind] for kind in kinds}
    ends = {kind: [float(run.curve[-1].steps) for run in found] for kind, found in by_kind.items()}
    for kind, found in by_kind.items():
        value, low, high = ratio(ends[kinds[0]], ends[kind])
        seconds = np.mean([run.curve[-1].seconds for run in found])
        print(
            f"{KINDS[kind]:<32}{sum(run.reached for run in found):>4} of {len(found)} reached"
            f"{np.mean(ends[kind]):>12,.0f} decisions{seconds:>8.1f} s"
            f"   {KINDS[kinds[0]]} takes {value:.2f} of that ({low:.2f} to {high:.2f})"
        )
    named = [replace(run, name=KINDS[run.name]) for run in runs]
    keep(named, path)
    if picture is not None:
        picture.write_text(drawn(named))


def case(project: Project, goal: float, limit: float, path: Path | None) -> None:
    """Run, print and keep."""
    judge = Judge(project, goal)
    print(f"incumbent {judge.incumbent:.4g}, goal {judge.goal:.4g} {judge.kpi.unit}, limit {limit:g} s")
    stables = [partial(stable, project, judge, limit, envs) for envs in (1, 8, 0)]
    found = list[Run]()
    for train in (*stables, partial(rllib, project, judge, limit), partial(ours, project, judge, limit)):
        run = train(seed=1)
        found.append(run)
        last = run.curve[-1]
        verdict = "reached" if run.reached else "NOT reached"
        print(f"{run.name:<48}{verdict:<12}{last.steps:>12,}{last.seconds:>8.1f} s{last.score:>10.4g}", flush=True)
    keep(found, path)


def keep(runs: Sequence[Run], path: Path | None) -> None:
    """Every point of every curve as CSV."""
    if path is None:
        return
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["contestant", "seed", "steps", "seconds", "score"])
        writer.writerows([r.name, r.seed, p.steps, f"{p.seconds:.2f}", f"{p.score:.2f}"] for r in runs for p in r.curve)


def drawn(runs: Sequence[Run]) -> str:
    """Learning curves side by side over decisions, one thin line per seed; SVG."""
    rows = [
        {"contestant": run.name, "seed": run.seed, "steps": point.steps, "score": round(point.score, 1)}
        for run in runs
        for point in run.curve
    ]
    chart = (
        alt.Chart(pd.DataFrame(rows), width=200, height=160)
        .mark_line(strokeWidth=0.6, opacity=0.6)
        .encode(
            x=alt.X("steps:Q", title="decisions", axis=alt.Axis(format="~s", tickCount=4)),
            y=alt.Y("score:Q", title="mean return of 100 episodes"),
            detail="seed:N",
            column=alt.Column("contestant:N", title=None),
        )
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("where", help="cartpole, or a shipped case of labels")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["fast", "sb3", "trunk"], help="on cartpole")
    parser.add_argument("--seeds", type=int, default=30, help="on cartpole")
    parser.add_argument("--goal", type=float, default=0.1, help="on a case: better than the incumbent by this share")
    parser.add_argument("--limit", type=float, default=300.0, help="on a case: seconds of training for each")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--svg", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.where == "cartpole":
        cartpole(asked.kinds, asked.seeds, asked.csv, asked.svg)
    else:
        case(load_project(asked.where), asked.goal, asked.limit, asked.csv)
    print(f"1-minute load at the end {os.getloadavg()[0]:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
