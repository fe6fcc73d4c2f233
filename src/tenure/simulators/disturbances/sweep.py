"""How a policy stands every level and every standard disturbance, beside the rule that decides today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate, Verdict, worst
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.core.simulator import Panel, Simulator
from tenure.core.trace import Trace
from tenure.evaluation.intervals import Sums, crossed_change, crossed_gain
from tenure.simulators.disturbances.settings import told as as_settings
from tenure.simulators.disturbances.standard import STRENGTHS, spread_of, standard
from tenure.simulators.disturbances.wrapper import Disturbance, disturbed
from tenure.simulators.rollout import run
from tenure.simulators.room import room_for

WORLDS = 256
"""Fresh training worlds of each level; every policy and every disturbance meets the same."""
SEED = 1998
"""Of the worlds, of their chance and of the intervals."""
MARGIN = 0.05
"""A policy holds where it is not worse than the incumbent by more than this share of the incumbent's first KPI."""
DRAWS = 400
"""Resamples of an interval; over so many worlds the t interval beside it is as wide."""
NONE = "none"
SINGLE_STEPS = 24
"""Decisions of each world where a problem's episodes are single decisions, so that delays can show."""


@dataclass(frozen=True)
class Cell:
    """One level under one disturbance.

    Args:
        level: of the simulator.
        disturbance: its kind, or `none`.
        strength: one of `STRENGTHS`; empty where nothing is disturbed.
        fields: the disturbance as settings write it; None where nothing is disturbed.
        simulator: version of the simulator with the disturbance.
        kpis: every KPI of incumbent and policy on the same worlds, in its unit, the first one first.
        gain: of the policy over the incumbent in the first KPI, a share; None where it cannot be computed.
        gains: the same of every KPI, by name.
        verdict: whether the policy holds.
        reason: why, in a sentence.
        required: the verdict of the sweep rests on it.
    """

    level: str
    disturbance: str
    strength: str
    fields: dict[str, Any] | None
    simulator: str
    kpis: dict[str, tuple[float, float]]
    gain: Estimate | None
    gains: dict[str, Estimate | None]
    verdict: Verdict
    reason: str
    required: bool

    @property
    def name(self) -> str:
        """The cell in words, such as `hard, mild action_delay`."""
        return f"{self.level}, {self.strength} {self.disturbance}" if self.strength else f"{self.level}, undisturbed"

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "gains"},
            "gain": self.gain.as_dict() if self.gain else None,
            "verdict": self.verdict.word,
            "kpis": {name: self._told(name) for name in self.kpis},
        }

    def _told(self, kpi: str) -> dict[str, Any]:
        (incumbent, policy), gain = self.kpis[kpi], self.gains[kpi]
        return {"incumbent": incumbent, "policy": policy, "gain": gain.as_dict() if gain else None}


@dataclass(frozen=True)
class Sweep:
    """All cells of a policy; `unsupported` are standard disturbances that this simulator cannot have,
    `worlds` those of each level."""

    cells: tuple[Cell, ...]
    unsupported: tuple[str, ...]
    simulator: str
    worlds: int

    @property
    def verdict(self) -> Verdict:
        """The worst verdict among the cells that are required."""
        return worst(cell.verdict for cell in self.cells if cell.required)


def sweep(
    problem: Problem,
    simulator: Simulator,
    incumbent: Policy,
    policy: Policy,
    worlds: int = WORLDS,
    progress: Callable[[int, int, str], None] = lambda _done, _all, _name: None,
) -> Sweep:
    """Run policy and incumbent through every level and standard disturbance.

    A cell passes where the lower end of the gain's interval lies above -`MARGIN`, fails where the upper end lies below
    it, and is inconclusive between. The sweep's verdict is the worst of the required cells: level `normal`, undisturbed
    and under every mild disturbance; that all of them pass is an intersection-union test, which needs no correction.

    Args:
        problem: states actions, KPIs and horizon.
        simulator: draws the worlds by `reset`, so from training data.
        incumbent: decides today.
        policy: what is judged.
        worlds: of each level; fewer where the simulator cannot hold so many.
        progress: called with (cells done, all cells, name of the cell that comes next).

    Source: intersection-union tests, Berger (1982).
    """
    steps, worlds = problem.horizon if problem.horizon > 1 else SINGLE_STEPS, room_for(simulator, worlds)
    usual = run(problem, simulator, incumbent, _panel(simulator, "normal", worlds, steps), seed=SEED).trace
    assert usual.observation is not None
    stacks = standard(problem, simulator, spread_of(problem, usual.observation), steps)
    planned = list(_planned(simulator, stacks))
    cells: list[Cell] = []
    for level, kind, strength, disturbance in planned:
        progress(len(cells), len(planned), f"{level}, {strength} {kind}".replace(f",  {NONE}", ""))
        world = simulator if disturbance is None else disturbed(problem, simulator, [disturbance])
        panel = _panel(world, level, worlds, steps)
        traces = [run(problem, world, one, panel, seed=SEED).trace for one in (incumbent, policy)]
        cells.append(_cell(problem, world.version, (level, kind, strength, disturbance), *traces))
    progress(len(cells), len(planned), "")
    return Sweep(tuple(cells), _unsupported(stacks), simulator.version, worlds)


def _planned(
    simulator: Simulator, stacks: dict[str, tuple[Disturbance, ...]]
) -> Iterator[tuple[str, str, str, Disturbance | None]]:
    for level in simulator.levels:
        yield level, NONE, "", None
        for kind, strengths in stacks.items():
            for strength, disturbance in zip(STRENGTHS, strengths, strict=True):
                yield level, kind, strength, disturbance


def _unsupported(stacks: dict[str, tuple[Disturbance, ...]]) -> tuple[str, ...]:
    return tuple(name for name in ("sensor_noise", "demand_shock", "obstacle") if name not in stacks)


def _panel(simulator: Simulator, level: str, worlds: int, steps: int) -> Panel:
    state = simulator.reset(worlds, np.random.default_rng(SEED), level)
    names = tuple(f"world-{number}" for number in range(1, worlds + 1))
    # When is of no meaning to worlds drawn by themselves; a panel must say it.
    return Panel(state, steps, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(hours=1), independent=True)


def _cell(
    problem: Problem, version: str, where: tuple[str, str, str, Disturbance | None], before: Trace, after: Trace
) -> Cell:
    level, kind, strength, disturbance = where
    gains = {kpi.name: _gain(kpi, before, after) for kpi in problem.kpis}
    gain = gains[problem.kpis[0].name]
    verdict, reason = (Verdict.INCONCLUSIVE, gain) if isinstance(gain, str) else _judged(gain)
    told = {name: None if isinstance(each, str) else each for name, each in gains.items()}
    return Cell(
        level=level,
        disturbance=kind,
        strength=strength,
        fields=None if disturbance is None else as_settings(disturbance),
        simulator=version,
        kpis={kpi.name: (before.kpi(kpi), after.kpi(kpi)) for kpi in problem.kpis},
        gain=told[problem.kpis[0].name],
        gains=told,
        verdict=verdict,
        reason=reason,
        required=level == "normal" and strength in ("", STRENGTHS[0]),
    )


def _gain(kpi: KPI, before: Trace, after: Trace) -> Estimate | str:
    """Improvement as a share of the incumbent's size, or why it cannot be stated."""
    try:
        return _share(kpi, _per_world(kpi, before), _per_world(kpi, after))
    except EvidenceError as error:
        return f"expected {error.expected}; found {error.found}"


def _share(kpi: KPI, baseline: Sums, candidate: Sums) -> Estimate:
    """Where the incumbent's KPI is not positive, its size is taken as known."""
    runs = Sums(candidate.above[None], candidate.below[None])
    rng = np.random.default_rng(SEED)
    if baseline.ratio >= 0:
        return crossed_gain(baseline, runs, rng, sign=kpi.sign, cluster="world", draws=DRAWS)
    change = crossed_change(baseline, runs, rng, cluster="world", draws=DRAWS)
    ends = sorted((kpi.sign * change.low, kpi.sign * change.high))
    better = replace(change, value=kpi.sign * change.value, low=ends[0], high=ends[1])
    return better.scaled(1 / abs(baseline.ratio))


def _per_world(kpi: KPI, trace: Trace) -> Sums:
    above, below = trace.kpi_parts(kpi)
    return Sums(above.sum(axis=0), below.sum(axis=0))


def _judged(gain: Estimate) -> tuple[Verdict, str]:
    interval = f"gain {100 * gain.value:.1f} % ({100 * gain.low:.1f} to {100 * gain.high:.1f} %)"
    if gain.low > -MARGIN:
        return Verdict.PASS, f"{interval}: not worse than the incumbent by {100 * MARGIN:g} %"
    if gain.high < -MARGIN:
        return Verdict.FAIL, f"{interval}: worse than the incumbent by more than {100 * MARGIN:g} %"
    return Verdict.INCONCLUSIVE, f"{interval}: may be worse than the incumbent by more than {100 * MARGIN:g} %"
