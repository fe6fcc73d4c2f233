"""Three candidates that are nearly good enough, on real days and the real gates, without the server between.

July to September, never the held-out months. Real bikes settings, except where a test says that it shortens the
shadow or leaves a gate out, so that the next one has to hold on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tenure.cases.bikes.problem import BaseStock, incumbent
from tenure.cases.bikes.problem import problem as bikes
from tenure.cases.bikes.simulator import BikesSimulator
from tenure.core.arrays import Floats, Ints
from tenure.core.clock import ManualClock
from tenure.core.decision import Arm, Decision, Outcome, ShadowProposal
from tenure.core.evidence import Estimate, Verdict
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.trace import Trace
from tenure.rollout import Controller, Move, Services, Settings, Stage, Tick, gets_candidate, read_settings
from tenure.rollout.rules import Ready
from tenure.simulators import run
from tenure.store import SqliteStore

BIKES = Path(__file__).parents[2] / "src" / "tenure" / "cases" / "bikes" / "tenure.toml"
FIRST_DAY = 181
"""1 July; 92 days later September ends."""
HOUR = timedelta(hours=1)
NO_DRAW = np.zeros(0)
simulator = BikesSimulator()


@dataclass
class Replay:
    """The summer, decided by rule and candidate together, a tick at each midnight.

    Args:
        problem: the KPIs in force.
        limits: the gates.
        candidate: who wants the seat.
        folder: of the log.
        days: how many, from 1 July.
    """

    problem: Problem
    limits: Settings
    candidate: Policy
    folder: Path
    days: int

    def __post_init__(self) -> None:
        self.panel = simulator.stretch(FIRST_DAY, self.days)
        self.alone = {None: self.trace(incumbent), "candidate": self.trace(self.candidate)}
        self.store = SqliteStore(self.folder / "log.db", synchronous="OFF")
        self.clock = ManualClock(self.panel.started_at)
        services = Services(self.replay, self.selection, self.decide)
        self.controller = Controller(self.problem, self.limits, self.store, services, self.clock)

    def trace(self, policy: Policy) -> Trace:
        return run(self.problem, simulator, policy, self.panel).trace

    def change(self, kpi: str) -> float:
        """The candidate's figure less the rule's, each deciding alone all summer."""
        rule, learned = (self.problem.kpi(kpi).value(trace.signals) for trace in self.alone.values())
        return learned - rule

    def worse(self, kpi: str) -> float:
        """The same, as a share of the rule's."""
        return self.change(kpi) / self.problem.kpi(kpi).value(self.alone[None].signals)

    def replay(self, version: str | None, begin: datetime, days: int) -> Trace:
        """Both policies were run over all days once; any stretch is a part of that."""
        return self.alone[version].slice_days((begin - self.panel.started_at).days, days)

    def selection(self, version: str) -> Estimate:
        """Entry is not what is tested here: the version is let into the shadow."""
        return Estimate(0.0, -0.04, 0.04, 30, 30.0, "bootstrap", "day")

    def decide(self, version: str, observation: Floats) -> Ints:
        return np.asarray(self.candidate.propose(observation, None, NO_DRAW).action)

    def ticks(self) -> Iterator[Tick]:
        """What the controller finds at each midnight; what it asks for is approved."""
        self.controller.start("candidate", "engineer")
        state, rng = self.panel.state, np.random.default_rng(0)
        with self.store:
            for moment in self.panel.moments():
                self.clock.advance_to(moment)
                if moment.hour == 0 and moment > self.panel.started_at:
                    yield from self.midnight()
                observation = simulator.observe(state)
                rows, action = self.decisions(observation, moment)
                stepped = simulator.step(state, action, rng)
                state = stepped.state
                columns = {name: values.tolist() for name, values in stepped.signals.items()}
                outcomes = [
                    Outcome.observed("h", row.decision_id, {k: v[at] for k, v in columns.items()}, moment + HOUR)
                    for at, row in enumerate(rows)
                ]
                self.store.append_outcomes(
                    self.problem.name,
                    outcomes,
                    received_at=moment + HOUR,
                    wait=self.limits.reward_window.span,
                    signals=self.problem.signal_names,
                )
            self.clock.advance_to(moment + HOUR)
            yield from self.midnight()

    def midnight(self) -> Iterator[Tick]:
        while (tick := self.controller.tick()).step is not None:
            yield tick
            if tick.step.move is Move.REQUEST and tick.step.to is not None:
                self.controller.approve("approver", tick.step.to, "asked for")
        yield tick

    def decisions(self, observation: Floats, moment: datetime) -> tuple[list[Decision], Ints]:
        """One hour in all districts, split by the control row, in one commit."""
        control = self.store.control(self.problem.name)
        units = [f"{world}/{moment:%Y-%m-%d}" for world in self.panel.worlds]
        chosen = [gets_candidate(control.salt, unit, control.share) for unit in units]
        rule, learned = (policy.propose(observation, None, NO_DRAW).action for policy in (incumbent, self.candidate))
        action = np.where(chosen, learned, rule)
        rows = [
            Decision(
                decision_id=f"{world}/{moment:%Y-%m-%dT%H}",
                problem=self.problem.name,
                problem_version=self.problem.version,
                unit_id=units[at],
                episode_id=world,
                step=None,
                decided_at=moment,
                context={},
                observation=observation[at].tobytes(),
                mask=None,
                stage=control.stage,
                arm=Arm.CANDIDATE if chosen[at] else Arm.INCUMBENT,
                version="candidate" if chosen[at] else incumbent.version,
                action=int(action[at]),
                propensity=1.0,
                explored=False,
                confidence=1.0,
                kill_epoch=control.kill_epoch,
                reason="test",
                latency_us=1,
                request_hash="h",
            )
            for at, world in enumerate(self.panel.worlds)
        ]
        self.store.append_decisions(rows)
        if control.stage == "shadow":
            proposed = zip(rows, learned.tolist(), strict=True)
            self.store.append_proposals(
                self.problem.name,
                [ShadowProposal(r.decision_id, Arm.CANDIDATE, "candidate", a, 1.0, 1.0, moment) for r, a in proposed],
            )
        return rows, action


def limits(*, without_replay: bool = False) -> Settings:
    """The shipped settings; without the replay of the shadow days, seven of them are enough, so that what comes
    after the shadow is tried for as long as the summer lasts."""
    shipped = msgspec.structs.replace(read_settings(BIKES, bikes), ready=Ready(alert=False, drill_days=0, outcomes=0.0))
    if not without_replay:
        return shipped
    shadow = msgspec.structs.replace(shipped.rollout.shadow, min_decisions=3_000, min_days=7)
    return msgspec.structs.replace(
        shipped,
        rollout=msgspec.structs.replace(shipped.rollout, shadow=shadow),
        promote=[rule for rule in shipped.promote if rule.evidence != "replay"],
    )


def test_an_equal_candidate_is_neither_an_improvement_nor_harm(tmp_path: Path) -> None:
    """Real settings, all summer; it may rise, since it is not worse, but no gate may say that it is better."""
    twin = BaseStock(incumbent.quantile, incumbent.exponent, incumbent.dead_band, version="twin")  # type: ignore[attr-defined]
    replay = Replay(bikes, limits(), twin, tmp_path, days=92)
    assert replay.change("cost") == 0
    ticks = list(replay.ticks())
    findings = [finding for tick in ticks for finding in (*tick.gate, *tick.guardrails)]
    assert Verdict.FAIL not in {finding.verdict for finding in findings if finding.gate.startswith("guardrail")}
    assert Verdict.ERROR not in {finding.verdict for finding in findings}
    assert Stage.ROLLED_BACK not in {tick.state.stage for tick in ticks}
    assert ticks[-1].state.share > 0
    claims = [finding.reason for finding in findings if finding.verdict is Verdict.PASS]
    assert not [claim for claim in claims if "better" in claim or "improve" in claim or "above 0" in claim]
    proven = [claim for claim in claims if "proven not worse" in claim]
    assert proven
    assert all("not worse by more than 0.0" in claim for claim in proven)


@pytest.mark.parametrize("without_replay", [False, True])
def test_a_candidate_8_percent_worse_does_not_reach_100_percent(tmp_path: Path, without_replay: bool) -> None:
    """With the shipped settings the shadow holds it; where that gate is left out, the live ones do."""
    worse, days = BaseStock(0.595, 1.0, 3, version="worse"), 75 if without_replay else 50
    replay = Replay(bikes, limits(without_replay=without_replay), worse, tmp_path, days)
    assert 0.07 <= replay.worse("cost") <= 0.09
    ticks = list(replay.ticks())
    assert max(tick.state.share for tick in ticks) <= (0.1 if without_replay else 0.0)
    assert any(tick.state.share > 0 for tick in ticks) == without_replay
    if not without_replay:
        assert ticks[-1].blocked_by[0].startswith("replay cost")


def test_a_cheaper_candidate_whose_service_falls_is_held_for_that_reason(tmp_path: Path) -> None:
    """Where a lost rental costs 0.50 instead of 2.00 it pays to hold fewer bikes, and the service level falls."""
    cost = replace(bikes.kpis[0], of={**bikes.kpis[0].of, "lost_rentals": 0.50})
    cheap = replace(bikes, kpis=(cost, *bikes.kpis[1:]))
    replay = Replay(cheap, limits(), BaseStock(0.70, 1.0, 3, version="lean"), tmp_path, days=50)
    assert replay.worse("cost") < -0.03
    assert replay.change("service_level") < -0.02
    ticks = list(replay.ticks())
    assert {tick.state.stage for tick in ticks} == {Stage.SHADOW}
    assert {tick.state.share for tick in ticks} == {0.0}
    last = ticks[-1]
    assert {finding.gate: finding.verdict for finding in last.gate}["replay cost"] is Verdict.PASS
    assert [reason.split(":")[0] for reason in last.blocked_by] == ["replay service_level"]
