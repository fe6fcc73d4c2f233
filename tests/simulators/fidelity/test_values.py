"""Values on real data: as logged, weighted, or refused; gaps and what they mean; rankings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.simulators.fidelity.depot import DepotSimulator, OrderUpTo, drawn, incumbent, learned, problem, rules
from tests.simulators.fidelity.rows import rows
from tests.simulators.fidelity.truth import logged

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Verdict
from tenure.core.policy import Proposal
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.core.trajectories import Trajectories
from tenure.simulators.fidelity.behaviour import Mixed, behaviour
from tenure.simulators.fidelity.gaps import Gap, gap, judged
from tenure.simulators.fidelity.ranking import ranking
from tenure.simulators.fidelity.recorded import compared
from tenure.simulators.fidelity.values import Unknown, Worth, on_real_data, weights, worth

COST = KPI("cost", "$", "lower", {"y": 1.0})

coin = Problem(
    name="coin",
    about="Heads or tails.",
    observation=(Feature("x", "", 0, 1),),
    action=Discrete(("heads", "tails")),
    signals=(Signal("y", "$", 0, 10),),
    reward=Reward((Term("y", -1.0, "$/$", "it costs"),)),
    kpis=(COST,),
)


class Always:
    """Takes one action."""

    def __init__(self, action: int) -> None:
        self.action, self.version = action, f"always {action}"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.full(len(observation), self.action), np.ones(len(observation)))


def tossed(episodes: int, steps: int, heads: float, seed: int = 0) -> Trajectories:
    """Heads with that probability; heads costs 3, tails 1."""
    rng = np.random.default_rng(seed)
    action = (rng.random(episodes * steps) >= heads).astype(np.int64)
    x = np.zeros(episodes * steps)
    log = rows({"x": x}, {"y": np.where(action == 0, 3.0, 1.0)}, episodes, action.astype(float))
    return replace(log, propensity=np.where(action == 0, heads, 1 - heads))


def of(value: float, error: float, units: int = 100) -> Worth:
    """A worth of that value and about that standard error."""
    spread = error * math.sqrt(units - 1)
    above = value + np.tile([spread, -spread], units // 2)
    return Worth(above[None], np.ones((1, units)), "made up", "episode")


def test_worth_of_a_log_is_its_kpi_with_the_error_of_a_mean_of_units() -> None:
    log = rows({}, {"y": np.array([1.0, 1.0, 3.0, 3.0, 5.0, 5.0])}, 3)
    found = worth([COST], log, "episode", "direct")
    assert found.value() == pytest.approx(3.0)
    assert found.error() == pytest.approx(np.std([1, 3, 5], ddof=1) / math.sqrt(3))


def test_weights_turn_a_log_into_the_policy_it_is_weighted_for() -> None:
    log = tossed(4000, 3, 0.5)
    weight = weights(coin, log, Always(0))
    assert not isinstance(weight, Unknown)
    assert worth([COST], log, "episode", "", weight).value() == pytest.approx(3.0)
    # Three steps of heads have probability 1/8: about 500 episodes carry all the weight.
    assert (weight[log.step == 2] > 0).mean() == pytest.approx(1 / 8, abs=0.02)


def test_weights_are_refused_without_propensities_without_support_and_with_too_few_episodes() -> None:
    log = tossed(4000, 3, 0.5)
    unknown = weights(coin, replace(log, propensity=np.full(len(log), np.nan)), Always(0))
    assert isinstance(unknown, Unknown)
    assert "propensity" in unknown.reason
    few = weights(coin, tossed(300, 5, 0.5), Always(0))
    assert isinstance(few, Unknown)
    assert "episodes" in few.helps
    certain = replace(tossed(4000, 3, 0.5), propensity=np.ones(12000))
    assert isinstance(weights(coin, certain, Always(0)), Unknown)


def test_a_log_that_was_never_explored_and_cannot_be_replayed_gives_no_value() -> None:
    log = replace(tossed(400, 3, 0.5), propensity=np.full(1200, np.nan))
    assert isinstance(on_real_data(coin, object(), log, Always(0), "episode"), Unknown)  # type: ignore[arg-type]


def test_the_gap_is_positive_where_the_simulator_is_too_good_whichever_way_is_better() -> None:
    assert gap("p", COST, 0, of(8, 0.1), of(10, 0.1)).relative == pytest.approx(0.2)
    higher = replace(COST, better="higher")
    assert gap("p", higher, 0, of(12, 0.1), of(10, 0.1)).relative == pytest.approx(0.2)
    assert gap("p", COST, 0, of(12, 0.1), of(10, 0.1)).relative == pytest.approx(-0.2)


def test_the_interval_of_a_gap_is_the_delta_method() -> None:
    found = gap("p", COST, 0, of(8, 0.1), of(10, 0.2))
    error = math.hypot(0.1 / 10, 8 * 0.2 / 100)
    assert (found.high - found.low) / 2 == pytest.approx(1.984 * error, rel=1e-3)  # t, 99 degrees of freedom


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.21, 0.40, Verdict.FAIL),
        (0.19, 0.40, Verdict.INCONCLUSIVE),
        (0.00, 0.16, Verdict.INCONCLUSIVE),
        (0.10, 0.15, Verdict.PASS),
        (-0.50, -0.30, Verdict.PASS),
    ],
)
def test_a_drop_fails_above_20_percent_for_sure_and_passes_below_15_for_sure(
    low: float, high: float, verdict: Verdict
) -> None:
    found = Gap("p", "cost", 1, 1, (low + high) / 2, low, high, "", 10, "day")
    assert judged(found, 0.15, 0.20).verdict is verdict


def test_an_open_gap_says_how_much_more_log_it_takes() -> None:
    # Doubt 0.10 about 0.10 must shrink to 0.05: four times the 10 days.
    found = Gap("p", "cost", 1, 1, 0.10, 0.0, 0.20, "", 10, "day")
    assert "About 30 more days" in judged(found, 0.15, 0.20).reason


def test_a_simulator_that_turns_the_ranking_round_fails_and_an_equal_one_passes() -> None:
    real = {f"p{k}": of(10 + k, 0.1) for k in range(5)}
    assert ranking(real, real).tau == 1
    assert ranking(real, real).verdict is Verdict.PASS
    turned = {f"p{k}": of(10 - k, 0.1) for k in range(5)}
    assert ranking(turned, real).tau == -1
    assert ranking(turned, real).verdict is Verdict.FAIL


def test_a_ranking_needs_five_policies_that_the_log_tells_apart() -> None:
    four = {f"p{k}": of(10 + k, 0.1) for k in range(4)}
    assert ranking(four, four).verdict is Verdict.INCONCLUSIVE
    alike = {f"p{k}": of(10 + 0.001 * k, 5.0) for k in range(5)}
    apart = {name: replace(each, above=np.random.default_rng(k).permutation(each.above[0])[None])
             for k, (name, each) in enumerate(alike.items())}  # fmt: skip
    assert ranking(apart, apart).verdict is Verdict.INCONCLUSIVE


def test_who_logged_is_found_with_its_share_of_chance() -> None:
    log = logged(drawn(3), 5, with_promotions=False)
    found = behaviour(problem, log, {"learned": learned, "incumbent": incumbent, **rules})
    assert found.name == "incumbent"
    assert found.share == pytest.approx(0.2, abs=0.02)


def test_a_log_of_somebody_unknown_is_nobodys() -> None:
    log = rows({"x": np.zeros(400)}, {"y": np.ones(400)}, 4, np.ones(400))
    assert behaviour(coin, log, {"heads": Always(0)}).policy is None
    assert behaviour(coin, log, {"heads": Always(0), "tails": Always(1)}).name == "tails"


def test_a_mixed_policy_takes_each_action_as_often_as_it_says() -> None:
    n = 20_000
    draw = (np.arange(n) + 0.5) / n
    found = Mixed(Always(1), 0.5, 2).propose(np.zeros((n, 1), dtype=np.float32), None, draw)
    assert (found.action == 1).mean() == pytest.approx(0.75, abs=1e-3)
    assert found.probability_of(np.ones(n, dtype=np.int64)) == pytest.approx(np.full(n, 0.75))


def test_replay_of_a_log_by_the_world_it_came_from_has_no_error_and_another_gate_shows() -> None:
    world = replace(drawn(3), blur=0.0, gate=9.0)
    log = logged(world, 5, with_promotions=False)
    found, by_steps = compared(problem, DepotSimulator(world, 1), log, "episode")
    assert max(each.value for each in found) < 1e-5
    assert all(error < 1e-5 for row in by_steps for error in row["by_steps"].values())
    other, _ = compared(problem, DepotSimulator(replace(world, gate=16.0), 1), log, "episode")
    assert {each.field for each in other if each.verdict is Verdict.FAIL} & {"stock", "arrived", "held"}


def test_replay_values_the_policy_and_not_the_one_that_logged() -> None:
    world = replace(drawn(3), blur=0.0)
    log = logged(world, 5, with_promotions=False)
    simulator = DepotSimulator(world, 1)
    lean, full = (on_real_data(problem, simulator, log, OrderUpTo(c, 0.0), "episode") for c in (1.0, 4.0))
    assert isinstance(lean, Worth)
    assert isinstance(full, Worth)
    assert lean.value(1) < full.value(1) - 0.05
