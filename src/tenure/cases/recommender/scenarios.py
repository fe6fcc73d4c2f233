"""What the reward must say of some visits whose merit nobody disputes; three positions each."""

from __future__ import annotations

from tenure import Behaviour, Order

_FIRST, _OTHER = {"first": 1}, {"first": 0}
_FIRST_CLICKED, _OTHER_CLICKED = {"first": 1, "click": 1, "first_click": 1}, {"click": 1}

behaviours = (
    Behaviour("a visit with two clicks", rows=(_FIRST_CLICKED, _OTHER, _OTHER_CLICKED), good=True),
    Behaviour("a visit with a click at the top", rows=(_FIRST_CLICKED, _OTHER, _OTHER)),
    Behaviour("a visit with a click further down", rows=(_FIRST, _OTHER, _OTHER_CLICKED)),
    Behaviour("a visit without a click", rows=(_FIRST, _OTHER, _OTHER)),
)
orders = (
    Order(
        "a visit with two clicks > a visit with a click at the top > a visit without a click",
        because="a click is the only sign of interest",
    ),
    Order(
        "a visit with two clicks > a visit with a click further down > a visit without a click",
        because="wherever on the page it falls",
    ),
)
