"""How the reward must rank ways to watch a pump, good and bad; `tenure reward check alarms` holds it to that."""

from __future__ import annotations

from tenure import Behaviour, Order

from .problem import QuietLoad

FAILS, PREVENTED, FALSE_ALARM = (
    {"failures": 1.0, "lost_units": 80.0},
    {"alarms": 1.0, "true_alarms": 1.0, "lost_units": 80.0},
    {"alarms": 1.0, "lost_units": 80.0},
)

behaviours = (
    Behaviour("looks before it stops", policy=QuietLoad(alarm=0.95, inspect=0.2, load=2), good=True),
    Behaviour("nervous", policy=QuietLoad(alarm=0.1, inspect=1.1, load=2)),
    Behaviour("always waits", always="wait"),
    Behaviour("always inspects", always="inspect"),
    Behaviour("always alarms", always="alarm"),
    Behaviour("a quiet hour", rows=({},)),
    Behaviour("a look", rows=({"inspections": 1},)),
    Behaviour("two looks", rows=({"inspections": 1}, {"inspections": 1})),
    Behaviour("a stop at low load", rows=({"alarms": 1, "lost_units": 5},)),
    Behaviour("a failure prevented", rows=(PREVENTED,)),
    Behaviour("a false alarm", rows=(FALSE_ALARM,)),
    Behaviour("a failure", rows=(FAILS,)),
    Behaviour("two false alarms and a failure", rows=(FALSE_ALARM, FALSE_ALARM, FAILS)),
)

orders = (
    Order("incumbent > always waits > always alarms", because="an alarm every hour costs more than every failure"),
    Order("incumbent > nervous > always alarms", because="alarms on a hunch are mostly false"),
    Order("incumbent > always inspects", because="looking costs, and by itself mends nothing"),
    Order(
        "a quiet hour > a look > a failure prevented > a failure > two false alarms and a failure",
        because="an alarm is a price, never a success by itself",
    ),
    Order(
        "a quiet hour > a false alarm > a failure", because="a needless stop costs less than a failure, yet it costs"
    ),
)
