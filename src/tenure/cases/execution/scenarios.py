"""How the reward must rank ways to buy an order, good and bad; `tenure reward check execution` holds it to that."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import Schedule

behaviours = (
    Behaviour("faster while volume is high", policy=Schedule(front=3.0, follow=1.0), good=True),
    Behaviour("late", policy=Schedule(front=0.5)),
    Behaviour("always waits", always="wait"),
    Behaviour("always triples", always="triple"),
    Behaviour("bought at once", rows=({"shortfall": 40, "impact": 40}, {}, {})),
    Behaviour("bought evenly", rows=({"shortfall": 2, "risk": 2.0, "impact": 2},) * 3),
    Behaviour("left to the last slot", rows=({"risk": 12}, {"risk": 12}, {"shortfall": 30, "impact": 30})),
    Behaviour("cheap and early", rows=({"shortfall": 4, "risk": 2},)),
    Behaviour("as cheap, at the market's mercy", rows=({"shortfall": 4, "risk": 12},)),
    Behaviour("a little dearer and early", rows=({"shortfall": 4.5, "risk": 2},)),
    Behaviour("much dearer and early", rows=({"shortfall": 9, "risk": 2},)),
)

orders = (
    Order(
        "incumbent > time-weighted > late > always waits",
        because="what is unbought is exposed, and haste at the end dear",
    ),
    Order("incumbent > always triples", because="haste pays impact"),
    Order("bought evenly > left to the last slot > bought at once", because="impact grows with the square of the pace"),
    Order(
        "cheap and early > a little dearer and early > as cheap, at the market's mercy > much dearer and early",
        because="the client pays a little for certainty, not any price",
    ),
)
