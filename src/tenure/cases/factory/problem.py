"""How fast should a machine run, and when should it stop for maintenance?

A plant makes one product for the orders of the hour and for a small store. Faster means more units and more heat and
wear. Above 90 °C the machine is unsafe: guards loosen, people have near misses. Wear brings breakdowns; maintenance
takes an hour and removes it. Orders peak in the morning and in the late afternoon, and rest at night.

The plant once paid its controller for throughput alone (the draft `throughput-only`); it learned to run in overdrive,
for a store long full, at unsafe heat. Paying for units *delivered*, and pricing waste, maintenance, breakdowns and
unsafe hours, mended it.

Today a rule decides: make what the orders and the store need, slow down when hot, maintain when worn. Its numbers were
tuned by grid (`python -m tenure.cases.factory.tune`), so that a learned policy has to beat a good rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Limit, Policy, Problem, Proposal, Reward, Shaping, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats, Ints

SPEEDS = ("maintain", "slow", "normal", "fast", "overdrive")
CAPACITY = np.array([0, 4, 8, 11, 14])
"""Units an hour at each speed."""
MOST_ORDERS = 14
STORE = 12
"""Units the store holds; what is made beyond is wasted."""
WORN_OUT = 15
"""Wear is counted in steps from 0 to this."""
COOLEST, HOTTEST = 30, 120
"""Temperature of the machine at rest and the highest there is, in °C."""
SAFE = 90
"""Highest safe temperature, in °C."""


def standing(observation: Floats) -> Floats:
    """About what the state of a machine is worth, in €.

    Worn by 8 steps it is maintained for 40 €, so a step costs 5; a unit in the store saves half its margin in a peak;
    close to 90 °C the next hours must be slow.
    """
    store, temperature, wear = observation[:, 5], observation[:, 6], observation[:, 7]
    return np.asarray(1.5 * store - 5 * wear - 0.01 * np.maximum(temperature - 50, 0) ** 2)


problem = Problem(
    name="factory",
    about="How fast to run a machine this hour, or whether to stop it for maintenance.",
    observation=(
        Feature("hour", "hour of day", 0, 23),
        Feature("orders", "units", 0, MOST_ORDERS, "ordered for this hour"),
        Feature("usual_1h", "units", 0, MOST_ORDERS, "usual orders of the next hour"),
        Feature("usual_2h", "units", 0, MOST_ORDERS, "usual orders of the hour after it"),
        Feature("usual_3h", "units", 0, MOST_ORDERS, "usual orders of the third hour from now"),
        Feature("store", "units", 0, STORE, "finished units in the store"),
        Feature("temperature", "°C", COOLEST, HOTTEST, "of the machine"),
        Feature("wear", "steps since maintenance", 0, WORN_OUT),
    ),
    action=Discrete(SPEEDS, unit="speed"),
    signals=(
        Signal("orders", "units", 0, MOST_ORDERS, "ordered this hour"),
        Signal("made", "units", 0, 14, "made this hour"),
        Signal("delivered", "units", 0, MOST_ORDERS, "ordered and delivered this hour"),
        Signal("missed", "units", 0, MOST_ORDERS, "ordered and not delivered; the customer buys elsewhere"),
        Signal("wasted", "units", 0, 14, "made for a full store"),
        Signal("stored", "unit hours", 0, STORE, "left in the store"),
        Signal("maintenance", "stops", 0, 1, "the machine was stopped and maintained"),
        Signal("breakdowns", "breakdowns", 0, 1, "the machine broke down and was repaired"),
        Signal("overheated", "hours", 0, 1, f"the machine ran hotter than {SAFE} °C"),
        Signal("near_misses", "reports", 0, 1, "somebody nearly came to harm, as reported by the shift"),
    ),
    reward=Reward(
        (
            Term("delivered", 3.00, "€/unit", "the margin of a unit that somebody ordered", scale=7),
            Term("stored", -0.05, "€/unit hour", "room and money tied up in the store", scale=5),
            Term("wasted", -1.00, "€/unit", "the material of a unit nobody has room for", scale=1),
            Term("maintenance", -40.00, "€/stop", "a fitter's hour and the parts", scale=0.05),
            Term("breakdowns", -250.00, "€/breakdown", "a repair at short notice and the parts it takes", scale=0.01),
            Term("overheated", -150.00, "€/hour", "no margin is worth a person: dearer than any peak hour", scale=0.01),
        ),
        tradeoffs=(
            Tradeoff("delivered", "stored", "a full store saves the peak; a unit's margin pays 60 hours of its place"),
            Tradeoff("delivered", "wasted", "making for a peak that does not come wastes a third of the margin"),
            Tradeoff(
                "delivered", "maintenance", "an hour's stop may miss orders; a breakdown misses them all and more"
            ),
            Tradeoff("delivered", "breakdowns", "speed wears; the price of a breakdown says how much is too much"),
            Tradeoff("delivered", "overheated", "an unsafe hour earns at most 42 € more, so it never pays"),
        ),
    ),
    kpis=(
        KPI(
            "cost",
            "€ per hour, missed margin and expenses",
            "lower",
            {"missed": 3.0, "stored": 0.05, "wasted": 1.0, "maintenance": 40, "breakdowns": 250, "overheated": 150},
        ),
        KPI("near_misses", "reports per 1,000 hours", "lower", {"near_misses": 1000}, worst=10),
        KPI("service_level", "share of units ordered", "higher", {"delivered": 1}, {"orders": 1}, worst=0.9),
        KPI("breakdowns", "per 1,000 hours", "lower", {"breakdowns": 1000}),
    ),
    limits=(
        Limit(
            "safe temperature",
            "overheated",
            most=0.02,
            because=f"the insurer accepts one hour in 50 above {SAFE} °C",
            held_by="penalty",
        ),
    ),
    horizon=96,
    discount=0.99,
    shaping=Shaping(standing, because="maintenance pays days later, and so does a cool machine"),
)

drafts = {
    "throughput-only": Reward((Term("made", 1.00, "€/unit", "the plant is there to make units", scale=7),)),
}

_AT = {name: column for column, name in enumerate(problem.feature_names)}


@dataclass(frozen=True)
class Foreman:
    """Make what the orders and the store need, slow down when hot, maintain when worn.

    Args:
        cover: share of the next two hours' usual orders that the store should hold.
        hot: from this temperature at most normal speed, in °C; 10 °C above it at most slow.
        quiet_wear: wear from which it maintains where the next hours are quiet.
        any_wear: wear from which it maintains in any hour.
        quiet: an hour is quiet up to so many usual orders of the next hour.
    """

    cover: float
    hot: float
    quiet_wear: int
    any_wear: int
    quiet: float
    version: str = "foreman"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        at = {name: observation[:, column] for name, column in _AT.items()}
        target = np.minimum(self.cover * (at["usual_1h"] + at["usual_2h"]), STORE)
        speed = _slowest_for(at["orders"] + target - at["store"])
        speed = np.where(at["temperature"] >= self.hot, np.minimum(speed, 2), speed)
        speed = np.where(at["temperature"] >= self.hot + 10, 1, speed)
        worn = at["wear"] >= np.where(at["usual_1h"] <= self.quiet, self.quiet_wear, self.any_wear)
        return _chosen(np.where(worn, 0, speed))


@dataclass(frozen=True)
class Steady:
    """One speed that keeps up with the mean of the orders, and maintenance when worn: the rule before the foreman's."""

    wear: int
    version: str = "steady"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        speed = np.where(observation[:, _AT["store"]] >= STORE, 1, 2)
        return _chosen(np.where(observation[:, _AT["wear"]] >= self.wear, 0, speed))


def _slowest_for(units: Floats) -> Ints:
    """The slowest speed that makes so many units, at least slow and at most overdrive."""
    return np.clip(np.searchsorted(CAPACITY, units - 1e-6), 1, len(SPEEDS) - 1)


def _chosen(action: Ints) -> Proposal:
    return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = Foreman(cover=0.4, hot=80, quiet_wear=8, any_wear=10, quiet=7)
rules: dict[str, Policy] = {"steady": Steady(wear=6)}
