"""A made-up delivery service whose candidate is faster and hides what that costs: for tests and for a first look.

The incumbent tours its orders and sends one in five directly. The candidate sends more of them directly, which is about
8 % faster; in the north at night no truck comes back that way, so there each direct trip needs a truck of its own and
truck use rises by about 15 % in all. In the twin a direct trip costs no more truck time anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.logged import Logged
from tenure.core.problem import Problem
from tenure.core.reward import KPI, Reward, Signal, Term
from tenure.core.spaces import Discrete, Feature
from tenure.evaluation.grouped import mixed
from tenure.evaluation.shadow.log import Margin, Need, Replay, ShadowLog

NEED = Need(10_000, 14)
MARGINS = {"truck_use": Margin(0.02, relative=True)}
DAYS, PER_DAY, DRIVERS = 20, 1000, 40
DIRECT = 0.2
"""Share of the orders the incumbent sends directly, by a fair draw."""
FASTER = 0.145
"""Part of the delivery time a direct trip saves."""
OWN_TRUCK = 1.68
"""What a direct trip in the north at night takes in addition, in truck times of a tour."""

problem = Problem(
    name="routes",
    about="Whether to send an order directly or on a tour.",
    observation=(
        Feature("distance", "km", 0, 40),
        Feature("hour", "hour of day", 0, 23),
        Feature("north", "0 or 1", 0, 1),
        Feature("parcels", "parcels", 1, 40),
        Feature("rain", "0 or 1", 0, 1),
    ),
    action=Discrete(("tour", "direct")),
    signals=(Signal("minutes", "min", 0, 600), Signal("truck_minutes", "min", 0, 600), Signal("late", "0 or 1", 0, 1)),
    reward=Reward((Term("minutes", -0.1, "EUR/min", "an hour earlier is worth six euros to a customer"),)),
    kpis=(
        KPI("delivery_time", "min per order", "lower", {"minutes": 1}),
        KPI("truck_use", "truck min per order", "lower", {"truck_minutes": 1}),
        KPI("late_orders", "share of orders", "lower", {"late": 1}),
    ),
)


@dataclass(frozen=True)
class ShadowCase:
    """A log with proposals, and the replay of both policies from the logged situations."""

    log: ShadowLog
    replay: Replay


def routes(seed: int, *, trade: bool = True) -> ShadowCase:
    """20,000 orders over 20 days; with `trade` the faster routes cost trucks in the north at night.

    Args:
        seed: of all chance.
        trade: False gives the twin.
    """
    rng = np.random.default_rng(seed)
    x = _situations(rng)
    n = len(x)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    driver = day * DRIVERS + rng.integers(0, DRIVERS, n)
    unit = mixed(driver.astype(np.uint64))
    score = (x[:, 0] - 6) / 3 + rng.normal(0, 0.2, n)
    proposed = ((score > 0) | _north_at_night(x)).astype(np.int64)
    luck = np.exp(rng.normal(0, 0.15, (n, 3)) + rng.normal(0, 0.1, DAYS * DRIVERS)[driver, None])
    action = (rng.random(n) < DIRECT).astype(np.int64)
    signals = _signals(x, action, luck, trade)
    moment = np.datetime64("2026-03-02T00:00:00", "us") + (day * 24 + x[:, 1]).astype(np.int64) * np.timedelta64(1, "h")
    rows = Logged(
        index=np.arange(n),
        decision_id=np.array([f"order-{row}" for row in range(n)], dtype=object),
        unit=unit,
        action=action,
        propensity=np.where(action == 1, DIRECT, 1 - DIRECT),
        reward=problem.reward(signals),
        features=x,
        names=problem.feature_names,
        labels=("tour", "direct"),
        at=moment,
    )
    confidence = 1 / (1 + np.exp(-np.abs(score)))
    candidate = _signals(x, proposed, luck, trade)
    replay = Replay(unit, unit, "driver-day", x, signals, candidate, confidence)
    return ShadowCase(ShadowLog(rows, proposed, signals), replay)


def _situations(rng: np.random.Generator) -> Floats:
    n = DAYS * PER_DAY
    columns = (
        rng.gamma(4.0, 2.0, n).round(1),
        rng.permuted(np.tile(np.arange(24), n // 24 + 1)[:n]),
        rng.random(n) < 0.55,
        1 + rng.poisson(4, n),
        rng.random(n) < 0.3,
    )
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _north_at_night(x: Floats) -> Bools:
    return np.asarray((x[:, 2] == 1) & (x[:, 1] >= 19))


def _signals(x: Floats, action: Ints, luck: Floats, trade: bool) -> dict[str, Floats]:
    """What comes of each order under an action; luck is the order's own, whoever decides; [n, 3]."""
    direct = action == 1
    minutes = (30 + 2 * x[:, 0] + 6 * x[:, 4]) * luck[:, 0] * np.where(direct, 1 - FASTER, 1.0)
    extra = OWN_TRUCK * (direct & _north_at_night(x) & trade)
    truck = (12 + x[:, 3]) * np.where(direct, luck[:, 1], luck[:, 2]) * (1 + extra)
    return {"minutes": minutes, "truck_minutes": truck, "late": (minutes > 60).astype(np.float64)}
