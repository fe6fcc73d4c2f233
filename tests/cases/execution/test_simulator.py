"""The market by hand and by the closed form of Almgren and Chriss; and the contract it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import cosh, sinh, tanh

import numpy as np
import pytest

from tenure import Split
from tenure.cases.execution.bound import best_plan
from tenure.cases.execution.market import MARKETS, Market, moved_on, transition
from tenure.cases.execution.problem import EVEN, LOTS, PACES, RISK_WEIGHT, SLOTS, child_lots, problem
from tenure.cases.execution.simulator import DESKS, SPLITS, Desks, ExecutionSimulator, simulator
from tenure.core.arrays import Floats
from tenure.core.clock import SystemClock
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.simulators import check_simulator, steps_per_second

RNG = np.random.default_rng(0)
PLAIN = Market(calm=1.5, wild=1.5, tight=0.2, wide=0.2, thick=10, thin=10, permanent=1.0, drift=0.0, blur=0.0)
"""One regime: volatility, volume and drift are the same in every one of the chain's states."""


def plain() -> ExecutionSimulator:
    return ExecutionSimulator({"normal": PLAIN})


def order_cost(world: ExecutionSimulator, lots: Floats) -> float:
    """Mean shortfall and risk of a schedule over one order of every desk, without the market's own moves.

    These are what the price does in a slot where nothing is bought: there is one regime, and no drift.
    """
    state, total = world.panel("train", days=1).state, 0.0
    for bought in lots:
        unbought = (state.remaining - bought) / LOTS
        step, idle = world.buy(state, np.full(DESKS, bought)), world.buy(state, np.zeros(DESKS))
        noise = 0.0 if idle.signals["finished"][0] else (idle.state.moved - state.moved) * unbought
        total += float((step.signals["shortfall"] + RISK_WEIGHT * step.signals["risk"] - noise).mean())
        state = step.state
    return total


def almgren_chriss() -> tuple[Floats, float]:
    """Lots of each slot and the least cost, in closed form, for an order of 1 in 12 slots of length 1.

    Almgren and Chriss (2000), "Optimal execution of portfolio transactions": trajectory (17), expectation and variance
    (20); their eta is our temporary impact, gamma the permanent one, epsilon half the spread, lambda the risk weight.
    """
    spread, gamma, sd = PLAIN.tight, PLAIN.permanent, PLAIN.calm
    eta = PLAIN.thick - gamma / 2
    kappa = float(np.arccosh(1 + RISK_WEIGHT * sd**2 / eta / 2))
    held = np.array([sinh(kappa * (SLOTS - slot)) / sinh(kappa * SLOTS) for slot in range(SLOTS + 1)])
    whole, t = kappa * SLOTS, SLOTS
    impact = eta * tanh(kappa / 2) * (sinh(2 * whole) + 2 * t * sinh(kappa)) / (2 * sinh(whole) ** 2)
    variance = sd**2 / 2 * (sinh(whole) * cosh(kappa * (t - 1)) - t * sinh(kappa))
    variance /= sinh(whole) ** 2 * sinh(kappa)
    return -np.diff(held) * LOTS, gamma / 2 + spread + impact + RISK_WEIGHT * variance


def test_with_one_regime_and_no_noise_the_almgren_chriss_schedule_costs_its_closed_form() -> None:
    lots, cost = almgren_chriss()
    assert lots.sum() == pytest.approx(LOTS)
    assert lots[0] > 1.5 * lots[-1], "the risk weight matters here"
    assert order_cost(plain(), lots) == pytest.approx(cost, rel=1e-9)  # 1 % is promised


def other_schedules(lots: Floats) -> Iterator[Floats]:
    """A lot less in one slot and more in another, every pair; and time-weighted, and all at once."""
    yield np.full(SLOTS, LOTS / SLOTS)
    yield np.eye(SLOTS)[0] * LOTS
    for one in range(SLOTS):
        for other in range(SLOTS):
            if one != other and lots[one] >= 1:
                yield lots + np.eye(SLOTS)[other] - np.eye(SLOTS)[one]


def test_no_other_schedule_costs_less_than_almgren_chriss() -> None:
    lots, _ = almgren_chriss()
    least = order_cost(plain(), lots)
    assert all(order_cost(plain(), other) > least for other in other_schedules(lots))


def test_the_paces_come_within_three_percent_of_almgren_chriss_and_not_below() -> None:
    """Whole lots and six paces cost little against any schedule; the programme's cost is the same in every regime."""
    cost = best_plan(PLAIN)[1][SLOTS, LOTS]
    assert cost == pytest.approx(np.full(12, cost[0]))
    assert almgren_chriss()[1] <= cost[0] < 1.03 * almgren_chriss()[1]


def desk(remaining: int = 24, slot: int = 6, **of: float) -> Desks:
    state = simulator.panel("train").state
    one = {name: values[:1] for name, values in vars(state).items()}
    values = {"remaining": remaining, "slot": slot, "wild": 0, "thin": 0, "drift": 1, **of}
    return Desks(**{**one, **{name: np.array([value]) for name, value in values.items()}})


def test_a_slot_by_hand() -> None:
    """12 of 48 lots in a thin and wild market: 0.3 + 20/4 bp above the middle price, which stood 4 bp up."""
    state = desk(wild=1, thin=1, moved=4.0)
    step = simulator.step(state, np.array([PACES.index("triple")]), RNG)
    signals = {name: float(values[0]) for name, values in step.signals.items()}
    move = float(step.state.moved[0]) - 4.0
    assert step.state.remaining[0] == 12
    assert signals["impact"] == pytest.approx(0.25 * 5.3)
    assert signals["shortfall"] == pytest.approx(0.25 * 5.3 + 0.25 * move)
    assert signals["slippage"] == pytest.approx(9.3e-4)
    assert signals["risk"] == pytest.approx((1.75 / 4) ** 2)
    assert (signals["dear"], signals["children"], signals["finished"]) == (0, 1, 0)


def test_without_a_child_order_there_is_no_slippage_and_the_move_counts_on_all_that_is_unbought() -> None:
    step = simulator.step(desk(moved=40.0), np.array([PACES.index("wait")]), RNG)
    assert step.signals["slippage"][0] == step.signals["children"][0] == step.signals["dear"][0] == 0
    assert step.signals["shortfall"][0] == pytest.approx(0.5 * (step.state.moved[0] - 40))


@pytest.mark.parametrize(("moved", "dear"), [(14.0, 0), (14.9, 1)])
def test_a_child_order_above_15_basis_points_is_dear(moved: float, dear: int) -> None:
    """4 lots in a thick market: 0.15 + 5/12 = 0.57 bp above the middle price."""
    step = simulator.step(desk(moved=moved), np.array([EVEN]), RNG)
    assert step.signals["dear"][0] == dear == (step.signals["slippage"][0] > 0.0015)


def test_the_shortfall_of_an_order_is_what_was_paid_above_the_arrival_price() -> None:
    """Perold (1988): summed by parts, both are the same money, lot by lot."""
    state = simulator.panel("train", days=1).state
    owed, paid = np.zeros(DESKS), np.zeros(DESKS)
    for slot in range(SLOTS):
        step = simulator.step(state, np.full(DESKS, 1 if slot % 3 else EVEN), RNG)
        left = 0 if slot == SLOTS - 1 else step.state.remaining
        paid += (state.remaining - left) / LOTS * step.signals["slippage"] * 10_000
        owed += step.signals["shortfall"]
        state = step.state
    assert owed == pytest.approx(paid)
    assert (state.remaining == LOTS).all()
    assert (state.moved == 0).all()


def test_the_last_slot_buys_what_remains_whatever_is_asked() -> None:
    step = simulator.step(desk(remaining=17, slot=11), np.array([0]), RNG)
    assert step.signals["impact"][0] == pytest.approx(17 / 48 * (0.15 + 5 * 17 / 48))
    assert (step.signals["finished"][0], step.state.remaining[0]) == (1, LOTS)


@pytest.mark.parametrize(("pace", "lots"), [("wait", 0), ("half", 2), ("even", 4), ("1.5 times", 6), ("triple", 11)])
def test_child_orders_are_whole_lots_rounded_half_up(pace: str, lots: int) -> None:
    """22 lots in 6 slots: 3.67 are even."""
    assert child_lots(np.array([22]), np.array([6]), np.array([PACES.index(pace)])) == lots


def test_what_is_allowed_ends_in_time_and_buys_no_more_than_remains() -> None:
    def words(slot: int) -> list[str]:
        allowed = problem.allowed(simulator.observe(desk(slot=slot)))
        assert allowed is not None
        return [pace for pace, fine in zip(PACES, allowed[0], strict=True) if fine]

    assert words(0) == list(PACES)
    assert words(10) == ["wait", "half", "even", "1.5 times", "double"]
    assert words(11) == ["even"]


def test_regimes_last_as_long_as_they_should_and_leave_for_each_other_equally() -> None:
    regime, drawn = np.repeat([0, 1, 2], 10_000), np.tile((np.arange(10_000) + 0.5) / 10_000, 3)
    after = moved_on(regime, np.full(30_000, 0.9), drawn, 3)
    counted = np.array([np.bincount(after[regime == now], minlength=3) for now in range(3)]) / 10_000
    assert counted == pytest.approx(transition(0.9, 3), abs=2e-4)
    assert transition(0.9, 3)[0] == pytest.approx([0.9, 0.05, 0.05])


def test_in_a_new_regime_the_imbalance_changes_its_sign_after_three_weeks_and_nothing_else_does() -> None:
    turned = ExecutionSimulator(shown="new-regime")
    assert MARKETS["new-regime"].turns_at == 21 * 144
    for slot, sign in ((21 * 144 - 1, 1.0), (21 * 144, -1.0)):
        states = [replace(world.panel("train").state, slot=np.full(DESKS, slot)) for world in (simulator, turned)]
        calm, new = (replace(each, drift=np.full(DESKS, 2)) for each in states)
        usual, seen = simulator.observe(calm)[:, 5], turned.observe(new)[:, 5]
        noise = usual - 0.6
        assert seen == pytest.approx(0.6 * sign + noise, abs=1e-6)
        steps = [world.step(each, np.full(DESKS, EVEN), RNG) for world, each in ((simulator, calm), (turned, new))]
        assert np.array_equal(steps[0].signals["shortfall"], steps[1].signals["shortfall"])


def test_the_imbalance_foretells_the_move() -> None:
    state = simulator.panel("train").state
    seen, moves = [], []
    for _ in range(288):
        seen.append(simulator.observe(state)[:, 5])
        step = simulator.step(state, np.zeros(DESKS, dtype=np.int64), RNG)
        moves.append(np.where(step.signals["finished"] == 0, step.state.moved - state.moved, np.nan))
        state = step.state
    known = np.isfinite(moves)
    assert np.corrcoef(np.array(seen)[known], np.array(moves)[known])[0, 1] > 0.2


def test_the_noise_has_the_stated_standard_deviation() -> None:
    world, state = plain(), plain().panel("train").state
    moves = []
    for _ in range(SLOTS - 1):
        step = world.step(state, np.zeros(DESKS, dtype=np.int64), RNG)
        moves.append(step.state.moved - state.moved)
        state = step.state
    many = np.concatenate(moves)
    assert many.std() == pytest.approx(1.5, rel=4 * (2 * len(many)) ** -0.5)
    assert many.mean() == pytest.approx(0, abs=4 * 1.5 / len(many) ** 0.5)


@pytest.mark.parametrize("level", list(MARKETS))
def test_it_keeps_the_contract_on_every_level(level: str) -> None:
    findings = check_simulator(problem, simulator, levels=[level])
    assert [each.reason for each in findings if each.verdict is not Verdict.PASS] == []


@pytest.mark.parametrize("split", ["train", "selection", "held_out"])
def test_a_panel_has_its_own_desks_from_midnight(split: Split) -> None:
    panel = simulator.panel(split, first_day=2, days=3)
    assert (panel.state.number == SPLITS[split] + np.arange(DESKS)).all()
    assert (panel.steps, set(panel.state.slot), panel.independent) == (432, {288}, True)


def test_training_draws_from_training_desks_only() -> None:
    assert (simulator.reset(4096, np.random.default_rng(1)).number < SPLITS["selection"]).all()


@pytest.mark.parametrize(("first", "days"), [(-1, 1), (27, 2), (0, 29), (0, 0)])
def test_days_outside_the_part_are_refused(first: int, days: int) -> None:
    with pytest.raises(DataError, match="days within the 28"):
        simulator.panel("train", first, days)


def test_another_level_is_another_version() -> None:
    versions = {simulator.version, ExecutionSimulator(shown="new-regime").version, plain().version}
    assert len(versions) == 3
    assert simulator.version == ExecutionSimulator().version


def test_it_is_fast() -> None:
    """Far below what it does alone (docs/cases/execution.md), as tests run beside others."""
    assert steps_per_second(problem, simulator, 1024, 50, clock=SystemClock()) > 50_000
