"""What the reward must say of some hours and weeks whose merit nobody disputes."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import MOST

behaviours = (
    # One busy hour of an average district, twelve people at the dock.
    Behaviour("serves all", rows=({"requests": 12, "bikes_moved": 6, "idle_bikes": 2},), good=True),
    Behaviour("serves half", rows=({"requests": 12, "lost_rentals": 6},)),
    Behaviour("serves all with a truck too many", rows=({"requests": 12, "bikes_moved": 12, "idle_bikes": 2},)),
    Behaviour("serves all from a full yard", rows=({"requests": 12, "bikes_moved": 6, "idle_bikes": 30},)),
    Behaviour("serves nobody and hoards", rows=({"requests": 12, "lost_rentals": 12, "idle_bikes": 30},)),
    # Whole weeks on the simulator.
    Behaviour("sends no truck", always="+0"),
    Behaviour("fills up every hour", always=f"+{MOST}"),
    Behaviour("empties every hour", always=f"-{MOST}"),
)
orders = (
    Order(
        "serves all > serves half > serves nobody and hoards",
        because="a bike where somebody wants it is what the service is for",
    ),
    Order("serves all > serves all with a truck too many", because="fuel and drivers cost money"),
    Order("serves all > serves all from a full yard", because="an idle bike takes up a dock and wears out"),
    Order(
        "incumbent > sends no truck > fills up every hour", because="the trucks earn their cost, and can be overdone"
    ),
    Order("incumbent > empties every hour", because="taking every bike away serves nobody"),
)
