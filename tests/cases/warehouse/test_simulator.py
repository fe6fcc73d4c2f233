"""The floor by hand: metres, picks, collisions, the truck; and nothing of one part met in another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.cases.warehouse.floors import act, feature, floor, number, place

from tenure import Split
from tenure.cases.warehouse.layout import NEXT_PLACE, PLACE_SQUARE, SPOTS, STEPS
from tenure.cases.warehouse.problem import STEPS_UNTIL_TRUCK, incumbent, problem, rules
from tenure.cases.warehouse.simulator import FAMILIES, ORDERS_A_DAY, Floor, simulator
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.core.policy import check_policy
from tenure.simulators.check import check_simulator

RNG = np.random.default_rng(0)
PARTS: tuple[Split, ...] = ("train", "selection", "held_out")


def signals(state: Floor, label: str) -> dict[str, float]:
    """What one action in one world leads to; signals that are 0 are left out."""
    step = simulator.step(state, act(label), RNG)
    return {name: float(values[0]) for name, values in step.signals.items() if values[0]}


def test_a_move_costs_a_square_of_5_metres_and_a_pick_brings_the_item() -> None:
    state = floor((4, 4), [(3, 4), (7, 0)])
    moved = simulator.step(state, act("up"), RNG)
    assert signals(state, "up") == {"metres": 5}
    assert signals(moved.state, "pick") == {"items_picked": 1}
    after = simulator.step(moved.state, act("pick"), RNG).state
    assert after.wanted.tolist() == [[False, True, False, False, False, False]]
    assert after.square[0] == number((3, 4))


def test_reward_is_1_a_metre_100_an_item_and_50_a_collision() -> None:
    assert {term.signal: term.weight for term in problem.reward.terms} == {
        "metres": -1,
        "items_picked": 100,
        "collisions": -50,
    }


def test_the_order_is_counted_in_its_first_step_and_complete_with_its_last_item() -> None:
    state = floor((3, 4), [(3, 4)], step=0)
    assert signals(state, "wait") == {"orders": 1, "items_wanted": 1}
    assert signals(replace(state, step=np.array([7])), "pick") == {"items_picked": 1, "orders_complete": 1}
    assert signals(floor((3, 4), [(3, 4), (5, 4)]), "pick") == {"items_picked": 1}


def test_driving_to_where_a_robot_will_be_collides_and_to_where_it_was_does_not() -> None:
    ahead = place((4, 6), (4, 5))
    assert signals(floor((4, 4), [(3, 0)], [ahead]), "right") == {"metres": 5, "collisions": 1}
    assert signals(floor((3, 6), [(3, 0)], [ahead]), "down") == {"metres": 5}


def test_robots_that_change_squares_with_each_other_collide() -> None:
    oncoming = place((4, 5), (4, 4))
    assert signals(floor((4, 4), [(3, 0)], [oncoming]), "right") == {"metres": 5, "collisions": 1}


@pytest.mark.parametrize("label", ["wait", "pick"])
def test_a_robot_that_stands_is_passed_without_harm(label: str) -> None:
    onto = place((4, 5), (4, 4))
    assert "collisions" not in signals(floor((4, 4), [(4, 4)], [onto]), label)


def test_the_truck_leaves_after_50_steps_whatever_was_picked() -> None:
    assert not simulator.step(floor((4, 4), [(3, 4)], step=48), act("wait"), RNG).terminated[0]
    assert simulator.step(floor((4, 4), [(3, 4)], step=49), act("wait"), RNG).terminated[0]
    assert STEPS_UNTIL_TRUCK == problem.horizon == 50


def test_shelves_and_walls_are_masked_and_a_pick_needs_an_item() -> None:
    def allowed(state: Floor) -> list[str]:
        labels = problem.action.labels  # type: ignore[union-attr]
        return [label for label, free in zip(labels, simulator.mask(state)[0], strict=True) if free]

    assert allowed(floor((3, 4), [(7, 0)])) == ["up", "down", "wait"]
    assert allowed(floor((3, 4), [(3, 4)])) == ["up", "down", "pick", "wait"]
    assert allowed(floor((0, 0), [(3, 4)])) == ["down", "right", "wait"]


def test_what_is_seen_by_hand() -> None:
    """In the middle crossing, one item two moves up, one seven away round the shelves; a robot comes from the left."""
    seen = simulator.observe(floor((4, 4), [(7, 8), (2, 4)], [place((4, 3), (4, 4))], step=10))
    assert feature(seen, "steps_left") == 40
    assert [feature(seen, f"distance_{slot}") for slot in (1, 2, 3)] == [2, 7, 30]
    assert [feature(seen, f"detour_{slot}") for slot in (1, 2, 3)] == [0, (7 + 9) - (2 + 9), 30]
    assert [feature(seen, f"{move}_1") for move in ("up", "down", "left", "right")] == [1, -1, -1, -1]
    assert [feature(seen, f"{move}_2") for move in ("up", "down", "left", "right")] == [-1, -1, -1, 1]
    assert feature(seen, "slack") == 40 - (2 + 9) - 2
    assert [feature(seen, f"longer_{move}") for move in ("up", "down", "left", "right")] == [0, 2, 2, 2]
    assert [feature(seen, f"taken_{move}") for move in ("up", "down", "left", "right")] == [0, 0, 1, 0]
    assert [feature(seen, f"oncoming_{move}") for move in ("up", "down", "left", "right")] == [0, 0, 1, 0]


def test_robots_that_drive_away_or_lie_beyond_four_squares_are_not_oncoming() -> None:
    def oncoming_right(*others: int) -> float:
        return feature(simulator.observe(floor((4, 2), [(7, 0)], list(others))), "oncoming_right")

    towards, away, far = place((4, 6), (4, 5)), place((4, 5), (4, 6)), place((4, 7), (4, 6))
    assert oncoming_right(towards, towards, away, far) == 2


def test_a_shelf_counts_as_taken_and_a_robot_two_steps_ahead_is_seen() -> None:
    crossing = place((2, 4), (3, 4))  # in two steps it is in the crossing below
    seen = simulator.observe(floor((6, 4), [(7, 8)], [crossing]))
    assert [feature(seen, f"taken_{move}") for move in ("up", "down", "left", "right")] == [0, 0, 1, 1]
    assert feature(seen, "ahead_up") == 1
    assert feature(seen, "ahead_down") == 0


def test_what_is_announced_is_what_happens() -> None:
    """Every move that is seen as taken, and no other, would collide (or be masked)."""
    state = simulator.reset(256, np.random.default_rng(1), "hard")
    seen, mask = simulator.observe(state), simulator.mask(state)
    for action, move in enumerate(("up", "down", "left", "right")):
        taken = seen[:, problem.feature_names.index(f"taken_{move}")] > 0
        step = simulator.step(state, np.full(256, action), RNG)
        assert (taken == (step.signals["collisions"] > 0) | ~mask[:, action]).all()


def test_robots_go_their_rounds_square_by_square() -> None:
    assert (STEPS[PLACE_SQUARE, PLACE_SQUARE[NEXT_PLACE]] == 1).all()
    assert sorted(NEXT_PLACE) == list(range(len(NEXT_PLACE)))


def test_the_simulator_keeps_its_contract() -> None:
    assert {f.verdict for f in check_simulator(problem, simulator)} == {Verdict.PASS}


@pytest.mark.parametrize("level", ["easy", "normal", "hard"])
def test_levels_set_robots_and_items(level: str) -> None:
    state = simulator.reset(5, np.random.default_rng(0), level)
    assert state.others.shape == (5, simulator.levels[level].robots)
    assert (state.wanted.sum(axis=1) == simulator.levels[level].items).all()


def test_no_order_of_one_part_is_met_in_another() -> None:
    met = {part: {tuple(sorted(order)) for order in simulator.panel(part).state.item.tolist()} for part in PARTS}
    drawn = simulator.reset(4096, np.random.default_rng(5)).item
    met["train"] |= {tuple(sorted(order)) for order in drawn.tolist()}
    assert not met["train"] & met["selection"]
    assert not met["train"] & met["held_out"]
    assert not met["selection"] & met["held_out"]
    assert set((drawn.sum(axis=1) % 5).tolist()) == set(FAMILIES["train"])


def test_an_order_is_of_different_spots_beside_shelves() -> None:
    items = simulator.reset(512, np.random.default_rng(2)).item
    assert set(items.flatten().tolist()) == set(SPOTS.tolist())
    assert all(len(set(order)) == 6 for order in items.tolist())


def test_a_panel_of_a_day_is_that_day_of_the_whole_panel() -> None:
    whole, second = simulator.panel("selection"), simulator.panel("selection", 1, 1)
    assert whole.independent
    assert whole.steps == STEPS_UNTIL_TRUCK
    assert second.worlds == whole.worlds[ORDERS_A_DAY : 2 * ORDERS_A_DAY]
    assert (second.state.item == whole.state.item[ORDERS_A_DAY : 2 * ORDERS_A_DAY]).all()


def test_days_that_do_not_exist_are_refused() -> None:
    with pytest.raises(DataError, match="17 days from day 0"):
        simulator.panel("selection", 0, 17)


@pytest.mark.parametrize("rule", [incumbent, *rules.values()], ids=lambda rule: rule.version)
def test_rules_keep_the_policy_contract_and_never_collide(rule: object) -> None:
    state, hit = simulator.reset(64, np.random.default_rng(3)), 0.0
    for _ in range(STEPS_UNTIL_TRUCK):
        seen, mask = simulator.observe(state), simulator.mask(state)
        step = simulator.step(state, rule.propose(seen, mask, np.zeros(64)).action, RNG)  # type: ignore[attr-defined]
        state, hit = step.state, hit + step.signals["collisions"].sum()
    assert hit == 0
    check_policy(rule, seen, 6, mask)  # type: ignore[arg-type]
