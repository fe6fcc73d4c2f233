"""The tank of world.py: pump before it runs over, and not more than needed."""

import numpy as np

from tenure import KPI, Discrete, Feature, Problem, Proposal, Reward, Signal, Term

problem = Problem(
    name="tank",
    about="Every ten minutes a pump is set so that a tank in the rain neither runs over nor is pumped for nothing.",
    observation=(
        Feature("level", "m3", 0, 10, "water in the tank"),
        Feature("rain", "m3/step", 0, 1, "rain of the last ten minutes"),
    ),
    action=Discrete(("off", "slow", "fast")),
    signals=(Signal("pumped", "m3", 0, 0.8), Signal("spilled", "m3", 0, 1)),
    reward=Reward(
        (
            Term("pumped", -1.0, "EUR/m3", "electricity"),
            Term("spilled", -50.0, "EUR/m3", "what runs over floods the cellar"),
        )
    ),
    kpis=(KPI("spilled", "m3 a step", "lower", {"spilled": 1.0}), KPI("pumped", "m3 a step", "lower", {"pumped": 1.0})),
    horizon=144,
)


class Floater:
    """Pumps fast above a mark, as a float switch does."""

    version = "floater-7"

    def propose(self, observation, allowed, draw):  # noqa: ARG002 - the same for every policy
        # A late reading may say that there is water where there is none: the pump then stays off.
        action = np.where((observation[:, 0] > 7.0) & (allowed[:, 2] if allowed is not None else True), 2, 0)
        return Proposal(action, np.ones(len(action)))


incumbent = Floater()
