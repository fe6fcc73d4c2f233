"""What a policy is worth: simulated, and on real data by the log itself, by replay, or by weighting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tenure.core.arrays import Floats
from tenure.core.errors import DataError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.core.simulator import Panel, Simulator
from tenure.core.spaces import Discrete
from tenure.core.trajectories import Trajectories, from_trace
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.trajectories import cumulative_weights, last_weights
from tenure.evaluation.off_policy.support import FEWEST_EFFECTIVE, WEIGHT_OFF
from tenure.simulators.fidelity.behaviour import proposals
from tenure.simulators.fidelity.hooks import replay_panel
from tenure.simulators.fidelity.sample import Unit, sample_of
from tenure.simulators.rollout import run

CHANCE = 4.4
"""Standard errors that exclude chance, as in `evaluation.off_policy.support`."""


@dataclass(frozen=True, eq=False)
class Worth:
    """Every KPI's two sums in every independent unit.

    Args:
        above, below: over and under the line; [kpis, units].
        method: how it was made.
        unit: what a unit is.
    """

    above: Floats
    below: Floats
    method: str
    unit: str

    @property
    def units(self) -> int:
        """Independent units."""
        return int(self.above.shape[1])

    def value(self, kpi: int = 0) -> float:
        """The KPI; NaN where there is nothing to divide by."""
        below = float(self.below[kpi].sum())
        return float(self.above[kpi].sum()) / below if below else math.nan

    def error(self, kpi: int = 0) -> float:
        """Its standard error over units, linearised (Cochran 1977, 6.4)."""
        below = float(self.below[kpi].sum())
        if not below or self.units < 2:
            return math.inf
        each = (self.above[kpi] - self.value(kpi) * self.below[kpi]) / below
        return math.sqrt(self.units / (self.units - 1) * float((each**2).sum()))

    def width(self, alpha: float = 0.05) -> float:
        """Student's t for the interval of one figure."""
        return float(stats.t.ppf(1 - alpha / 2, max(self.units - 1, 1)))


@dataclass(frozen=True)
class Unknown:
    """No value on real data: why, and what would help."""

    reason: str
    helps: str


def worth(
    kpis: Sequence[KPI], trajectories: Trajectories, unit: Unit, method: str, weight: Floats | None = None
) -> Worth:
    """KPIs of trajectories as they are, or weighted; rows whose signals were not measured are left out.

    Args:
        kpis: to be worked out.
        trajectories: a log or a run.
        unit: what an interval counts.
        method: how the trajectories came about, for the report.
        weight: of each row; [n], 1 without.
    """
    sample = sample_of(trajectories, (), (), unit)
    rows = np.ones(len(trajectories)) if weight is None else weight
    above: list[Floats] = []
    below: list[Floats] = []
    for kpi in kpis:
        parts = kpi.numerator(trajectories.signals), kpi.denominator(trajectories.signals)
        known = np.isfinite(parts[0]) & np.isfinite(parts[1])
        for out, part in zip((above, below), parts, strict=True):
            weighted = np.where(known, rows * part, 0.0)
            out.append(np.bincount(sample.cluster, weights=weighted, minlength=sample.clusters).astype(np.float64))
    return Worth(np.array(above), np.array(below), method, sample.unit)


def simulated(problem: Problem, simulator: Simulator, policy: Policy, panel: Panel, seed: int = 0) -> Trajectories:
    """A policy over a panel, as trajectories."""
    return from_trace(run(problem, simulator, policy, panel, seed=seed).trace, problem.feature_names)


def on_real_data(
    problem: Problem, simulator: Simulator, log: Trajectories, policy: Policy, unit: Unit, seed: int = 0
) -> Worth | Unknown:
    """A policy's worth on a log: by replay of what no action changes, else by weighting, else unknown.

    Args:
        problem: states the KPIs.
        simulator: replays, if it can.
        log: real decisions of somebody.
        policy: that is asked about.
        unit: what an interval counts.
        seed: of the replay's chance.
    """
    if hasattr(simulator, "replayed"):
        try:
            panel = replay_panel(simulator, log)
        except DataError as error:
            return Unknown(f"no replay: {error.found}", error.fix)
        made = worth(
            problem.kpis, simulated(problem, simulator, policy, panel, seed), unit, "replay of the log's course"
        )
        if not math.isfinite(made.value()):
            return Unknown(
                "no replay: it measures nothing", "log what `replayed` begins and goes on with, without gaps"
            )
        return made
    weight = weights(problem, log, policy)
    if isinstance(weight, Unknown):
        return weight
    return worth(problem.kpis, log, "episode", "off-policy, per-decision weighted", weight)


def weights(problem: Problem, log: Trajectories, policy: Policy) -> Floats | Unknown:
    """Self-normalised weights that turn the log's decisions into the policy's; [n].

    Source: per-decision weighted importance sampling, Precup, Sutton and Singh (2000).
    """
    helps = "log propensities with a share of random decisions, or give the simulator `replayed` (docs/validation.md)"
    if not isinstance(problem.action, Discrete):
        return Unknown("actions are vectors, which no weight carries over", "give the simulator `replayed`")
    if not np.isfinite(log.propensity).all() or not ((log.propensity > 0) & (log.propensity <= 1)).all():
        return Unknown("decisions without a propensity in (0, 1]", helps)
    episodes = _episodes(log, proposals(problem, log, policy).probability_of(np.asarray(log.action)))
    last = last_weights(episodes)
    effective = float(last.sum() ** 2 / max((last**2).sum(), 1e-300))
    if effective < FEWEST_EFFECTIVE:
        needed = f"about {math.ceil(FEWEST_EFFECTIVE / max(effective, 1e-9) * len(last)):,} episodes; or {helps}"
        return Unknown(f"{len(last)} episodes weigh as much as {effective:.0f} of the policy's own", needed)
    off = abs(float(last.mean()) - 1)
    if off > WEIGHT_OFF and off > CHANCE * float(last.std()) / math.sqrt(len(last)):
        return Unknown(f"weights average {last.mean():.2f}, not 1: the log does not hold what the policy does", helps)
    return _normalised(cumulative_weights(episodes), np.asarray(episodes.step))


def _episodes(log: Trajectories, target: Floats) -> Episodes:
    begin = np.flatnonzero(np.diff(log.episode, prepend=-1))
    position = np.arange(len(log)) - begin[log.episode]
    reward = np.zeros(len(log))
    return Episodes.from_columns(
        reward=reward, target_prob=target, logged_prob=log.propensity, episode=log.episode, step=position
    )


def _normalised(weight: Floats, step: Floats) -> Floats:
    """Weights that average 1 at every step."""
    at = step.astype(np.int64)
    mean = np.bincount(at, weights=weight) / np.bincount(at)
    return np.asarray(weight / np.maximum(mean, 1e-300)[at])
