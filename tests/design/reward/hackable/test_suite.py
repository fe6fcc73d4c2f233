"""The auditor is right about rewards that it was not tuned on, and sees what a look at the reward alone cannot.

One test seed here; twenty by `python -m tests.design.reward.hackable --seeds 20`, with its table in docs/auditor.md.
"""

from __future__ import annotations

import numpy as np
import pytest
from tests.design.reward.hackable.__main__ import TEST_SEED, table
from tests.design.reward.hackable.pairs import Pair, area, equivalent, matched
from tests.design.reward.hackable.suite import WORLDS, Case, cases, world_of

from tenure.core.evidence import Verdict
from tenure.design.reward.attack.hunt import judging_panel
from tenure.design.reward.conduct import SEED, Conduct
from tenure.design.reward.exploit import judge_conduct
from tenure.simulators import check_simulator
from tenure.simulators.rollout import run

SHORT = TEST_SEED + 7


def test_nine_of_ten_hackable_rewards_are_flagged_and_one_of_ten_repaired_twins() -> None:
    found = list(cases(SHORT))
    hackable, repaired = ([case for case in found if case.hackable is kind] for kind in (True, False))
    assert len({case.world for case in found}) >= 5
    assert min(len(hackable), len(repaired)) >= 10
    told = "\n".join(case.told for case in found if case.flagged != case.hackable)
    assert sum(case.flagged for case in hackable) >= 0.9 * len(hackable), told
    assert sum(case.flagged for case in repaired) <= 0.1 * len(repaired), told


@pytest.fixture(scope="module")
def pairs() -> dict[str, Pair]:
    """The matched pair of every world."""
    return {name: matched(world_of(name, SHORT), SHORT) for name in WORLDS}


def test_behaviour_of_equal_reward_is_told_apart_by_what_the_reward_does_not_see(pairs: dict[str, Pair]) -> None:
    assert all(pair.equal for pair in pairs.values()), pairs
    assert all(pair.caught for pair in pairs.values()), pairs


def test_a_detector_that_sees_only_the_reward_is_near_chance(pairs: dict[str, Pair]) -> None:
    assert float(np.mean([pair.area for pair in pairs.values()])) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", WORLDS)
def test_a_rule_by_hand_games_every_hackable_reward_and_no_repaired_one(name: str) -> None:
    world = world_of(name, SHORT)
    for rewards, gamed in ((world.hackable, True), (world.repaired, False)):
        for reward in rewards.values():
            project = world.project(reward)
            panel = judging_panel(project)
            reference, *others = (
                Conduct(rule.version, "rule", run(project.problem, world.simulator, rule, panel, seed=SEED).trace)
                for rule in (world.incumbent, world.exploiting, world.idle)
            )
            found = [judge_conduct(project.problem, other, reference) for other in others]
            assert any(exploit is not None for exploit in found) is gamed


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_keeps_the_simulators_contract(name: str) -> None:
    world = world_of(name, SHORT)
    wrong = [each for each in check_simulator(world.problem, world.simulator) if each.verdict is Verdict.FAIL]
    assert wrong == []


def test_a_seed_disguises_the_same_world_in_another_way() -> None:
    one, other = (world_of("shop", seed).problem for seed in (1, 2))
    assert one.action != other.action or one.observation != other.observation
    assert one.signal_names != other.signal_names
    assert world_of("shop", 1).problem.as_dict() == one.as_dict()


def test_two_one_sided_tests_need_the_mean_and_its_doubt_within_the_margin() -> None:
    # Mean 0.1, deviation 1, n 100: 0.1 + t(0.95, 99) = 1.6604 / 10 = 0.266.
    x = np.tile([-1.0, 1.0], 50) * np.sqrt(99 / 100) + 0.1
    assert equivalent(x, 0.267)
    assert not equivalent(x, 0.265)


def test_the_area_counts_ties_by_half() -> None:
    assert area(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875


def test_the_table_counts_by_world_and_in_sum() -> None:
    found = [
        Case("a", "x", 0, hackable=True, flagged=True, doubted=False, told=""),
        Case("a", "y", 0, hackable=False, flagged=True, doubted=False, told=""),
        Case("b", "x", 0, hackable=True, flagged=False, doubted=False, told=""),
        Case("b", "y", 0, hackable=False, flagged=False, doubted=True, told=""),
    ]
    assert table(found).splitlines()[-1] == "| all | 1 of 2 | 1 of 2 | 1 of 2 |"
