"""The clairvoyant bound: exact where it can be solved by hand or by trying everything, below every policy elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenure import Panel
from tenure.cases.bikes.bound import _district, bound
from tenure.cases.bikes.data import history
from tenure.cases.bikes.problem import incumbent, problem, rules
from tenure.cases.bikes.simulator import BikesSimulator, Districts, _as_it_was, simulator
from tenure.core.arrays import Floats
from tenure.simulators.batch import take
from tenure.simulators.rollout import run


def cost(totals: dict[str, float]) -> float:
    return 2.00 * totals["lost_rentals"] + 0.25 * totals["bikes_moved"] + 0.10 * totals["idle_bikes"]


@pytest.mark.parametrize(
    ("demand", "stock", "lost", "moved", "idle"),
    [
        ([0, 0, 5], 0, 0, 5, 0),  # the first move there can be comes just in time
        ([0, 4, 0], 0, 4, 0, 0),  # nothing can come before the third hour
        ([0, 0, 20], 0, 8, 12, 0),  # a truck carries 12
        ([1, 0, 0, 0], 3, 0, 0, 8),  # two idle for two more hours cost 0.40, a truck for them 0.50
        ([1, 0, 0, 0, 0, 0], 3, 0, 2, 4),  # for four more hours 0.80: take them away
        ([2, 0, 3], 5, 0, 0, 6),  # three wait for two hours: 0.60, where losing them would cost 6.00
    ],
)
def test_instances_solved_by_hand(demand: list[float], stock: float, lost: float, moved: float, idle: float) -> None:
    found = _district(np.array(demand, dtype=float), stock)
    expected = {"requests": sum(demand), "lost_rentals": lost, "bikes_moved": moved, "idle_bikes": idle}
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_the_best_of_all_plans_the_simulator_allows(seed: int) -> None:
    """Five hours, three moves that can matter: all 15,625 plans tried in the simulator itself."""
    rng = np.random.default_rng(seed)
    demand, stock = rng.integers(0, 15, 5), float(rng.integers(0, 15))
    world = BikesSimulator()
    changed = history().demand.copy()
    changed[100:105, 0] = demand
    world.__dict__["past"] = replace(history(), demand=changed)
    plans = np.array(np.meshgrid(*[np.arange(25)] * 3)).reshape(3, -1)
    n = plans.shape[1]
    state = Districts(np.full(n, 100), np.zeros(n, dtype=int), np.full(n, stock), np.zeros(n), **_as_it_was(n))
    total = np.zeros(n)
    for hour in range(5):
        step = world.step(state, plans[hour] if hour < 3 else np.full(n, 12), rng)
        state, total = step.state, total - problem.reward(step.signals)
    assert cost(_district(demand.astype(float), stock)) == pytest.approx(total.min())


def short(days: int) -> Panel:
    return simulator.panel("selection", 0, days)


def test_it_is_below_both_rules_in_every_district() -> None:
    panel = short(7)
    best = per_district(bound(panel))
    for rule in (incumbent, *rules.values()):
        signals = run(problem, simulator, rule, panel).trace.signals
        paid = per_district({name: values.sum(axis=0) for name, values in signals.items()})
        assert (best <= paid + 1e-9).all()
        assert best.sum() < 0.9 * paid.sum()


def test_no_policy_of_200_undercuts_it() -> None:
    """The incumbent with a random disturbance of its own in each: some are good, all stay above."""
    panel, rng, tries = short(3), np.random.default_rng(5), 200
    state = take(panel.state, np.tile(np.arange(20), tries))
    width = np.repeat(rng.integers(0, 7, tries), 20)
    total = np.zeros(20 * tries)
    for _ in range(panel.steps):
        action = incumbent.propose(simulator.observe(state), None, np.zeros(len(total))).action
        step = simulator.step(state, np.clip(action + rng.integers(-width, width + 1), 0, 24), rng)
        state, total = step.state, total - problem.reward(step.signals)
    assert (per_district(bound(panel)) <= total.reshape(tries, 20).min(axis=0) + 1e-9).all()


def test_it_states_every_signal_for_every_district() -> None:
    panel = short(1)
    found = bound(panel)
    assert set(found) == problem.signal_names
    assert all(values.shape == (20,) for values in found.values())
    hour = int(panel.state.hour[0])
    assert np.array_equal(found["requests"], history().demand[hour : hour + 24].sum(axis=0))


def per_district(totals: dict[str, Floats]) -> Floats:
    return -problem.reward(totals)
