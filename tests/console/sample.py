"""An invented report that has everything: a gain, a KPI that got worse, a road to live, a kill and a refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from tenure.console import (
    Curve,
    Day,
    Fact,
    HeldOut,
    Kill,
    Kpi,
    MoveRow,
    Refused,
    Report,
    Rollout,
    Tail,
    Training,
)
from tenure.core.evidence import Estimate, Finding, Verdict


def estimate(value: float, half: float) -> Estimate:
    return Estimate(value, value - half, value + half, 8784, 13.2, "crossed bootstrap over weeks and seeds", "week")


def kpi(name: str = "cost", incumbent: float = 2.0, change: float = -0.2, half: float = 0.1) -> Kpi:
    worse = change - half > 0
    return Kpi(
        name,
        "$ per district-hour",
        incumbent,
        incumbent + change,
        change - half,
        change + half,
        change / incumbent if incumbent else float("nan"),
        worse,
        "lower",
    )


def curves(seeds: int = 5, points: int = 150) -> tuple[Curve, ...]:
    steps = tuple(20_000 * (point + 1) for point in range(points))
    rng = np.random.default_rng(7)
    return tuple(
        Curve(
            seed,
            steps,
            tuple(
                float(1.93 + 1.4 * np.exp(-point / (12 + 2 * seed)) + rng.normal(0, 0.02)) for point in range(points)
            ),
        )
        for seed in range(seeds)
    )


def days() -> tuple[Day, ...]:
    rng = np.random.default_rng(3)
    stages = [("shadow", 0.0, 31), ("canary", 0.01, 14), ("canary", 0.1, 28), ("full", 1.0, 9), ("rolled_back", 0.0, 3)]
    flat = [(stage, share) for stage, share, count in stages for _ in range(count)]
    return tuple(
        Day(
            date(2011, 10, 1) + timedelta(days=place),
            stage,
            share,
            None if share == 1 else float(52 + rng.normal(0, 5)),
            None if share == 0 or (share == 0.01 and place % 4) else float(46 + rng.normal(0, 5)),
            round(20 * share),
            round(480 * share),
        )
        for place, (stage, share) in enumerate(flat)
    )


PROMOTED = (
    "enough: 4,128 learned decisions of 1,000 needed, 52 units of 40 needed, 28 days of 28 needed; "
    "cost: not worse than the incumbent by more than 5 % (mean gain 9.8 %, lower end 2.1 %, n = 66 units); "
    "guardrail cost: no harm proven in 66 units; guardrail service_level: no harm proven in 66 units; "
    "traffic split: 10.3 % of the units had the candidate, 10 % were meant (p = 0.61)"
)


def moves() -> tuple[MoveRow, ...]:
    def at(day: int, hour: int) -> datetime:
        return datetime(2011, 10, 1, hour, 0, 5, tzinfo=UTC) + timedelta(days=day)

    return (
        MoveRow(at(0, 0), "start: SHADOW", "ana (engineer)", "selection: cost 10.9 % lower in September"),
        MoveRow(at(30, 23), "request: 1 %", "controller", "shadow: 14,880 proposals of 10,000 needed"),
        MoveRow(at(31, 8), "approve: 1 %", "bruno (risk officer)", "read the replay; the idle bikes are acceptable"),
        MoveRow(at(31, 9), "promote: CANARY 1 %", "controller", "approved by bruno"),
        MoveRow(at(45, 0), "promote: CANARY 10 %", "controller", PROMOTED),
        MoveRow(at(73, 9), "promote: FULL 100 %", "controller", PROMOTED),
        MoveRow(at(82, 14), "kill: epoch 1", "carla (operator)", "drill"),
    )


def report() -> Report:
    return Report(
        title="Bikes: may the learned policy decide?",
        subtitle="20 districts, hourly, October to December 2011",
        generated_at=datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
        command="tenure demo bikes",
        sentence="cost is 11.3 % lower (95 % interval 6.2 to 16.4 %, 13 weeks), but idle_bikes rose 54 %.",
        facts=(
            Fact("Gain on held-out data", "+11.3 %", "95 % interval +6.2 % to +16.4 %"),
            Fact("Headroom used", "41.0 %", "of the way to the bound"),
            Fact("Days to 100 %", "73", "31 in shadow, 42 in canary"),
            Fact("Learned decisions", "7,412", "each with its propensity"),
            Fact("After the kill", "0", "learned decisions of 240 answered"),
        ),
        training=Training("cost", "$ per district-hour", curves(), 2.18, 1.62, 104_312.4),
        held_out=HeldOut(
            period="October to December 2011, 13 weeks",
            cluster="week",
            gain=estimate(0.113, 0.051),
            headroom=0.41,
            rules=(("do nothing", estimate(0.46, 0.06)), ("usual demand of the next hour", estimate(0.19, 0.05))),
            kpis=(
                kpi(incumbent=2.183, change=-0.247, half=0.11),
                Kpi("service_level", "share of requests", 0.942, 0.961, 0.012, 0.026, 0.0202, False, "higher"),
                kpi("lost_rentals", 0.61, -0.2, 0.08),
                kpi("bikes_moved", 1.94, -0.06, 0.15),
                kpi("idle_bikes", 4.8, 2.592, 0.7),
            ),
            tails=(Tail("cost, worst 5 % of district-weeks", 9.71, 8.02), Tail("lost_rentals, worst 5 %", 4.2, 4.4)),
            reads=2,
        ),
        rollout=Rollout(days(), moves(), "a unit is a district-day, and stock stays overnight.", "bikes-2011"),
        kill=Kill(
            datetime(2011, 12, 22, 14, 0, 5, tzinfo=UTC),
            "carla (operator)",
            "drill",
            40_321,
            1,
            7412,
            0,
            240,
            "it was answered again, with the incumbent's action, and a correction was recorded.",
        ),
        refused=Refused(
            "A policy trained for 20,000 steps asked to enter SHADOW and was refused.",
            (
                Finding(
                    "cost",
                    Verdict.FAIL,
                    "cost is worse by more than 5 %; its interval ends at -12.4 %",
                    estimate(-0.2, 0.076),
                ),
                Finding("enough", Verdict.INCONCLUSIVE, "no live unit of 40 needed"),
                Finding("golden", Verdict.PASS, "the bundle answers its 64 golden inputs as recorded"),
            ),
        ),
        notes=("One city and one year.", "The live days are replayed history, not streets."),
        next_command="tenure retrain bikes",
    )
