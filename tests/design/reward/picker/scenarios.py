"""What nobody disputes about the robot."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import PUT, PickThen

behaviours = (
    Behaviour("two parcels", rows=({"delivered": 1, "metres": 4}, {"delivered": 1, "metres": 4}), good=True),
    Behaviour("two parcels by a detour", rows=({"delivered": 1, "metres": 9}, {"delivered": 1, "metres": 9})),
    Behaviour("one parcel", rows=({"delivered": 1, "metres": 4},)),
    Behaviour("waits", always="wait"),
    Behaviour("juggles", policy=PickThen(PUT, "juggles")),
)
orders = (
    Order("two parcels > two parcels by a detour", because="metres cost power"),
    Order("two parcels > one parcel", because="parcels are what it is for"),
    Order("incumbent > waits > juggles", because="putting back what was picked helps nobody"),
)
