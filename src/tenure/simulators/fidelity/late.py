"""What a policy loses when a feature comes later than the simulator says: the price of a leak, in KPI units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenure.core.evidence import Estimate
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.evaluation.intervals import Sums, crossed_change
from tenure.simulators.disturbances import ObservationDelay, disturbed
from tenure.simulators.fidelity.sample import Unit
from tenure.simulators.fidelity.values import Worth, simulated, worth


@dataclass(frozen=True)
class Leak:
    """One feature, and what the policy loses without its being early.

    Args:
        feature: which.
        steps: by how many it was delayed.
        ahead: steps by which the simulator has it before the log, as far as the log tells; 0 where it is not early.
        kpi, unit: what the cost is stated in.
        cost: loss of the KPI per decision (or of the ratio), positive where the policy is worse off.
    """

    feature: str
    steps: int
    ahead: int
    kpi: str
    unit: str
    cost: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return asdict(self)


def leaks(
    problem: Problem,
    simulator: Simulator,
    policy: Policy,
    unit: Unit,
    delays: Mapping[str, tuple[int, int]],
    seed: int = 0,
) -> list[Leak]:
    """The cost of each delay, dearest first, on the selection panel and under the same chance.

    Args:
        problem, simulator, policy: whose cost.
        unit: what the interval counts.
        delays: per feature the steps to delay it by, and the steps by which the simulator is known to be ahead.
        seed: of the panel's chance.
    """
    usual, found, kpi = _under(problem, simulator, policy, unit, seed), [], problem.kpis[0]
    for feature, (steps, ahead) in delays.items():
        late = disturbed(problem, simulator, [ObservationDelay(steps=steps, features=(feature,))])
        delayed = _under(problem, late, policy, unit, seed)
        found.append(Leak(feature, steps, ahead, kpi.name, kpi.unit, _cost(usual, delayed, kpi.sign, seed)))
    return sorted(found, key=lambda leak: (-leak.ahead, -leak.cost.value))


def _under(problem: Problem, simulator: Simulator, policy: Policy, unit: Unit, seed: int) -> Worth:
    made = simulated(problem, simulator, policy, simulator.panel("selection"), seed)
    return worth(problem.kpis[:1], made, unit, "simulated")


def _cost(usual: Worth, delayed: Worth, sign: int, seed: int) -> Estimate:
    one, other = (Sums(-sign * each.above[0], each.below[0]) for each in (usual, delayed))
    after = Sums(other.above[None], other.below[None])
    return crossed_change(one, after, np.random.default_rng([seed, 5]), cluster=usual.unit)
