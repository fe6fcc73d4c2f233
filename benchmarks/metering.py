"""What it costs to see where a training spends its time, and that every number is one."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tenure.core.project import load_project
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.utilisation import Meter

WORLDS, STEPS, TIMES = 256, 400, 100_000


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Processor seconds of one piece of work: the best of five means, which other processes disturb least."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best


def main() -> None:
    """Measure and print."""
    project = load_project("bikes")
    worlds = SimulatorVecEnv(project.problem, project.simulator, WORLDS, 1, baseline=project.incumbent)
    worlds.reset()
    actions, meter = np.zeros(WORLDS, dtype=np.int64), Meter()
    reward, seen = np.zeros(WORLDS), np.zeros((WORLDS, len(project.problem.observation)), dtype=np.float32)
    step = seconds_of(lambda: worlds.step(actions), STEPS)
    switches = 2 * seconds_of(lambda: meter.switch("learn"), TIMES)
    finite = seconds_of(lambda: np.isfinite(reward).all() and np.isfinite(seen).all(), TIMES)
    print(f"a step of {WORLDS} worlds of bikes with their twins: {1e6 * step:.0f} microseconds")
    for name, cost in (("two switches of the meter", switches), ("looking for what is no number", finite)):
        print(f"{name}: {1e6 * cost:.2f} microseconds, {100 * cost / step:.2f} % of that")


if __name__ == "__main__":
    main()
