"""What a policy loses when a feature comes later than the simulator says: the price of a leak, in KPI units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tenure.core.arrays import Bools, Floats
from tenure.core.evidence import Estimate
from tenure.core.policy import Policy, Proposal
from tenure.core.problem import Problem
from tenure.core.simulator import Panel, Simulator
from tenure.evaluation.intervals import Sums, crossed_change
from tenure.simulators.fidelity.sample import Unit
from tenure.simulators.fidelity.values import Worth, simulated, worth


class Late:
    """A policy that sees one feature some steps late, in every world of one run.

    It remembers what it was shown, so it serves one run: `run` asks once per step for all worlds. Until the first old
    value arrives, the first one stands.

    Args:
        policy: which decides.
        column: of the feature.
        steps: by how many it is late, >= 1.
    """

    def __init__(self, policy: Policy, column: int, steps: int) -> None:
        self._policy, self._column, self._steps = policy, column, steps
        self._seen: list[Floats] = []

    @property
    def version(self) -> str:
        """The policy's."""
        return self._policy.version

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        """Decide on what would have been known."""
        self._seen = [*self._seen, observation[:, self._column].copy()][-self._steps - 1 :]
        late = observation.copy()
        late[:, self._column] = self._seen[0]
        return self._policy.propose(late, allowed, draw)


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
    panel: Panel,
    unit: Unit,
    delays: Mapping[str, tuple[int, int]],
    seed: int = 0,
) -> list[Leak]:
    """The cost of each delay, dearest first, on one panel and under the same chance.

    Args:
        problem, simulator, policy: whose cost.
        panel: where, usually the selection data.
        unit: what the interval counts.
        delays: per feature the steps to delay it by, and the steps by which the simulator is known to be ahead.
        seed: of the panel's chance.
    """
    usual = worth(problem.kpis[:1], simulated(problem, simulator, policy, panel, seed), unit, "simulated")
    found = []
    for feature, (steps, ahead) in delays.items():
        late = Late(policy, problem.feature_names.index(feature), steps)
        delayed = worth(problem.kpis[:1], simulated(problem, simulator, late, panel, seed), unit, "delayed")
        kpi = problem.kpis[0]
        found.append(Leak(feature, steps, ahead, kpi.name, kpi.unit, _cost(usual, delayed, kpi.sign, seed)))
    return sorted(found, key=lambda leak: (-leak.ahead, -leak.cost.value))


def _cost(usual: Worth, delayed: Worth, sign: int, seed: int) -> Estimate:
    one, other = (Sums(-sign * each.above[0], each.below[0]) for each in (usual, delayed))
    after = Sums(other.above[None], other.below[None])
    return crossed_change(one, after, np.random.default_rng([seed, 5]), cluster=usual.unit)
