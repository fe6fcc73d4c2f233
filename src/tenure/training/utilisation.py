"""What a training used of its machine and what took the time, so that the slow part can be named."""

from __future__ import annotations

import copy
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn
from torch import nn

from tenure.core.clock import Clock
from tenure.simulators.vec_env import SimulatorVecEnv
from tenure.training.metrics.worlds import Stepped, WorldMeter

ADVICE: Mapping[str, str] = {
    "simulate": "stepping worlds takes the most time: `tenure sim profile P` says what of it",
    "infer": "choosing actions takes the most time: more worlds side by side share its fixed cost",
    "learn": "gradient steps take the most time: fewer epochs, or larger batches where the hint says they pay",
    "score": "scoring on the selection data takes the most time: raise checkpoint_every",
    "loop": "the recipe's own loop of worlds and updates takes the most time",
    "start": "making ready takes the most time: the run is short",
    "wait": "waiting takes the most time: other processes have the processor, or the simulator runs in one of its own",
}
"""What each phase being the longest means, and what to do."""
SIZES = (0.5, 1.0, 2.0, 4.0)
"""Batches that are tried, in batches of the settings."""
GROWTH = 1.2
"""How much more a doubled batch must do per second to be worth a word."""
SHARE, LEAST_S, MOST_S = 0.01, 0.1, 1.0
"""Of the run's time, how much trying batches may take; below the least it is left out. Seconds."""


class Meter:
    """Where the time goes: always in one phase, and in `wait` where the process had no processor.

    Args:
        wall: seconds that pass.
        cpu: seconds of processors this process used.

    >>> ticks = iter([0.0, 3.0, 4.0])
    >>> used = iter([0.0, 2.0, 3.0])
    >>> meter = Meter(lambda: next(ticks), lambda: next(used))
    >>> meter.switch("learn"), meter.switch("start")
    ('start', 'learn')
    >>> meter.shares()
    {'start': 0.5, 'learn': 0.25, 'wait': 0.25}
    """

    def __init__(
        self, wall: Callable[[], float] = time.perf_counter, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._wall, self._cpu, self.phase = wall, cpu, "start"
        self._at, self._used = wall(), cpu()
        self.seconds: dict[str, float] = {}
        self.cpu_seconds = 0.0
        self._lap: dict[str, float] = {}

    def switch(self, phase: str) -> str:
        """From now on time is that phase's; gives back the one before."""
        wall, cpu = self._wall(), self._cpu()
        spent, used = wall - self._at, cpu - self._used
        busy = min(used, spent)
        for name, seconds in ((self.phase, busy), ("wait", spent - busy)):
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.cpu_seconds += used
        self._at, self._used = wall, cpu
        before, self.phase = self.phase, phase
        return before

    def shares(self) -> dict[str, float]:
        """Share of each phase so far, the phases as they came; they sum to 1."""
        return _shares(self.seconds)

    def lap(self) -> dict[str, float]:
        """Shares since the last lap."""
        self.switch(self.phase)
        passed = {name: seconds - self._lap.get(name, 0.0) for name, seconds in self.seconds.items()}
        self._lap = dict(self.seconds)
        return _shares(passed)


def _shares(seconds: Mapping[str, float]) -> dict[str, float]:
    total = sum(seconds.values())
    names = [name for name in seconds if name != "wait"]
    return {name: seconds[name] / total for name in [*names, "wait"]} if total > 0 else {}


class Phases(BaseCallback):
    """Tells a meter what a learner of Stable-Baselines3 does; worlds and scores tell it themselves."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self.meter.switch("infer")

    def _on_rollout_end(self) -> None:
        self.meter.switch("learn")


class MeteredWorlds(SimulatorVecEnv):
    """Worlds that tell one meter when they are stepped, and another what came of it."""

    meter: Meter | None = None
    counted: WorldMeter | None = None

    def step_wait(self) -> VecEnvStepReturn:
        if self.meter is None:
            return self._counted_step()
        before = self.meter.switch("simulate")
        try:
            return self._counted_step()
        finally:
            self.meter.switch(before)

    def _counted_step(self) -> VecEnvStepReturn:
        if self.counted is None:
            return super().step_wait()
        seen, allowed = self._raw, self._legal_now()
        observation, earned, over, infos = super().step_wait()
        self.counted.update(Stepped(seen, allowed, self.taken, self.signals, over, earned))
        return observation, earned, over, infos


@dataclass(frozen=True)
class Utilisation:
    """What one seed's process used.

    Args:
        cores: processor seconds per second.
        memory_mb: most memory at once, in MB.
        gpu: its name, or `none`; networks learn on the processor.
        shares: of the time, by phase; `wait` is time without a processor.
        bottleneck: the longest phase, in words.
        batch_hint: whether larger batches would learn more per second, in words.
    """

    cores: float
    memory_mb: float
    gpu: str
    shares: dict[str, float]
    bottleneck: str
    batch_hint: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for the record."""
        return asdict(self)


def utilisation(meter: Meter, hint: str) -> Utilisation:
    """What this process used up to now."""
    meter.switch(meter.phase)
    shares = meter.shares()
    total = sum(meter.seconds.values())
    return Utilisation(
        cores=meter.cpu_seconds / total,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        gpu=f"{torch.cuda.get_device_name()}, not used" if torch.cuda.is_available() else "none",
        shares=shares,
        bottleneck=bottleneck(shares),
        batch_hint=hint,
    )


def bottleneck(shares: Mapping[str, float]) -> str:
    """The longest phase and what to do about it.

    >>> bottleneck({"simulate": 0.2, "score": 0.7, "wait": 0.1})
    'score 70 %: scoring on the selection data takes the most time: raise checkpoint_every'
    """
    name = max(shares, key=lambda name: shares[name])
    return f"{name} {100 * shares[name]:.0f} %: {ADVICE[name]}"


def busy_with(shares: Mapping[str, float]) -> str:
    """The two longest phases, for one line.

    >>> busy_with({"simulate": 0.2, "score": 0.7, "wait": 0.1})
    'score 70 %, simulate 20 %'
    """
    longest = sorted(shares, key=lambda name: -shares[name])[:2]
    return ", ".join(f"{name} {100 * shares[name]:.0f} %" for name in longest)


def batch_hint(graph: nn.Module, width: int, batch: int | None, lasted_s: float, clock: Clock) -> str:
    """Whether larger batches would learn more decisions per second: tried on a copy of the network that acts.

    Args:
        graph: the network; nothing is done to it.
        width: features it takes.
        batch: of the settings; None for a recipe without.
        lasted_s: of the training, in seconds; trying takes 1 % of it, at most a second.
        clock: measures.
    """
    if batch is None or not any(weights.requires_grad for weights in graph.parameters()):
        return "no gradient steps in batches"
    budget = min(MOST_S, SHARE * lasted_s)
    if budget < LEAST_S:
        return "not tried: the run was too short"
    tried = {size: _per_second(graph, width, max(int(size * batch), 1), budget / len(SIZES), clock) for size in SIZES}
    return advised({int(size * batch): speed for size, speed in tried.items()}, batch)


def advised(per_second: Mapping[int, float], batch: int) -> str:
    """The words for decisions per second by size of batch, each twice the one before.

    >>> advised({128: 1.0, 256: 1.5, 512: 2.0, 1024: 2.1}, 256)
    'batches of 512 in place of 256 would learn from 33 % more decisions per second (acting network alone)'
    >>> advised({128: 1.0, 256: 1.1, 512: 1.2, 1024: 1.3}, 256)
    'larger batches than 256 would not learn from many more decisions per second (acting network alone)'
    """
    best = batch
    while 2 * best in per_second and per_second[2 * best] > GROWTH * per_second[best]:
        best *= 2
    if best == batch:
        return f"larger batches than {batch} would not learn from many more decisions per second (acting network alone)"
    more = per_second[best] / per_second[batch] - 1
    what = f"{100 * more:.0f} % more decisions per second (acting network alone)"
    return f"batches of {best} in place of {batch} would learn from {what}"


def _per_second(graph: nn.Module, width: int, size: int, budget_s: float, clock: Clock) -> float:
    """Decisions per second of gradient steps on a copy: the fastest of those the budget allows, two at least."""
    tried = copy.deepcopy(graph)
    optimiser, rows = torch.optim.Adam(tried.parameters()), torch.ones(size, width)
    best, began, steps = float("inf"), clock.monotonic(), 0
    while steps < 2 or clock.monotonic() - began < budget_s:
        start = clock.monotonic()
        optimiser.zero_grad()
        tried(rows).square().mean().backward()
        optimiser.step()
        best, steps = min(best, clock.monotonic() - start), steps + 1
    return size / max(best, 1e-9)
