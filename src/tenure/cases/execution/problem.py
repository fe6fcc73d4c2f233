"""How much of a large order should be bought in the next ten minutes?

A desk in a quiet pair of currencies buys orders that are too large for one trade: each is 48 lots, to be bought within
two hours, in twelve slots of ten minutes. Buying fast moves the price against the order (impact); buying slowly leaves
what is unbought to the market's moves (risk). The market is thick or thin, calm or wild, and drifts up or down for a
while. Nobody tells the desk which: it sees the volume of the last minutes, the quoted spread, and the imbalance of the
order book, each a noisy sign of one of the three.

All prices are in basis points (1 bp = 0.01 %) of the price at which the order arrived, and from the order's side: more
is dearer, whether it is bought or sold. The reward is the implementation shortfall (Perold 1988), which sums to what
the order cost above its arrival price, and a price for the variance of what is unbought (Almgren and Chriss 2000).

Today a schedule decides: time-weighted, with more in the first slots. How much more was tuned by grid
(`python -m tenure.cases.execution.tune`). `participation` is the rule beside it: the same schedule, faster while volume
is high; tuned as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Constraint, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats, Ints

LOTS, SLOTS = 48, 12
"""Size of an order, and the slots of ten minutes in which it must be bought."""
PACES = ("wait", "half", "even", "1.5 times", "double", "triple")
MULTIPLES = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
"""Each pace as a multiple of the even child order: what remains, over the slots that are left."""
EVEN = PACES.index("even")
RISK_WEIGHT = 0.24
"""Price of variance, per bp: an order whose cost varies by 2 bp (one standard deviation) is charged 0.96 bp for it."""
DEAR = 0.0015
"""A child order this far above the arrival price is too dear, as a share of the price; 15 bp."""


def child_lots(remaining: Floats | Ints, left: Floats | Ints, action: Ints) -> Ints:
    """Lots that a pace buys, rounded half up, and never more than remain; int64, of the common shape."""
    wanted = np.floor(MULTIPLES[action] * remaining / np.maximum(left, 1) + 0.5)
    return np.asarray(np.minimum(wanted, remaining).astype(np.int64))


def in_time(observation: Floats) -> Bools:
    """The last slot buys what remains; before it, no pace beyond what remains; bool [n, 6]."""
    left = observation[:, :1]
    return np.asarray(np.where(left <= 1, MULTIPLES == 1, left >= MULTIPLES))


problem = Problem(
    name="execution",
    about="How much of a large order to buy in the next ten minutes, against impact, risk and drift.",
    observation=(
        Feature("left", "slots", 1, SLOTS, "slots left for the order, with this one"),
        Feature("remaining", "lots", 0, LOTS, "not bought yet"),
        Feature("moved", "bp", -300, 300, "middle price against the arrival price"),
        Feature("spread", "bp", 0, 10, "half the spread, as quoted at the start of the slot"),
        Feature("volume", "share of usual", 0, 4, "traded by all in the last minutes"),
        Feature("imbalance", "share", -3, 3, "of the order book; above 0 more want to trade on the order's side"),
        Feature("flow", "share", -3, 3, "imbalance of this and earlier slots, each weighing 0.7 of the one after it"),
    ),
    action=Discrete(PACES, unit="pace"),
    signals=(
        Signal(
            "shortfall", "bp of the order", -60, 90, "paid above the middle price, and its move on what is unbought"
        ),
        Signal("risk", "bp²", 0, 100, "variance of the slot's move on what is unbought"),
        Signal("slippage", "share of the price", -0.03, 0.04, "child order against the arrival price; 0 without one"),
        Signal("dear", "child orders", 0, 1, f"the child order was more than {DEAR:.2%} above the arrival price"),
        Signal("children", "child orders", 0, 1, "there was a child order"),
        Signal("impact", "bp of the order", 0, 80, "spread and impact paid, as part of the shortfall"),
        Signal("finished", "orders", 0, 1, "the order's last slot"),
    ),
    reward=Reward(
        (
            Term(
                "shortfall",
                -1.0,
                "bp/bp of the order",
                "what the client pays above the price at which the order came",
                scale=1,
            ),
            Term("risk", -RISK_WEIGHT, "bp/bp²", "the client's price of not knowing what an order will cost", scale=2),
        ),
        tradeoffs=(
            Tradeoff(
                "shortfall", "risk", "speed costs impact and saves risk; the client states what variance is worth"
            ),
        ),
    ),
    kpis=(
        KPI("cost", "bp per order, with risk", "lower", {"shortfall": 1.0, "risk": RISK_WEIGHT}, {"finished": 1.0}),
        KPI("shortfall", "bp per order", "lower", {"shortfall": 1.0}, {"finished": 1.0}),
        KPI("impact", "bp per order", "lower", {"impact": 1.0}, {"finished": 1.0}),
        KPI("dear_trades", "per 1,000 child orders", "lower", {"dear": 1000.0}, {"children": 1.0}, worst=100),
    ),
    constraints=(
        Constraint("in time", "an order ends in its last slot, and nobody buys more than was ordered", in_time),
    ),
    horizon=144,
    discount=0.99,
)

drafts = {
    "shortfall-only": Reward((Term("shortfall", -1.0, "bp/bp of the order", "what the client pays", scale=1),)),
}

_AT = {name: column for column, name in enumerate(problem.feature_names)}


@dataclass(frozen=True)
class Schedule:
    """Time-weighted, with more in the first slots, and perhaps faster while volume is high.

    Args:
        front: 1 is time-weighted; with 2, half of the time leaves a quarter of the order.
        follow: the child order is multiplied by the volume (1 is usual) to this power; 0 looks at no volume.
    """

    front: float
    follow: float = 0.0
    version: str = "schedule"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        left, remaining = observation[:, _AT["left"]], observation[:, _AT["remaining"]]
        planned = remaining * (1 - ((left - 1) / left) ** self.front)
        wanted = planned * np.maximum(observation[:, _AT["volume"]], 0.05) ** self.follow
        return _nearest(wanted, observation)


def _nearest(lots: Floats, observation: Floats) -> Proposal:
    """The allowed pace whose child order is nearest to so many lots."""
    even = observation[:, _AT["remaining"]] / observation[:, _AT["left"]]
    off = np.where(in_time(observation), np.abs(MULTIPLES * even[:, None] - lots[:, None]), np.inf)
    return Proposal(off.argmin(axis=1), np.ones(len(lots)))


incumbent: Policy = Schedule(front=2.0)
rules: dict[str, Policy] = {
    "time-weighted": Schedule(front=1.0, version="time-weighted"),
    "participation": Schedule(front=3.0, follow=1.0, version="participation"),
}
