"""Time is always in one phase, the shares sum to 1, and the longest phase is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import torch
from tests.simulators.worlds import EndlessWalk, line_problem

from tenure.core import Step
from tenure.core.arrays import Ints
from tenure.core.clock import ManualClock
from tenure.training.utilisation import ADVICE, Meter, MeteredWorlds, batch_hint, bottleneck, utilisation

CLOCK = ManualClock(datetime(2024, 1, 1, tzinfo=UTC))


class Times:
    """Wall and processor seconds that are set by hand."""

    def __init__(self) -> None:
        self.wall, self.cpu = 0.0, 0.0
        self.meter = Meter(lambda: self.wall, lambda: self.cpu)

    def spend(self, wall: float, cpu: float) -> None:
        self.wall, self.cpu = self.wall + wall, self.cpu + cpu


def test_time_without_a_processor_is_waiting_and_the_rest_is_the_phases() -> None:
    times = Times()
    times.meter.switch("learn")
    times.spend(8.0, 6.0)
    times.meter.switch("score")
    times.spend(2.0, 2.0)
    times.meter.switch("learn")
    assert times.meter.shares() == {"start": 0.0, "learn": 0.6, "score": 0.2, "wait": 0.2}
    assert utilisation(times.meter, "").cores == 0.8


def test_two_processors_at_once_are_not_more_than_the_time_that_passed() -> None:
    times = Times()
    times.spend(1.0, 2.0)
    used = utilisation(times.meter, "")
    assert (used.shares, used.cores) == ({"start": 1.0, "wait": 0.0}, 2.0)
    assert used.memory_mb > 50


def test_a_lap_tells_of_the_time_since_the_last_one() -> None:
    times = Times()
    times.spend(5.0, 5.0)
    times.meter.lap()
    times.meter.switch("learn")
    times.spend(3.0, 3.0)
    assert times.meter.lap() == {"start": 0.0, "learn": 1.0, "wait": 0.0}


def test_worlds_are_simulated_whatever_was_going_on_and_it_goes_on_after() -> None:
    times = Times()

    class Slow(EndlessWalk):
        def step(self, state: Any, action: Ints, rng: np.random.Generator) -> Step:
            times.spend(4.0, 4.0)
            return super().step(state, action, rng)

    worlds = MeteredWorlds(line_problem(), Slow(), 2, seed=0)
    worlds.reset()
    worlds.meter = times.meter
    times.meter.switch("infer")
    worlds.step(np.array([1, 1]))
    times.spend(1.0, 1.0)
    times.meter.switch("infer")
    assert times.meter.shares() == {"start": 0.0, "infer": 0.2, "simulate": 0.8, "wait": 0.0}


@pytest.mark.parametrize("phase", sorted(ADVICE))
def test_every_phase_has_words_as_the_bottleneck(phase: str) -> None:
    shares = dict.fromkeys(ADVICE, 0.1) | {phase: 0.4}
    assert bottleneck(shares) == f"{phase} 40 %: {ADVICE[phase]}"


class Costly(torch.nn.Linear):
    """A network whose cost is a second plus one per `per_second` rows, by a clock moved by hand."""

    def __init__(self, per_second: float) -> None:
        super().__init__(2, 1)
        self.per_second = per_second

    def __deepcopy__(self, _: object) -> Costly:
        return Costly(self.per_second)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        CLOCK.advance(timedelta(seconds=1.0 + len(rows) / self.per_second))
        return super().forward(rows)


def test_larger_batches_are_advised_while_doubling_pays_a_fifth_more() -> None:
    # Seconds of a step: 1 + n / 200. Per second: 256 -> 112.3, 512 -> 143.8 (+28 %), 1024 -> 167.3 (+16 %).
    hint = batch_hint(Costly(200), 2, 256, 60.0, CLOCK)
    assert hint.startswith("batches of 512 in place of 256 would learn from 28 % more")


def test_no_larger_batch_is_advised_where_the_rows_are_the_cost() -> None:
    assert batch_hint(Costly(1), 2, 256, 60.0, CLOCK).startswith("larger batches than 256 would not")


def test_a_short_run_and_one_without_networks_try_nothing() -> None:
    def never() -> Iterator[torch.Tensor]:
        raise AssertionError

    graph = Costly(256)
    graph.forward = never  # type: ignore[assignment]
    assert batch_hint(graph, 2, 256, 9.0, CLOCK) == "not tried: the run was too short"
    assert batch_hint(graph, 2, None, 60.0, CLOCK) == "no gradient steps in batches"


def test_trying_batches_leaves_network_and_chance_as_they_were() -> None:
    graph, clock = torch.nn.Linear(2, 1), ManualClock(datetime(2024, 1, 1, tzinfo=UTC))

    class Ticking(ManualClock):
        def monotonic(self) -> float:
            self.advance(timedelta(seconds=0.05))
            return super().monotonic()

    before, chance = [weights.clone() for weights in graph.parameters()], torch.get_rng_state()
    assert "acting network alone" in batch_hint(graph, 2, 4, 60.0, Ticking(clock.now()))
    assert all(torch.equal(a, b) for a, b in zip(before, graph.parameters(), strict=True))
    assert torch.equal(chance, torch.get_rng_state())
