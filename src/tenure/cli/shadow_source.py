"""From a workspace's log and simulator to what a shadow report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tenure.cli.services import services
from tenure.cli.workspace import Workspace
from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.clock import Clock
from tenure.core.decision import Arm
from tenure.core.errors import EvidenceError, TenureError
from tenure.core.logged import Logged
from tenure.core.problem import Problem
from tenure.core.spaces import APART, Box, Discrete
from tenure.core.trace import Trace
from tenure.evaluation.shadow.log import Margin, Need, Note, Replay, ShadowLog, hashed
from tenure.rollout import Move, Stage
from tenure.rollout.ledger import first_whole_day, midnight_of
from tenure.rollout.settings import Settings
from tenure.store import Event, LogFrame, Store
from tenure.store.shadow import Proposals

DAY = timedelta(days=1)
VECTORS = ("the incumbent's vector", f"a vector more than {100 * APART:g} % of a number's range away")
"""What a candidate does in place of a vector: the same, or another."""


@dataclass(frozen=True, eq=False)
class ShadowSource:
    """The version that was shadowed, and everything its report reads."""

    version: str
    log: ShadowLog
    replay: Replay | str
    need: Need
    margins: Mapping[str, Margin]
    notes: tuple[Note, ...]


def shadow_source(workspace: Workspace, store: Store, clock: Clock) -> ShadowSource:
    """The latest candidate's shadow stage, without decisions whose outcomes may still come.

    Raises:
        EvidenceError: no candidate was ever shadowed.
    """
    problem, settings = workspace.project.problem, workspace.settings
    start = _start(store, problem.name)
    version, latest = str(start.payload["version"]), clock.now() - settings.reward_window.span
    frame = store.read_log(problem.name, after_sequence=start.sequence, upto=latest)
    proposals = store.candidate_proposals(problem.name, version)
    log, confidence = shadow_log(problem, frame, proposals)
    replay = _replayed(workspace, version, start.at, log, frame, confidence)
    need = Need(settings.rollout.shadow.min_decisions, settings.rollout.shadow.min_days)
    notes = _notes(store.notes(problem.name), log)
    return ShadowSource(version, log, replay, need, margins(settings), notes)


def margins(settings: Settings) -> dict[str, Margin]:
    """How much worse each KPI may be: as the step out of SHADOW states it, else as its guardrail does."""
    guarded = {rule.kpi: Margin(rule.margin, rule.relative) for rule in settings.guardrail}
    first = settings.rollout.stages[0]
    asked = {rule.kpi: Margin(rule.margin, rule.relative) for rule in settings.for_share(first, "replay")}
    return guarded | asked


def shadow_log(problem: Problem, frame: LogFrame, proposals: Proposals) -> tuple[ShadowLog, Floats]:
    """The incumbent's decisions of the shadow stage, and the candidate's confidence in each, NaN without a proposal.

    Of vectors it says only whether the candidate's is another one, as `VECTORS`: what the log tells of one vector says
    nothing of another, so that its rows have no propensity and nothing is weighed by them.
    """
    rows = _shadowed(frame)
    ids = np.array(frame.decision_id, dtype=object)[rows]
    place = {name: number for number, name in enumerate(proposals.decision_id)}
    which = np.array([place.get(name, -1) for name in ids], dtype=np.int64)
    signals = {
        name: frame.signals[name][rows] if name in frame.signals else np.full(len(ids), np.nan)
        for name in sorted(problem.signal_names)
    }
    # One more entry stands for "no proposal": index -1 reads it.
    sureness = np.append(proposals.confidence, np.nan)[which]
    action, proposed, propensity, labels = _compared(problem.action, frame, rows, proposals, which)
    logged = Logged(
        index=np.arange(len(ids)),
        decision_id=ids,
        unit=hashed([frame.unit_id[row] for row in np.flatnonzero(rows)]),
        action=action,
        propensity=propensity,
        reward=problem.reward(signals),
        features=frame.observation[rows].astype(np.float64),
        names=problem.feature_names,
        labels=labels,
        at=frame.decided_at[rows],
    )
    return ShadowLog(logged, proposed, signals), sureness


def _compared(
    space: Discrete | Box, frame: LogFrame, rows: Bools, proposals: Proposals, which: Ints
) -> tuple[Ints, Ints, Floats, tuple[str, ...]]:
    """What was done and proposed, as indices, with what weight, and the words for both; `which` is -1 for nothing."""
    done, propensity = frame.action[rows], frame.propensity[rows]
    if isinstance(space, Discrete):
        return done, np.append(proposals.action, -1)[which], propensity, space.labels
    offered = np.vstack([proposals.action.reshape(-1, space.size), np.full(space.size, np.nan)])[which]
    another = np.asarray(space.apart(done.reshape(-1, space.size), offered) > APART, dtype=np.int64)
    proposed = np.where(which < 0, -1, another)
    return np.zeros(len(done), dtype=np.int64), proposed, np.full(len(done), np.nan), VECTORS


def paired(incumbent: Trace, candidate: Trace, confidence: Floats) -> Replay:
    """Two runs over the same panel as rows, one per step and world in which somebody decided; confidence as the rows.

    A unit is a world on one day, and days are the clusters: the worlds of one day share its weather.
    """
    alive = incumbent.alive | candidate.alive
    days = np.array([str((incumbent.started_at + step * incumbent.interval).date()) for step in range(incumbent.steps)])
    worlds = np.array(incumbent.worlds, dtype=object)
    day, world = (np.broadcast_to(x, alive.shape)[alive].tolist() for x in (days[:, None], worlds[None, :]))
    assert incumbent.observation is not None
    return Replay(
        unit=hashed([f"{one}/{date}" for one, date in zip(world, day, strict=True)]),
        cluster=hashed(day),
        cluster_name="day",
        features=incumbent.observation[alive].astype(np.float64),
        incumbent={name: values[alive] for name, values in incumbent.signals.items()},
        candidate={name: values[alive] for name, values in candidate.signals.items()},
        confidence=confidence[alive],
    )


def _replayed(
    workspace: Workspace, version: str, started_at: datetime, log: ShadowLog, frame: LogFrame, confidence: Floats
) -> Replay | str:
    """Both policies over the whole days of the shadow stage; the reason, where that cannot be done."""
    if not len(log):
        return "there is no shadowed decision yet"
    begin = midnight_of(first_whole_day(started_at))
    try:
        interval = workspace.project.simulator.panel("held_out", 0, 1).interval
        days = (_moment(log.rows.at.max()) + interval - begin) // DAY
        if days < 1:
            return "no whole day has been shadowed yet"
        rooms = services(workspace)
        incumbent, candidate = (rooms.replay(name, begin, days) for name in (None, version))
    except TenureError as error:
        return f"no replay: {error.expected} needed, found {error.found}"
    return paired(incumbent, candidate, _in_cells(incumbent, frame, log, confidence))


def _in_cells(trace: Trace, frame: LogFrame, log: ShadowLog, confidence: Floats) -> Floats:
    """The logged confidence at each step and world of a replay, NaN where none is; [steps, worlds]."""
    cells = np.full(trace.alive.shape, np.nan)
    start = np.datetime64(trace.started_at.astimezone(UTC).replace(tzinfo=None), "us")
    step = (log.rows.at - start) // np.timedelta64(trace.interval)
    world = {name: number for number, name in enumerate(trace.worlds)}
    episodes = np.array(frame.episode_id, dtype=object)[_shadowed(frame)]
    column = np.array([world.get(name, -1) for name in episodes], dtype=np.int64)
    inside = (column >= 0) & (step >= 0) & (step < trace.steps)
    cells[step[inside].astype(np.int64), column[inside]] = confidence[inside]
    return cells


def _shadowed(frame: LogFrame) -> Bools:
    """Rows the incumbent answered in SHADOW; [n]."""
    pairs = zip(frame.stage, frame.arm, strict=True)
    return np.array([stage == Stage.SHADOW and arm == Arm.INCUMBENT for stage, arm in pairs], dtype=bool)


def _start(store: Store, problem: str) -> Event:
    starts = [event for event in store.events(problem) if event.kind == Move.START]
    if not starts:
        raise _lacking("a candidate in SHADOW", "none ever started", problem, "start one; `tenure demo` shows it")
    return starts[-1]


def _notes(events: Sequence[Event], log: ShadowLog) -> tuple[Note, ...]:
    """Notes on the decisions of this shadow stage."""
    decided = dict(zip(log.rows.decision_id.tolist(), log.rows.at.tolist(), strict=True))
    return tuple(
        Note(name, decided[name].replace(tzinfo=UTC), event.reason, event.actor, event.at)
        for event in events
        if (name := str(event.payload["decision_id"])) in decided
    )


def _moment(at: Any) -> datetime:
    moment: datetime = at.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)


def _lacking(expected: str, found: str, problem: str, fix: str) -> EvidenceError:
    return EvidenceError(expected=expected, found=found, where=f"the log of {problem!r}", fix=fix)
