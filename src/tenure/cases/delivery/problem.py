"""Which order should a free van bring next, or should it wait, or drive home?

A drinks service brings crates to the doors of a town. Half of the orders are for at once, half are booked for a window
that opens 30 to 90 minutes later; every window is 60 minutes long. Three vans with twelve crates each serve eight
districts around a depot. Drives take longer in the rush hours, in rain and in snow, and the bridge to the south jams,
sooner on one day than on another. Who drives is paid by the hour, so a van at the depot costs nothing and a van that
waits outside does. Every five minutes the dispatch asks about one van: the one that has been free longest.

Today a rule decides by windows: go to the nearest order of those whose windows open first. Its numbers were tuned by
grid on train and selection towns (`python -m tenure.cases.delivery.tune`).

The service once paid for speed alone (the draft `no-vans`): customers were served faster, by vans that never came home.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats

from .orders import TICK

VANS, LOAD = 3, 12
"""Vans of a town, and the crates each holds; an order is a crate."""
WINDOW = 60
"""Minutes for which an order's window is open."""
LISTED = 6
"""Orders a district's list has room for; one more is turned away."""
SLOTS = 6
"""Districts that a decision chooses between: those whose first order could be handed over soonest."""
NOWHERE = 150.0
"""Stands for the minutes to a slot that is empty."""
WAIT, RETURN = SLOTS, SLOTS + 1


def _each_van(name: str, unit: str, low: float, high: float, about: str) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{van}", unit, low, high, about) for van in range(1, VANS + 1))


def _each_slot(name: str, unit: str, low: float, high: float, about: str) -> tuple[Feature, ...]:
    return tuple(Feature(f"{name}_{slot}", unit, low, high, about) for slot in range(1, SLOTS + 1))


OBSERVATION = (
    Feature("hour_sin", "sine", -1, 1, "of the hour as an angle"),
    Feature("hour_cos", "cosine", -1, 1, "of the hour as an angle"),
    Feature("weather", "0 dry, 1 rain, 2 snow", 0, 2),
    Feature("jam", "minutes", 0, 90, "lost at the bridge now"),
    Feature("jam_soon", "minutes", 0, 90, "the same in an hour, as the traffic service knows from the day's works"),
    Feature("vans_free", "vans", 0, VANS, "that could be sent now; 0 where nothing is to be decided"),
    Feature("vans_out", "vans", 0, VANS, "not at the depot nor on the way to it"),
    Feature("waiting", "orders", 0, 48, "open in the whole town and not on a van's way"),
    *_each_van("busy", "minutes", 0, 400, "until this van is free; van 1 is the one that is asked about"),
    *_each_van("load", "crates", 0, LOAD, "left in this van"),
    *_each_van("van_east", "blocks", -1, 1, "where the van is or goes"),
    *_each_van("van_south", "blocks", -1, 1, "where the van is or goes"),
    *_each_slot("door", "minutes", 0, 300, "until van 1 could hand over this district's first order; 150: no order"),
    *_each_slot("drive", "minutes", 0, 200, "usual drive of van 1 there now; 150: no order"),
    *_each_slot("across", "0 or 1", 0, 1, "the way of van 1 there crosses the bridge"),
    *_each_slot("since", "minutes", -90, 2000, "since that order's window opened; less than 0 before it"),
    *_each_slot("orders", "orders", 0, 6, "listed in this district"),
    *_each_slot("others", "vans", 0, VANS, "other vans there or on the way there"),
    *_each_slot("recent", "orders", 0, 30, "that came from this district in the last hour or so"),
    *_each_slot("east", "blocks", -1, 1, "where the district lies"),
    *_each_slot("south", "blocks", -1, 1, "where the district lies"),
)
_AT = {feature.name: column for column, feature in enumerate(OBSERVATION)}


def slots(observation: Floats, name: str) -> Floats:
    """One feature of every slot; [n, 6]."""
    return observation[:, _AT[f"{name}_1"] : _AT[f"{name}_1"] + SLOTS]


problem = Problem(
    name="delivery",
    about="Where a drinks service sends a van that is free: to a district's first order, nowhere, or to the depot.",
    observation=OBSERVATION,
    action=Discrete((*(f"order {slot}" for slot in range(1, SLOTS + 1)), "wait", "return")),
    signals=(
        Signal("orders", "orders", 0, 2, "that came in"),
        Signal("turned_away", "orders", 0, 2, "for which the district's list had no room"),
        Signal("delivered", "orders", 0, 1, "a van was sent to in this step"),
        Signal("waiting_minutes", "minutes", 0, 1000, "that orders waited with their window open, until handed over"),
        Signal("late_minutes", "minutes", 0, 1000, "of these, after their window had closed"),
        Signal("late", "orders", 0, 1, "handed over after their window had closed"),
        Signal("driven_minutes", "minutes", 0, 300, "of the drive that began in this step"),
        Signal("van_minutes", "minutes", 0, 400, "that a van is away from the depot, counted when it gets its job"),
        Signal("parked_minutes", "minutes", 0, 400, "of these, without a job"),
    ),
    reward=Reward(
        (
            Term("waiting_minutes", -0.20, "€/minute", "people who wait order elsewhere next time", scale=15),
            Term("late_minutes", -0.10, "€/minute", "the window was a promise", scale=3),
            Term("turned_away", -30.0, "€/order", "the margin of an order and of some that never come", scale=0.01),
            Term("driven_minutes", -0.05, "€/minute", "fuel and wear", scale=6),
            Term("parked_minutes", -0.02, "€/minute", "a place to stop in is paid for", scale=2),
            Term("van_minutes", -0.13, "€/minute", "a driver on the road is paid by the hour", scale=9),
        ),
        tradeoffs=(
            Tradeoff(
                "waiting_minutes",
                "van_minutes",
                "one more van outside serves sooner; three of its minutes cost about as much as two of one who waits",
            ),
            Tradeoff("waiting_minutes", "driven_minutes", "a detour to who waits longest costs the others a drive"),
        ),
    ),
    kpis=(
        KPI("delivery_time", "minutes per order", "lower", {"waiting_minutes": 1}, {"orders": 1, "turned_away": -1}),
        KPI("vans", "vans out at a time", "lower", {"van_minutes": 1 / TICK}),
        KPI("late", "share of deliveries", "lower", {"late": 1}, {"delivered": 1}),
        KPI("driven", "minutes per delivery", "lower", {"driven_minutes": 1}, {"delivered": 1}),
        KPI("turned_away", "share of orders", "lower", {"turned_away": 1}, {"orders": 1}),
    ),
    horizon=144,
    discount=0.99,
)

drafts = {"no-vans": problem.reward.without("van_minutes")}
"""Rewards that were tried and not taken; `tenure reward check delivery:no-vans` shows why."""


@dataclass(frozen=True)
class NearestWindow:
    """Of the orders whose windows open first, go to the nearest; leave the depot only for enough of them.

    Args:
        ahead: minutes a van may have to wait at the door until the window opens.
        soon: only orders whose windows open within so many minutes of the first; the more, the less the window counts.
        crowd: orders in reach per van outside, from which one more van leaves the depot.
        patience: with fewer orders listed in the slots, a van outside with nothing to do returns, else it waits.
    """

    ahead: float
    soon: float
    crowd: float
    patience: int
    version: str = "nearest-window"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        orders, since, drive, door = (slots(observation, name) for name in ("orders", "since", "drive", "door"))
        load, depot = observation[:, _AT["load_1"]], is_at_depot(observation)
        due = (door < NOWHERE) & (door - drive <= self.ahead) & (load > 0)[:, None]
        first = np.where(due, since, -np.inf).max(axis=1, keepdims=True)
        near = np.where(due & (since >= first - self.soon), drive, np.inf)
        leaves = ~depot | ((due * orders).sum(axis=1) >= self.crowd * (observation[:, _AT["vans_out"]] + 1))
        goes = np.isfinite(near.min(axis=1)) & leaves
        back = ~depot & ((load == 0) | (orders.sum(axis=1) < self.patience))
        action = np.where(goes, near.argmin(axis=1), np.where(back, RETURN, WAIT))
        action = np.where(observation[:, _AT["vans_free"]] > 0, action, WAIT)
        return Proposal(action.astype(np.int64), np.ones(len(action)))


@dataclass(frozen=True)
class Weighing:
    """The incumbent's rule, but towards districts with more orders and with older ones, as minutes off the drive.

    Args:
        rule: says when a van leaves the depot, waits and returns.
        per_order: minutes off for every order listed in the district.
        per_minute: minutes off for every minute since the first one's window opened.
    """

    rule: NearestWindow
    per_order: float
    per_minute: float
    version: str = "weighing"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        orders, since, drive, door = (slots(observation, name) for name in ("orders", "since", "drive", "door"))
        cost = drive - self.per_order * orders - self.per_minute * np.maximum(since, 0)
        due = (door < NOWHERE) & (door - drive <= self.rule.ahead)
        ruled = self.rule.propose(observation, allowed, draw).action
        action = np.where(ruled < SLOTS, np.where(due, cost, np.inf).argmin(axis=1), ruled)
        return Proposal(action.astype(np.int64), np.ones(len(action)))


def is_at_depot(observation: Floats) -> Bools:
    """Van 1 stands at the depot; [n]."""
    return np.asarray((observation[:, _AT["van_east_1"]] == 0) & (observation[:, _AT["van_south_1"]] == 0))


incumbent = NearestWindow(ahead=15, soon=60, crowd=0, patience=6)
_NEAREST = NearestWindow(ahead=15, soon=1000, crowd=0.5, patience=3, version="nearest-order")
rules: dict[str, Policy] = {"nearest-order": _NEAREST, "weighing": Weighing(_NEAREST, per_order=1.0, per_minute=0.05)}
"""Both look beyond the next windows; how far that goes on the way to a learned policy, docs/cases/delivery.md says."""
