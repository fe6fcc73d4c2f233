"""Pick a parcel, carry it to the door, come back; putting it down again is possible and helps nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats

WAIT, PICK, PUT, DELIVER = range(4)

problem = Problem(
    name="picker",
    about="What a robot does next.",
    observation=(Feature("held", "parcels", 0, 1), Feature("distance", "metres", 1, 9)),
    action=Discrete(("wait", "pick", "put", "deliver")),
    signals=(
        Signal("picked", "parcels", 0, 1, "parcels taken up"),
        Signal("delivered", "parcels", 0, 1, "parcels at the door"),
        Signal("metres", "metres", 0, 9, "driven"),
        Signal("thrown", "parcels", 0, 1, "parcels put back where they were"),
    ),
    reward=Reward(
        (
            Term("delivered", 20.0, "points/parcel", "a parcel at the door is what the robot is for"),
            Term("metres", -1.0, "points/metre", "power and wear"),
        )
    ),
    kpis=(
        KPI("delivered", "parcels per decision", "higher", {"delivered": 1}),
        KPI("thrown", "parcels per decision", "lower", {"thrown": 1}),
        KPI("metres", "metres per decision", "lower", {"metres": 1}),
    ),
    horizon=20,
)

drafts = {
    "pays-picks": Reward(
        (
            Term("picked", 20.0, "points/parcel", "a parcel taken up will be delivered"),
            Term("metres", -1.0, "points/metre", "power and wear"),
        )
    )
}


@dataclass(frozen=True)
class PickThen:
    """Picks with empty hands, else does one thing."""

    then: int
    version: str

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        action = np.where(observation[:, 0] > 0, self.then, PICK)
        return Proposal(action.astype(np.int64), np.ones(len(action)))


incumbent: Policy = PickThen(DELIVER, "delivers")
