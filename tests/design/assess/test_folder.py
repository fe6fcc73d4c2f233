"""A folder is measured where it acts: twins, plans and the log it writes of itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.design.assess.folders import Folder, near_online_grid, near_online_visitors

from tenure.core.arrays import Floats
from tenure.core.evidence import Verdict
from tenure.core.project import Project, load_project
from tenure.design.assess.folder import Trial, trial, written_log
from tenure.design.assess.judged_folder import _solver, measure_folder
from tenure.design.assess.solving import plan
from tenure.design.assess.twins import sequential_twins, twins

COIN = Folder(
    about="Pay now or pay later", features=1, actions=2, horizon=9, today="np.zeros(n)", constants="",
    start="rng.integers(0, 2, n).astype(float)[:, None]",
    step="""
income = x[:, 0] + 3.0 * action + rng.normal(size=n)
new = np.where(action == 1, 0.0, 1.0)[:, None]
""",
)  # fmt: skip
"""What stands in front pays 1; the action pays 3 and takes away the next 1."""


@pytest.fixture
def coin(tmp_path: Path) -> Project:
    return load_project(COIN.write(tmp_path / "coin"))


def test_twins_measure_both_effects_without_the_noise(coin: Project) -> None:
    # Now: 3 apart, squared 9. Later: the next step's 1 is lost, discounted once: 0.5^2 = 0.25. The noise is common.
    found = twins(coin, discount=0.5)
    assert found.now.value == pytest.approx(9.0)
    assert found.later.value == pytest.approx(0.25)
    assert found.share == pytest.approx(0.5 / 3.5)


def test_a_world_that_goes_on_by_itself_is_not_one_of_sequences(tmp_path: Path) -> None:
    folder = near_online_visitors(np.random.default_rng(0)).write(tmp_path / "visitors")
    found = twins(load_project(folder), discount=0.9)
    assert (found.moved.value, found.later.value) == (0.0, 0.0)
    findings, sequential = sequential_twins(found)
    assert [finding.verdict for finding in findings] == [Verdict.FAIL, Verdict.FAIL]
    assert sequential is False


def test_a_folder_writes_a_log_with_the_propensities_it_had(coin: Project) -> None:
    records, behaviour = written_log(coin)
    assert np.allclose(behaviour.chance.sum(axis=1), 1)
    assert records.propensity.min() == pytest.approx(0.25)
    assert (records.action == 1).mean() == pytest.approx(0.25, abs=0.02)


def test_the_answer_does_not_depend_on_where_the_reward_has_its_zero(tmp_path: Path) -> None:
    # 100 more a decision changes no decision. It once made 71 % of the headroom "reach the bound" and 7 % "nothing".
    plain = replace(COIN, today="np.ones(n)", step=COIN.step.replace("3.0 * action", "0.5 * action"))
    shifted = replace(plain, step=plain.step.replace("income = ", "income = 100.0 + "))
    said = [measure_folder(load_project(each.write(tmp_path / name))) for name, each in [("a", plain), ("b", shifted)]]
    assert said[0].facts == said[1].facts
    one, other = ({found.gate: found.reason for found in each.findings} for each in said)
    assert all(one[gate] == other[gate] for gate in ("headroom", "solver", "small_rule"))
    assert said[0].facts.gain is True


@pytest.mark.parametrize(("closes", "reached"), [(0.71, False), (0.97, True)])
def test_a_rule_reaches_the_bound_by_its_share_of_the_way_from_the_incumbent(closes: float, reached: bool) -> None:
    noise = 0.05 * np.random.default_rng(0).normal(size=64)
    base: Floats = np.random.default_rng(1).normal(size=64)
    for zero in (0.0, 100.0):
        start = base + zero
        tried = Trial({"incumbent": start, "planner": start + closes + noise, "bound": start + 1.0})
        finding, is_solved = _solver(tried)
        assert is_solved is reached
        assert f"{100 * closes:.0f} % of the way" in finding.reason
        assert ("let it drive first" in finding.reason) is not reached


def test_a_plan_of_a_tiny_world_is_exact(tmp_path: Path) -> None:
    project = load_project(near_online_grid(np.random.default_rng(1)).write(tmp_path / "grid"))
    found = plan(written_log(project)[0], discount=0.9)
    assert found is not None
    tried = trial(project, {"incumbent": project.incumbent, "plan": found})
    assert tried.gain("plan").low > 0


def test_a_world_of_chance_has_no_exact_plan(coin: Project) -> None:
    assert plan(written_log(coin)[0], discount=0.9) is None
