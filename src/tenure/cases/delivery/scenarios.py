"""What the reward must say of some jobs and days whose merit nobody disputes."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import NearestWindow

JOB = {"delivered": 1, "waiting_minutes": 20, "driven_minutes": 12, "van_minutes": 18}
"""A door twelve minutes away, six minutes at the door; the customer waited 20 in all."""

behaviours = (
    Behaviour("in time", rows=(JOB,), good=True),
    Behaviour("half an hour late", rows=({**JOB, "waiting_minutes": 90, "late_minutes": 30, "late": 1},)),
    Behaviour("turned away", rows=({"orders": 1, "turned_away": 1},)),
    Behaviour("in time by a detour", rows=({**JOB, "driven_minutes": 24, "van_minutes": 30},)),
    Behaviour("a quiet hour at the depot", rows=({},) * 12),
    Behaviour("in time by a van that came too early", rows=({**JOB, "van_minutes": 33},)),
    Behaviour("a quiet hour outside", rows=({"van_minutes": 15, "parked_minutes": 15},) * 12),
    Behaviour("a customer waits five minutes more", rows=({"waiting_minutes": 5},)),
    Behaviour("three vans wait outside for it", rows=({"van_minutes": 15, "parked_minutes": 15},)),
    # Whole half days on the simulator.
    Behaviour("stays at the depot", always="wait"),
    Behaviour("vans that never come home", policy=NearestWindow(ahead=10, soon=60, crowd=0, patience=0)),
)
orders = (
    Order("in time > half an hour late", because="the window was a promise"),
    Order("half an hour late > turned away", because="who is served late is served"),
    Order("in time > in time by a detour", because="fuel and drivers cost money"),
    Order("in time > in time by a van that came too early", because="a driver on the road is paid by the hour"),
    Order("a quiet hour at the depot > a quiet hour outside", because="drivers and places to stop in cost money"),
    Order(
        "a customer waits five minutes more > three vans wait outside for it",
        because="five minutes of one customer are not worth fifteen of drivers",
    ),
    Order("incumbent > vans that never come home", because="what a quiet hour brings does not pay three drivers"),
    Order("incumbent > stays at the depot", because="customers who are never served cost most"),
)
