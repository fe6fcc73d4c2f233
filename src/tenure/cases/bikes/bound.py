"""The clairvoyant bound: what a dispatcher who knew all demand beforehand would have paid."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye_array, hstack

from tenure import Panel
from tenure.core.arrays import Floats

from .problem import MOST, problem
from .simulator import simulator

FIRST_ARRIVAL = 2
"""A move ordered in the first hour arrives two hours later."""


def bound(panel: Panel) -> dict[str, Floats]:
    """Cheapest possible signals of every district over a panel; each total, [worlds].

    A linear programme per district, solved by HiGHS. Bikes may be split, so no policy can do better.
    """
    hours = int(panel.state.hour[0]) + np.arange(panel.steps)
    rows = [
        _district(simulator.past.demand[hours, district].astype(float), float(stock))
        for district, stock in zip(panel.state.district, panel.state.stock, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _district(demand: Floats, stock: float) -> dict[str, float]:
    """Signals of one district; variables per hour: bikes in, bikes out, bikes rented, bikes left."""
    hours = len(demand)
    one, before = eye_array(hours), eye_array(hours, k=-1)
    balance: Any = hstack([-one, one, one, one - before], format="csr")  # left - left before - in + out + rented = 0
    start = np.zeros(hours)
    start[0] = stock
    weight = {term.signal: -term.weight for term in problem.reward.terms}
    per_hour = np.array([weight["bikes_moved"], weight["bikes_moved"], -weight["lost_rentals"], weight["idle_bikes"]])
    truck = [(0.0, 0.0 if hour < FIRST_ARRIVAL else float(MOST)) for hour in range(hours)]
    limits: list[tuple[float, float | None]] = [
        *truck,
        *truck,
        *((0.0, wanted) for wanted in demand),
        *(((0.0, None),) * hours),
    ]
    best = linprog(np.repeat(per_hour, hours), A_eq=balance, b_eq=start, bounds=limits, method="highs")
    assert best.x is not None  # moving nothing is always possible
    came, gone, rented, left = best.x.reshape(4, hours)
    return {
        "requests": float(demand.sum()),
        "lost_rentals": float((demand - rented).sum()),
        "bikes_moved": float((came + gone).sum()),
        "idle_bikes": float(left.sum()),
    }
