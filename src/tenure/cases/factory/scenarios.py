"""How the reward must rank ways to run the machine, good and bad; `tenure reward check factory` holds it to that."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import Foreman

HOUR = {"orders": 3, "made": 3, "delivered": 3}

behaviours = (
    Behaviour("careful foreman", policy=Foreman(cover=0.4, hot=70, quiet_wear=7, any_wear=9, quiet=7), good=True),
    Behaviour("foreman who never maintains", policy=Foreman(cover=0.4, hot=80, quiet_wear=99, any_wear=99, quiet=7)),
    Behaviour("foreman who ignores the heat", policy=Foreman(cover=0.4, hot=999, quiet_wear=8, any_wear=10, quiet=7)),
    Behaviour("always slow", always="slow"),
    Behaviour("always in overdrive", always="overdrive"),
    Behaviour("always in maintenance", always="maintain"),
    Behaviour("a peak hour at safe speed", rows=({"orders": 12, "made": 8, "delivered": 8, "missed": 4},)),
    Behaviour("a peak hour missed", rows=({"orders": 12, "missed": 12},)),
    Behaviour(
        "a peak hour in unsafe overdrive",
        rows=({"orders": 12, "made": 14, "delivered": 12, "stored": 2, "overheated": 1},),
    ),
    Behaviour(
        "an hour for a full store", rows=({"orders": 3, "made": 14, "delivered": 3, "stored": 12, "wasted": 11},)
    ),
    Behaviour("a lean day with a unit missed", rows=(*(HOUR,) * 23, {**HOUR, "made": 2, "delivered": 2, "missed": 1})),
    Behaviour("a day of hoarding", rows=({**HOUR, "stored": 12},) * 24),
    Behaviour("an hour for the orders", rows=({"orders": 3, "made": 4, "delivered": 3, "stored": 1},)),
)

orders = (
    Order(
        "incumbent > always slow > always in overdrive",
        because="speed without need burns machines and people; missing some orders is better than that",
    ),
    Order("incumbent > foreman who never maintains", because="a breakdown costs more than maintenance"),
    Order("incumbent > foreman who ignores the heat", because="no order is worth an unsafe hour"),
    Order("always slow > always in maintenance", because="the plant is there to make something"),
    Order(
        "a peak hour at safe speed > a peak hour missed > a peak hour in unsafe overdrive",
        because="safe beats idle, and idle beats unsafe",
    ),
    Order("an hour for the orders > an hour for a full store", because="what nobody ordered is waste"),
    Order("a lean day with a unit missed > a day of hoarding", because="a full store costs more than a rare miss"),
)
