"""Mock behaviours, and the order in which any reward of this case has to put them."""

from __future__ import annotations

from collections.abc import Mapping

from tenure import Behaviour, Order

from .problem import Spring

_FAR: Mapping[str, float] = {"distance": 0.2}
_NEAR: Mapping[str, float] = {"distance": 0.01, "effort": 0.01}
_THERE: Mapping[str, float] = {"distance": 0.005}
_PUSH: Mapping[str, float] = {"distance": 0.1, "effort": 1.0}
_FORCED: Mapping[str, float] = {"distance": 0.005, "effort": 2.0}

behaviours = (
    Behaviour("gets there and rests", rows=(_PUSH,) * 6 + (_NEAR,) * 4 + (_THERE,) * 40, good=True),
    Behaviour("gets there slowly", rows=(_PUSH,) * 15 + (_NEAR,) * 35),
    Behaviour("never moves", rows=(_FAR,) * 50),
    Behaviour("is there at full torque", rows=(_FORCED,) * 50),
    Behaviour("trembles on the spot", rows=({"distance": 0.2, "effort": 2.0},) * 50),
    Behaviour("a slack spring", policy=Spring(stiffness=0.1, damping=0.1, version="slack")),
)

orders = (
    Order(
        "gets there and rests > gets there slowly > never moves > trembles on the spot",
        because="being at the target is what counts, and power that moves nothing is lost",
    ),
    Order(
        "gets there and rests > is there at full torque",
        because="motors at their limit for the whole move overheat, however near the tip is",
    ),
    Order("incumbent > a slack spring", because="a spring that slack is still on its way when the move ends"),
)
