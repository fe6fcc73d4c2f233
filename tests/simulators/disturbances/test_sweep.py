"""A sweep shows where a policy holds beside the incumbent, on the same worlds, and names where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from tests.simulators.worlds import Always, Shop, Stock, UpTo, shop_problem

from tenure.core import KPI, Problem, Proposal, Step, Verdict
from tenure.core.arrays import Bools, Floats
from tenure.simulators.disturbances.standard import spread_of, standard
from tenure.simulators.disturbances.sweep import Sweep, sweep

from .worlds import Clock, Time, clock_problem


class Levels(Shop):
    """At the level hard the shelf starts full, with more than a shop of `normal` ever has."""

    levels: Mapping[str, object] = {"normal": 0, "hard": 20}

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Stock:
        return Stock(np.full(n, self.levels[level]))


class Beat(Clock):
    """Pays 2 for naming the time's last digit, and 1 for the action 9 at other times."""

    def step(self, state: Time, action: Any, rng: np.random.Generator) -> Step:
        step = super().step(state, action, rng)
        pay = np.where(action == state.time % 9, 2.0, np.where(action == 9, 1.0, 0.0))
        return Step(step.state, {**step.signals, "taken": pay}, step.terminated)


@dataclass(frozen=True)
class OnTheBeat:
    """Names the digit it sees; perfect while what it sees is on time."""

    version: str = "on-the-beat"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(observation[:, 0].astype(np.int64) % 9, np.ones(len(observation)))


def swept(policy: object, incumbent: object = UpTo(3), problem: Problem | None = None) -> Sweep:
    return sweep(problem or shop_problem(), Levels(), incumbent, policy, worlds=64)  # type: ignore[arg-type]


def test_a_policy_stands_as_well_as_itself_everywhere_because_both_meet_the_same_chance() -> None:
    found = swept(UpTo(3))
    assert found.verdict is Verdict.PASS
    assert {cell.gain.value for cell in found.cells if cell.gain} == {0.0}


def test_every_level_is_met_undisturbed_and_under_every_disturbance_in_three_strengths() -> None:
    found = swept(UpTo(3))
    kinds = [(cell.disturbance, cell.strength) for cell in found.cells if cell.level == "hard"]
    assert kinds == [(cell.disturbance, cell.strength) for cell in found.cells if cell.level == "normal"]
    assert kinds[0] == ("none", "")
    assert [kind for kind, strength in kinds if strength == "mild"] == [
        "observation_delay", "network_delay", "dropped_sensors", "stuck_sensors", "action_delay",
    ]  # fmt: skip
    assert found.unsupported == ("sensor_noise", "demand_shock", "obstacle")


def test_only_the_level_normal_undisturbed_and_mild_decides() -> None:
    required = [cell for cell in swept(UpTo(3)).cells if cell.required]
    assert {(cell.level, cell.strength) for cell in required} == {("normal", ""), ("normal", "mild")}
    assert len(required) == 6


def test_a_worse_policy_fails_and_a_better_one_passes() -> None:
    assert swept(UpTo(2)).verdict is Verdict.FAIL
    assert swept(UpTo(6)).verdict is Verdict.PASS


def test_a_policy_that_holds_only_undisturbed_is_caught_and_the_cells_are_named() -> None:
    found = sweep(clock_problem(), Beat(), Always(9), OnTheBeat(), worlds=4)
    by_name = {cell.name: cell.verdict for cell in found.cells}
    assert by_name["normal, undisturbed"] is by_name["normal, strong demand_shock"] is Verdict.PASS
    assert by_name["normal, mild observation_delay"] is by_name["hard, mild action_delay"] is Verdict.FAIL
    assert found.verdict is Verdict.FAIL


def test_every_kpi_has_its_own_gain_with_an_interval_and_the_first_alone_decides() -> None:
    lost, held = KPI("lost sales", "items", "lower", {"lost": 1.0}), KPI("held", "items", "lower", {"held": 1.0})
    found = swept(UpTo(6), problem=replace(shop_problem(), kpis=(lost, held)))
    calm = found.cells[0]
    assert (list(calm.gains), calm.gains["lost sales"], found.verdict) == (
        ["lost sales", "held"],
        calm.gain,
        Verdict.PASS,
    )
    worse = calm.gains["held"]
    assert worse is not None
    before, after = calm.kpis["held"]
    assert worse.value == pytest.approx(1 - after / before)
    assert worse.low <= worse.value <= worse.high < 0
    told = calm.as_dict()["kpis"]["held"]
    assert (told["incumbent"], told["policy"], told["gain"]["high"]) == (before, after, worse.high)


def test_a_kpi_without_a_gain_is_none_among_the_gains_of_the_others() -> None:
    nothing = KPI("nothing", "items", "lower", {"lost": 0.0})
    found = swept(UpTo(6), problem=replace(shop_problem(), kpis=(*shop_problem().kpis, nothing)))
    assert found.cells[0].gains["nothing"] is None
    assert found.cells[0].as_dict()["kpis"]["nothing"]["gain"] is None
    assert found.verdict is Verdict.PASS


def test_asking_twice_changes_nothing() -> None:
    assert swept(UpTo(2)) == swept(UpTo(2))


@pytest.mark.parametrize(
    ("kpi", "policy", "incumbent"),
    [
        (KPI("profit", "EUR", "higher", {"sold": 0.1, "lost": -2.0, "held": -1.0}), UpTo(2), UpTo(6)),
        (KPI("cost", "EUR", "lower", {"sold": -1.0}), UpTo(6), UpTo(2)),
    ],
)
def test_a_kpi_below_zero_gives_a_gain_with_the_right_sign(kpi: KPI, policy: UpTo, incumbent: UpTo) -> None:
    calm = swept(policy, incumbent, replace(shop_problem(), kpis=(kpi,))).cells[0]
    before, after = calm.kpis[kpi.name]
    assert before < 0 < kpi.sign * (after - before)
    assert calm.gain is not None
    assert calm.gain.value == pytest.approx(kpi.sign * (after - before) / abs(before))
    assert 0 < calm.gain.low < calm.gain.value < calm.gain.high


def test_a_kpi_of_nothing_makes_the_sweep_inconclusive_and_says_why() -> None:
    problem = replace(shop_problem(), kpis=(KPI("nothing", "EUR", "higher", {"sold": 0.0}),))
    found = swept(UpTo(6), problem=problem)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "above 0" in found.cells[0].reason


def test_each_cell_has_the_version_of_its_own_simulator() -> None:
    found = swept(UpTo(3))
    per_disturbance = {cell.simulator for cell in found.cells if cell.level == "normal"}
    assert len(per_disturbance) == len(found.cells) // 2
    assert found.cells[0].simulator == found.simulator == "shop-1"


def test_noise_is_scaled_to_what_a_feature_does_and_leaves_labels_and_constants_alone() -> None:
    label, constant, measured = np.arange(100) % 7, np.full(100, 2.5), np.arange(100) / 2
    observation = np.stack([label, constant, measured], axis=1)[None]
    assert spread_of(clock_problem(), observation) == {"free": pytest.approx(measured.std())}


def test_what_a_simulator_supports_is_among_its_standard_disturbances() -> None:
    found = standard(clock_problem(), Clock(), {"time": 2.0}, steps=40)
    assert list(found)[-2:] == ["demand_shock", "obstacle"]
    assert [one.at for one in found["demand_shock"]] == [10, 10, 10]  # type: ignore[attr-defined]
    assert [one.scale(clock_problem())[0] for one in found["sensor_noise"]] == pytest.approx([0.1, 0.3, 0.8])  # type: ignore[attr-defined]
