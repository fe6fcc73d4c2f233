"""Where should a picking robot drive next, with shelves and other robots in the way and a truck that will leave?

A warehouse floor of 5 m squares. An order names up to six items on spots beside the shelves; the robot has 50 steps
until the truck leaves. In each it drives one square, picks what lies where it stands, or waits. A metre costs 1 point,
an item earns 100, a collision costs 50. Other robots drive fixed rounds and announce their next two squares; one that
stands at the shelves is passed without harm, one that drives into another collides. A route planner knows the shortest
tour of an empty floor; it sees neither robots nor the clock.

Today a rule decides: go to the nearest item by true driving distance, and let announced robots pass. Its numbers were
tuned by grid on train and selection orders (`python -m tenure.cases.warehouse.tune`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats
from tenure.core.problem import Limit, Shaping

from .layout import MOVES, SIGHT, SQUARE_M

STEPS_UNTIL_TRUCK = 50
ITEMS = 6
GONE = 30.0
"""Stands for the distance to an item that was picked: farther than any square, in moves."""
PICK, WAIT = len(MOVES), len(MOVES) + 1


def _each_move(name: str, unit: str, high: float, about: str) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{move}", unit, 0, high, about) for move in MOVES)


def _each_item(name: str, low: float, high: float, about: str) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{slot}", "moves", low, high, about) for slot in range(1, ITEMS + 1))


OBSERVATION = (
    Feature("steps_left", "steps", 0, STEPS_UNTIL_TRUCK, "until the truck leaves"),
    Feature("slack", "steps", -150, STEPS_UNTIL_TRUCK, "left over after the planner's tour of all items"),
    *_each_move("longer", "moves", 2, "by how much such a move makes the planner's tour longer"),
    *_each_item("detour", 0, GONE, "by how much the tour is longer with this item first; 30: no such item"),
    *_each_item("distance", 0, GONE, "to this item, number 1 being the nearest; 30: no such item"),
    *(feature for move in MOVES for feature in _each_item(move, -1, 1, "by how much the move brings it nearer")),
    *_each_move("taken", "0 or 1", 1, "such a move meets a robot or a shelf"),
    *_each_move("ahead", "0 or 1", 1, "the same move one step later would meet a robot"),
    *_each_move("oncoming", "robots", 12, f"that come the other way within {SIGHT} squares"),
)
_AT = {feature.name: column for column, feature in enumerate(OBSERVATION)}


def planned(observation: Floats) -> Floats:
    """What the planner expects still to come, in points; [n].

    Every item left less the metres of the tour; one item fewer where the truck leaves before the tour ends.
    """
    items = sum(observation[:, _AT[f"distance_{slot}"]] < GONE for slot in range(1, ITEMS + 1))
    slack = observation[:, _AT["slack"]]
    moves = observation[:, _AT["steps_left"]] - slack - items
    return np.asarray(100.0 * (items - (slack < 0)) - SQUARE_M * moves)


problem = Problem(
    name="warehouse",
    about="The next move or pick of a robot that fetches an order's items before the truck leaves.",
    observation=OBSERVATION,
    action=Discrete((*MOVES, "pick", "wait")),
    signals=(
        Signal("metres", "metres", 0, SQUARE_M, "driven in this step"),
        Signal("items_picked", "items", 0, 1),
        Signal("collisions", "collisions", 0, 1, "drove into another robot"),
        Signal("items_wanted", "items", 0, ITEMS, "of the order, in its first step"),
        Signal("orders", "orders", 0, 1, "1 in an order's first step"),
        Signal("orders_complete", "orders", 0, 1, "1 in the step that picks an order's last item"),
    ),
    reward=Reward(
        (
            Term("metres", -1.0, "points/metre", "driving costs power, wear and floor space"),
            Term("items_picked", 100.0, "points/item", "an item on the truck is what the customer pays for"),
            Term("collisions", -50.0, "points/collision", "a collision costs repairs and stops both robots"),
        )
    ),
    kpis=(
        KPI(
            "cost",
            "points per order",
            "lower",
            {"items_wanted": 100, "items_picked": -100, "metres": 1, "collisions": 50},
            {"orders": 1},
        ),
        KPI("complete", "share of orders", "higher", {"orders_complete": 1}, {"orders": 1}),
        KPI("collisions", "per 1,000 decisions", "lower", {"collisions": 1000}, worst=5.0),
        KPI("metres", "metres per order", "lower", {"metres": 1}, {"orders": 1}),
        KPI("items_left", "items per order", "lower", {"items_wanted": 1, "items_picked": -1}, {"orders": 1}),
    ),
    limits=(Limit("collisions", "collisions", 0.005, "safety: one in 200 decisions at the very most", "penalty"),),
    horizon=STEPS_UNTIL_TRUCK,
    discount=1.0,
    shaping=Shaping(
        planned, "tells at once what a move off the tour or a step too late costs, not only when the truck leaves"
    ),
)

drafts = {
    "no-collisions": problem.reward.without("collisions"),
    "no-metres": problem.reward.without("metres"),
}
"""Rewards that were tried and not taken; `tenure reward audit warehouse:no-collisions` shows why."""


@dataclass(frozen=True)
class NearestItem:
    """Drive to the nearest item and pick it; wait while robots are in the way.

    Args:
        reach: items farther than so many moves are left lying.
        caution: steps ahead for which announced robots are heeded: 0 none, 1 the next, 2 also the one after.
        second: of two shortest ways, take the one that also brings the second nearest item nearer.
    """

    reach: float
    caution: int
    second: bool
    version: str = "nearest-item"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        way = self._towards(observation) & self._free(observation)
        rank = way * (1.0 + self.second * (columns(observation, "", "_2") > 0))
        action = np.where(way.any(axis=1), rank.argmax(axis=1), WAIT)
        action = np.where(observation[:, _AT["distance_1"]] == 0, PICK, action)
        return Proposal(action.astype(np.int64), np.ones(len(action)))

    def _towards(self, observation: Floats) -> Bools:
        """Moves that bring the nearest item nearer, where it is worth its way and can still be picked; [n, 4]."""
        distance = observation[:, _AT["distance_1"]]
        worth = (distance <= self.reach) & (distance + 1 <= observation[:, _AT["steps_left"]])
        return np.asarray((columns(observation, "", "_1") > 0) & worth[:, None])

    def _free(self, observation: Floats) -> Bools:
        announced = (columns(observation, "taken_"), columns(observation, "ahead_"))
        free = np.ones((len(observation), len(MOVES)), dtype=bool)
        for taken in announced[: self.caution]:
            free &= taken == 0
        return free


def columns(observation: Floats, prefix: str, suffix: str = "") -> Floats:
    """One feature of every move; [n, 4]."""
    return observation[:, [_AT[f"{prefix}{move}{suffix}"] for move in MOVES]]


@dataclass(frozen=True)
class Planner:
    """Drive the route planner's shortest tour, and wait while robots are in the way."""

    version: str = "planner"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        way = (columns(observation, "longer_") <= 0) & (columns(observation, "taken_") == 0)
        way &= observation[:, [_AT["distance_1"]]] < GONE
        rank = way * (2.0 - columns(observation, "ahead_"))
        action = np.where(way.any(axis=1), rank.argmax(axis=1), WAIT)
        action = np.where(observation[:, _AT["distance_1"]] == 0, PICK, action)
        return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = NearestItem(reach=16, caution=1, second=False)
rules: dict[str, Policy] = {"planner": Planner()}
