"""Mock behaviours, and the order in which any reward of this case has to put them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tenure import Behaviour, Order, Policy, Proposal
from tenure.core.arrays import Bools, Floats

from .layout import SQUARE_M
from .problem import WAIT, NearestItem, columns, incumbent

_DRIVE: Mapping[str, float] = {"metres": SQUARE_M}
_PICK: Mapping[str, float] = {"items_picked": 1}
_CRASH: Mapping[str, float] = {"metres": SQUARE_M, "collisions": 1}
_FETCH: tuple[Mapping[str, float], ...] = (*(_DRIVE,) * 5, _PICK)


@dataclass(frozen=True)
class Restless:
    """A rule that cannot stand still: where it would wait and nothing is left to fetch, it drives on for nothing.

    Args:
        rule: what decides while there is something to fetch.
    """

    rule: Policy
    version: str = "restless"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        action = self.rule.propose(observation, allowed, draw).action
        free = columns(observation, "taken_") == 0
        idle = (action == WAIT) & (columns(observation, "", "_1") <= 0).all(axis=1) & free.any(axis=1)
        return Proposal(np.where(idle, free.argmax(axis=1), action), np.ones(len(action)))


behaviours = (
    Behaviour("picks all", rows=_FETCH * 6, good=True),
    Behaviour("picks all by detours", rows=((_DRIVE,) * 2 + _FETCH) * 6),
    Behaviour("picks half", rows=_FETCH * 3 + ({},) * 18),
    Behaviour("picks all and collides at every item", rows=(_FETCH + (_CRASH,) * 2) * 6),
    Behaviour("stands still", rows=({},) * 36),
    Behaviour("drives about", rows=(_DRIVE,) * 36),
    Behaviour("collides", rows=(_CRASH,) * 36),
    Behaviour("waits", always="wait"),
    Behaviour("barges through", policy=NearestItem(reach=16, caution=0, second=False, version="barge")),
    Behaviour("drives on when done", policy=Restless(incumbent)),
)

orders = (
    Order(
        "picks all > picks all by detours > picks half > stands still > drives about > collides",
        because="items pay, metres cost, and a collision is worse than any way that avoids it",
    ),
    Order("picks all > picks all and collides at every item > collides", because="being quick is no excuse"),
    Order("incumbent > barges through", because="letting a robot pass costs a few steps, driving into it 50 points"),
    Order("incumbent > drives on when done", because="metres that bring nothing cost power and wear"),
    Order("incumbent > waits", because="a robot that stands still fetches nothing"),
)
