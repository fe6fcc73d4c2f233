"""What the reward must say of minutes and hours whose merit nobody disputes."""

from __future__ import annotations

from tenure import Behaviour, Order

behaviours = (
    # One minute each.
    Behaviour("nobody waits", rows=({"waited": 0},), good=True),
    Behaviour("five wait", rows=({"waited": 5},)),
    Behaviour("five wait at two counters", rows=({"waited": 5, "second_open": 1},)),
    # Four minutes each, with as much work done at two counters.
    Behaviour("stays open", rows=({"second_open": 1, "opened": 1}, {"second_open": 1}, {}, {})),
    Behaviour("opens again and again", rows=({"second_open": 1, "opened": 1}, {}, {"second_open": 1, "opened": 1}, {})),
    # Two hours on the simulator.
    Behaviour("never a second counter", always="one counter"),
    Behaviour("always two counters", always="two counters"),
)
orders = (
    Order("nobody waits > five wait > five wait at two counters", because="waiting costs, and so do wages"),
    Order("stays open > opens again and again", because="whoever opens the counter leaves other work"),
    Order("incumbent > never a second counter", because="in a busy hour one counter is too few"),
    Order("incumbent > always two counters", because="in a quiet hour two are too many"),
)
