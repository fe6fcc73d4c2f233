"""From what the demo left behind to the one-page report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tenure.cli.judge import Judgement, simulate
from tenure.cli.live import LiveRun, told
from tenure.cli.output import percent
from tenure.cli.workspace import Workspace
from tenure.console import model
from tenure.console.report import write
from tenure.core.clock import SystemClock
from tenure.core.evidence import Finding
from tenure.rollout import Ledger, Unit
from tenure.store import Event, Store

EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC)
NOTES = (
    "The months are real, the districts are not: each hour's rentals are the city's, split by fixed, seeded shares.",
    "A rental takes its bike out of the district; returns and the choice of a neighbouring district are not modelled.",
    "At 1 % of the units no effect on a KPI can be proven; that stage proves only that live and replay agree.",
    "Units of one day share the weather and the controls they are compared with; intervals name the cluster they use.",
    "Moves stand in the order of the log; the kill carries the real clock's time, all others the replay's.",
    "The approver in this demo is a program that always says yes.",
)


def write_report(
    workspace: Workspace,
    store: Store,
    record: Any,
    found: LiveRun,
    held_out: Judgement,
    refused: Sequence[Finding],
    steps: Sequence[dict[str, Any]],
    path: Path,
) -> Path:
    """Put the page together and write it."""
    problem, clock = workspace.project.problem, SystemClock()
    events = [event for event in store.events(problem.name) if event.kind != "correction"]
    ledger = whole_ledger(workspace, store)
    page = model.Report(
        title=f"{problem.name}: from incumbent to learned policy, and back",
        subtitle=problem.about,
        generated_at=clock.now(),
        command="tenure demo",
        sentence=f"On data nobody trained or selected on, {held_out.comparison.sentence}",
        facts=_facts(record, held_out, ledger, steps),
        training=_training(workspace, record),
        held_out=_held_out(held_out, store.reads(problem.name, "held_out")),
        rollout=_rollout(workspace, ledger, events),
        kill=_kill(store, problem.name, events, found),
        refused=model.Refused(f"a candidate that is not paid for lost rentals ({refused[0].gate})", tuple(refused)),
        notes=NOTES,
        next_command=f"tenure versions {problem.name} --home {workspace.home.parent}",
    )
    return write(page, path)


def whole_ledger(workspace: Workspace, store: Store) -> Ledger:
    """All decisions of the log by unit."""
    ledger = Ledger(workspace.project.problem)
    ledger.update(store.read_log(workspace.project.problem.name), closed_before=2**31)
    return ledger


def _facts(record: Any, held_out: Judgement, ledger: Ledger, steps: Sequence[dict[str, Any]]) -> tuple[model.Fact, ...]:
    gain, learned = held_out.comparison.gain, sum(unit.learned for unit in ledger.units.values())
    total = sum(unit.decisions for unit in ledger.units.values())
    facts = [
        model.Fact(
            "Gain on held-out months",
            percent(gain.value),
            f"95 % interval {percent(gain.low)} to {percent(gain.high)}, cluster {gain.cluster}, "
            f"{len(record.seeds)} training seeds",
        ),
        model.Fact("Decisions answered", f"{total:,}", f"of them {learned:,} by the learned policy"),
        model.Fact("Training", f"{record.steps_per_s:,.0f} steps/s", f"per seed, {len(record.seeds)} seeds at once"),
        model.Fact("The whole road", f"{sum(step['seconds'] for step in steps):.0f} s", "training to refusal"),
    ]
    if held_out.headroom is not None:
        facts.insert(1, model.Fact("Share of headroom", percent(held_out.headroom.value), "from incumbent to bound"))
    return tuple(facts)


def _training(workspace: Workspace, record: Any) -> model.Training:
    kpi = workspace.project.problem.kpis[0]
    curves = tuple(
        model.Curve(seed.seed, tuple(p.steps for p in seed.curve), tuple(p.score for p in seed.curve))
        for seed in record.seeds
    )
    return model.Training(kpi.name, kpi.unit, curves, record.incumbent, record.bound, record.steps_per_s)


def _held_out(found: Judgement, reads: int) -> model.HeldOut:
    kpis = tuple(
        model.Kpi(
            row.name,
            row.unit,
            row.incumbent,
            row.candidate,
            row.change.low,
            row.change.high,
            row.relative,
            row.worse,
            "lower" if row.better == "lower" else "higher",
        )
        for row in found.comparison.kpis
    )
    tails = tuple(
        model.Tail(f"{row.name}, worst {percent(row.share)} of district-weeks", row.incumbent, row.candidate)
        for row in found.comparison.tails
    )
    rules = tuple((name, each.gain) for name, each in found.rules.items())
    share = None if found.headroom is None else found.headroom.value
    return model.HeldOut(
        found.period, found.comparison.gain.cluster, found.comparison.gain, share, rules, kpis, tails, reads
    )


def _rollout(workspace: Workspace, ledger: Ledger, events: Sequence[Event]) -> model.Rollout:
    moves = tuple(model.MoveRow(e.at, _what(e), e.actor, e.reason) for e in events)
    days = tuple(_day(day, units, _share_set(events, day)) for day, units in _by_day(ledger).items())
    return model.Rollout(days, moves, carry_over(workspace, ledger), workspace.settings.rollout.salt)


def _what(event: Event) -> str:
    share = event.payload.get("to")
    return event.kind if share is None else f"{event.kind} to {100 * float(share):g} %"


def _by_day(ledger: Ledger) -> dict[int, list[Unit]]:
    days: dict[int, list[Unit]] = {}
    for unit in ledger.units.values():
        days.setdefault(unit.day, []).append(unit)
    return days


def _share_set(events: Sequence[Event], day: int) -> float:
    """The share that promotions up to a day had set."""
    end = EPOCH_DAY + timedelta(days=day + 1)
    return max((float(e.payload["to"]) for e in events if e.kind == "promote" and e.at < end), default=0.0)


def _day(day: int, units: list[Unit], share: float) -> model.Day:
    learned, control = [u for u in units if u.is_candidate], [u for u in units if not u.is_candidate]
    return model.Day(
        day=(EPOCH_DAY + timedelta(days=day)).date(),
        stage=units[0].stage,
        share=share if learned or units[0].stage == "canary" else 0.0,  # after the kill nothing is shared any more
        control=_mean_cost(control),
        candidate=_mean_cost(learned),
        candidate_units=len(learned),
        learned_decisions=sum(unit.learned for unit in units),
    )


def _mean_cost(units: list[Unit]) -> float | None:
    return float(np.mean([unit.above[0] for unit in units])) if units else None


def carry_over(workspace: Workspace, ledger: Ledger) -> str:
    """What the candidate found when it took over a district for a day, against what it would have left itself."""
    project = workspace.project
    taken = [unit for unit in ledger.units.values() if unit.is_candidate and unit.stage == "canary"]
    if not taken:
        return "No district changed its arm."
    panel = project.simulator.panel("held_out")
    version = next(iter({unit.version for unit in taken}))
    alone = simulate(project, workspace.policy(version), panel).observation
    assert alone is not None
    first_day = (panel.started_at - EPOCH_DAY).days
    found = [float(unit.first_observation[0]) for unit in taken]
    own = [float(alone[(u.day - first_day) * 24, panel.worlds.index(u.episode_id), 0]) for u in taken]
    name = project.problem.observation[0]
    return (
        f"Carried over: in {len(taken)} district-days at 1 % and 10 % the candidate took over a mean {name.name} of "
        f"{np.mean(found):.1f} {name.unit}; where it always decides, the same districts open the day with "
        f"{np.mean(own):.1f}. The difference of {np.mean(found) - np.mean(own):+.1f} is the incumbent's, and the "
        "candidate's first hours pay or profit from it."
    )


def _kill(store: Store, problem: str, events: Sequence[Event], found: LiveRun) -> model.Kill:
    kills = [event for event in events if event.kind == "kill"]
    if not kills:
        return model.Kill(SystemClock().now(), "-", "the kill was not reached", 0, 0, 0, 0, 0, "-")
    kill = kills[-1]
    return model.Kill(
        at=kill.at,
        actor=kill.actor,
        reason=kill.reason,
        sequence=kill.sequence,
        epoch=int(kill.payload["kill_epoch"]),
        learned_before=store.counts(problem)["learned"],
        learned_after=store.learned_after(problem, kill.sequence),
        decisions_after=len(store.read_log(problem, after_sequence=kill.sequence)),
        retry=told(found.retry),
    )
