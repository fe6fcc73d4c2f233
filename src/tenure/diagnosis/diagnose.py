"""From a run to its diagnosis: the shape, the suspicions, the probes, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenure.core.clock import Clock, SystemClock
from tenure.core.errors import TenureError
from tenure.core.project import Project
from tenure.diagnosis.arms import FOLDER, Arms
from tenure.diagnosis.causes import HYPOTHESES, Hypothesis, Suspicion
from tenure.diagnosis.causes.hypothesis import trouble
from tenure.diagnosis.changes import shortened
from tenure.diagnosis.facts import Facts, facts_of
from tenure.diagnosis.findings import Allowance, Cause, Diagnosis, Found, Shape
from tenure.diagnosis.probing import Probe
from tenure.diagnosis.rollouts import Rollouts
from tenure.diagnosis.shapes import shape_of
from tenure.diagnosis.thresholds import (
    AT_BOUND,
    FEWEST_SEEDS,
    HEADROOM,
    MOST_ARMS,
    PILOT,
    PLANNED_SEEDS,
    SLACK,
    STRONG,
    WEAK,
)
from tenure.simulators.actions import is_masked
from tenure.training.record import CurvePoint, RunRecord
from tenure.training.resume import hashes_of
from tenure.training.settings import Settings

Watch = Callable[[str, float], None]
"""Called with what is going on and the share of the diagnosis that is done, in [0, 1]."""
SETTLES = frozenset({Cause.BROKEN_REWARD.value})
"""Causes after which no other is probed: what is trained for is not what is scored."""
WELL = frozenset({"healthy", "plateau", "flat"})
"""Shapes of runs that are as good as can be where they reach the bound; others lose it again."""
APART = 1000
"""How far the seeds of probes lie above the run's: what was seen in the run is no part of what tests it."""


@dataclass(frozen=True)
class Suspect:
    """A hypothesis worth a probe."""

    hypothesis: Hypothesis
    suspicion: Suspicion


def diagnose(
    project: Project,
    record: RunRecord,
    run_folder: Path,
    allowance: Allowance = Allowance(),  # noqa: B008
    watch: Watch = lambda _, __: None,
    clock: Clock = SystemClock(),  # noqa: B008
) -> Diagnosis:
    """What is the matter with a run; finished trainings are kept in `run_folder/probes`, so that calling again goes on.

    Args:
        project: what was trained for.
        record: of the run.
        run_folder: where the run lies.
        allowance: how many probes, and how long.
        watch: told of the progress.
        clock: says how much time is left.

    Raises:
        ProjectError: the record has no checkpoint, or settings of another version.
    """
    rollouts = Rollouts(project, facts_of(project.problem, record).settings, run_folder, _seeds(record))
    facts = look_at(project, record, rollouts)
    shape, missing = shape_of(facts), missing_of(facts)
    suspects = suspects_of(facts, shape)[: allowance.probes]
    if not suspects:
        return Diagnosis(record.run, shape, shape == "healthy", missing=missing, told=_silent(shape))
    seeds = tuple(max(rollouts.seeds) + APART + place for place in range(allowance.seeds))
    hashes = str(sorted(hashes_of(project, facts.settings).items()))
    with Arms(project.place, run_folder / FOLDER, hashes, seeds, allowance.processes, clock) as arms:
        probe = Probe(facts, planned(facts, arms, allowance), rollouts, arms, clock)
        found = []
        for place, suspect in enumerate(suspects):

            def told(words: str, part: float, place: int = place) -> None:
                watch(words, (place + part) / len(suspects))

            found.append(probe.test(suspect.hypothesis, suspect.suspicion, allowance.seconds, told))
            if found[-1].name in SETTLES and found[-1].verdict == "confirmed":
                break
    return conclude(record.run, shape, found, missing)


def look_at(project: Project, record: RunRecord, rollouts: Rollouts) -> Facts:
    """The facts of a record, with what the policies there are anyway reach and are paid."""
    masked = is_masked(project.problem, project.simulator)
    return facts_of(project.problem, record, masked=masked, standings=rollouts.standings())


def suspects_of(facts: Facts, shape: Shape) -> list[Suspect]:
    """Hypotheses worth a probe, the strongest first; none at the bound, and where the curves are well only strong ones,
    the stronger the less is left to find.

    What a problem's own code must mend comes first among equals.
    """
    if shape in WELL and facts.bound is not None and facts.bound - facts.reached.mean() <= AT_BOUND * facts.way:
        return []
    least = max(WEAK, STRONG * (1 - trouble(facts))) if shape == "healthy" else WEAK
    found = [Suspect(one, one.suspect(facts)) for one in HYPOTHESES]
    return sorted((one for one in found if one.suspicion.strength >= least), key=lambda one: -one.suspicion.strength)


def missing_of(facts: Facts) -> tuple[str, ...]:
    """What could not be judged, and why."""
    found = []
    if not any(point.metrics for curve in facts.curves for point in curve):
        found.append("The record has no metrics (an older version wrote it): only its scores could be judged.")
    if facts.bound is None:
        found.append("The project has no bound: a run that beats the incumbent may still miss what is possible.")
    if facts.random is None:
        found.append("The first KPI of an even choice is undefined: spans are taken from the first checkpoints.")
    return tuple(found)


def conclude(run: str, shape: Shape, found: Sequence[Found], missing: tuple[str, ...]) -> Diagnosis:
    """Rank what was found: confirmed causes first, the one that mends most and was suspected most at the head."""
    order = {"confirmed": 0, "inconclusive": 1, "rejected": 2}
    ranked = tuple(sorted(found, key=lambda one: (order[one.verdict], -weight(one))))
    named = ranked[0] if ranked[0].verdict == "confirmed" else None
    told = _unconfirmed(shape, ranked) if named is None else f"{named.name}: {named.probe} {named.fix.words}"
    return Diagnosis(run, shape, named is None and shape == "healthy", ranked, missing, told)


def weight(found: Found) -> float:
    """What confirmed causes are ranked by: how much was mended, times how much spoke for it before."""
    return (0.0 if found.effect is None else found.effect.value) * (0.5 + found.strength)


def planned(facts: Facts, arms: Arms, allowance: Allowance) -> Settings:
    """The control's settings, with as many decisions as the trainings of a probe have time for.

    The record says how long a training took there; the control's first one, how long it takes here and now. What was
    planned once is kept, so that a diagnosis that goes on finds the trainings it had finished.
    """
    trainings = FEWEST_SEEDS * MOST_ARMS + 2 * (min(PLANNED_SEEDS, allowance.seeds) - FEWEST_SEEDS)
    each = HEADROOM * allowance.seconds * allowance.processes / trainings
    share = arms.plan(allowance.seconds)
    if share is None:
        took = sum(busy_seconds(curve) for curve in facts.curves) / len(facts.curves)
        share = min(each / max(took, 1e-3), 1.0)
        pilot = arms.run(shortened(facts.settings, share), 1, arms.clock.monotonic() + PILOT * each, lambda _: None)
        here = pilot.seconds or PILOT * each  # one that came to no end takes at least that long
        share *= each / here if here > SLACK * each else 1.0
        arms.keep_plan(allowance.seconds, share)
    return shortened(facts.settings, share)


def busy_seconds(curve: Sequence[CurvePoint]) -> float:
    """Seconds a training took without those in which it waited for a processor that others used."""
    before = [0.0, *(point.seconds for point in curve)]
    return sum(
        (point.seconds - then) * (1 - point.shares.get("wait", 0.0)) for then, point in zip(before, curve, strict=False)
    )


def _seeds(record: RunRecord) -> tuple[int, ...]:
    return tuple(seed.seed for seed in record.seeds)


def _silent(shape: Shape) -> str:
    if shape == "healthy":
        return "Nothing to remark: the curves are healthy, and nothing in the record is suspicious enough for a probe."
    return f"The curves show: {shape}; no cause was probed."


def _unconfirmed(shape: Shape, ranked: Sequence[Found]) -> str:
    names = ", ".join(f"{one.name} ({one.verdict})" for one in ranked)
    return f"No cause was confirmed; the shape is {shape}; probed: {names}."


def suspicious(project: Project, record: RunRecord) -> str:
    """A sentence about a run that deserves a diagnosis, from its record alone; empty where nothing is remarkable.

    Args:
        project: what was trained for.
        record: of the run.
    """
    try:
        facts = facts_of(project.problem, record)
    except TenureError:
        return ""
    shape = shape_of(facts)
    if shape == "healthy" and not suspects_of(facts, shape):
        return ""
    suspects = suspects_of(facts, shape)
    perhaps = f"; perhaps {suspects[0].hypothesis.cause.value}" if suspects else ""
    return f"The curves show: {shape}{perhaps}."
