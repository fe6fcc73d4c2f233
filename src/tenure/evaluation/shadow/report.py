"""The shadow report: from what a candidate proposed beside the incumbent to whether it may go on, in one function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Estimate, Finding, Verdict, worst
from tenure.core.problem import Problem
from tenure.core.reward import KPI
from tenure.evaluation.experiment.health import shadow_delivery
from tenure.evaluation.grouped import GroupedSums, group_of
from tenure.evaluation.segment_effects import SegmentEffect, SegmentEffects
from tenure.evaluation.segments import find
from tenure.evaluation.shadow.calibration import Calibration, calibration
from tenure.evaluation.shadow.log import Margin, Need, Note, Replay, ShadowLog
from tenure.evaluation.shadow.paired import differences, linearised
from tenure.evaluation.shadow.tails import TailChange, tail_changes
from tenure.evaluation.shadow.value import (
    KpiEvidence,
    Side,
    Valued,
    by_log,
    by_replay,
    kpi_evidence,
    log_side,
    replay_side,
)
from tenure.evaluation.shadow.words import first_sentence

OUTCOMES = 0.99
"""Least share of the decisions whose outcome must have come."""
SIMULATOR_OFF = 0.05
"""How far the simulated incumbent's first KPI may lie from the logged one, as a share, before its replay is doubted."""
PAIRS = 10
"""Kinds of disagreement that are listed."""


@dataclass(frozen=True)
class Instead:
    """One kind of disagreement: the incumbent did this where the candidate would have done that."""

    incumbent: str
    candidate: str
    decisions: int
    share: float


@dataclass(frozen=True)
class Disagreement:
    """How often and how they differ; `share` is None before two units have a proposal."""

    decisions: int
    share: Estimate | None
    pairs: tuple[Instead, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        share = None if self.share is None else self.share.as_dict()
        return {"decisions": self.decisions, "share": share, "pairs": [vars(pair) for pair in self.pairs]}


@dataclass(frozen=True)
class KpiSegments:
    """Where one KPI changes: parts of all decisions, with effects that hold over all segments of the report."""

    kpi: str
    unit: str
    way: str
    segments: tuple[SegmentEffect, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {**vars(self), "segments": [segment.as_dict() for segment in self.segments]}


@dataclass(frozen=True)
class ShadowReport:
    """Everything a risk officer needs before a candidate decides anything.

    Args:
        verdict: PASS: a gain is proven and no KPI is worse; FAIL: one is proven worse beyond its stated margin.
        sentence: the first sentence, the trade in it where there is one.
        decisions: decisions with a proposal.
        days: calendar days with one.
        missing: what is still missing for a verdict, in words.
        delivery: whether the shadow was there at all.
        health: every other finding about the log and the simulator.
        disagreement: how often, and who does what instead.
        value: the gain in reward, by replay and off-policy.
        kpis: every KPI.
        tails: the worst 5 % of units under both.
        segments: one entry per KPI.
        calibration: confidence against outcome; None with the reason in `uncalibrated`.
        notes: what operators wrote.
    """

    verdict: Verdict
    sentence: str
    decisions: int
    days: int
    missing: tuple[str, ...]
    delivery: Finding
    health: tuple[Finding, ...]
    disagreement: Disagreement
    value: tuple[Valued, ...]
    kpis: tuple[KpiEvidence, ...]
    tails: tuple[TailChange, ...]
    segments: tuple[KpiSegments, ...]
    calibration: Calibration | None
    uncalibrated: str
    notes: tuple[Note, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        lists = ("health", "kpis", "tails", "segments", "notes")
        return {
            "verdict": self.verdict.word,
            "sentence": self.sentence,
            "decisions": self.decisions,
            "days": self.days,
            "missing": list(self.missing),
            "delivery": self.delivery.as_dict(),
            "disagreement": self.disagreement.as_dict(),
            "value": {each.way: each.as_dict() for each in self.value},
            "calibration": None if self.calibration is None else self.calibration.as_dict(),
            "uncalibrated": self.uncalibrated,
            **{name: [each.as_dict() for each in getattr(self, name)] for name in lists},
        }


def shadow_report(
    problem: Problem,
    log: ShadowLog,
    replay: Replay | str,
    *,
    need: Need,
    margins: Mapping[str, Margin],
    notes: Sequence[Note] = (),
    alpha: float = 0.05,
    seed: int = 0,
) -> ShadowReport:
    """Value what a candidate would have done otherwise, and say whether that is enough.

    Args:
        problem: states KPIs, reward and features.
        log: the incumbent's decisions with the candidate's proposals.
        replay: both policies simulated, or why there is no such replay.
        need: fewest decisions and days for a verdict.
        margins: how much worse each KPI may be; 0 where nothing is stated.
        notes: operators' notes on these decisions.
        alpha: error rate of all KPIs together, and of each other family of intervals; in (0, 1).
        seed: chance of the resampling.

    Raises:
        EvidenceError: an impossible alpha.
    """
    disagreement = _disagreement(log, alpha)
    differs = float(log.differs.sum()) / max(1, int(log.delivered.sum()))
    value, sides = _valued(problem, log, replay, differs, alpha, seed)
    kpis = kpi_evidence(problem, sides, margins, alpha)
    segments = _segments(problem, sides[0], alpha) if sides and disagreement.decisions else ()
    delivery = shadow_delivery(int(log.delivered.sum()), len(log))
    health = _health(problem, log, replay)
    missing = _missing(log, need)
    verdict = _verdict(missing, (delivery, *health), kpis, disagreement.decisions)
    calibrated, uncalibrated = _calibrated(problem, replay, alpha)
    return ShadowReport(
        verdict=verdict,
        sentence=first_sentence(verdict, missing, (delivery, *health), value, kpis, segments, disagreement.decisions),
        decisions=int(log.delivered.sum()),
        days=log.days,
        missing=missing,
        delivery=delivery,
        health=health,
        disagreement=disagreement,
        value=value,
        kpis=kpis,
        tails=() if isinstance(replay, str) else tail_changes(problem, replay, alpha, seed),
        segments=segments,
        calibration=calibrated,
        uncalibrated=uncalibrated,
        notes=tuple(notes),
    )


def _valued(
    problem: Problem, log: ShadowLog, replay: Replay | str, differs: float, alpha: float, seed: int
) -> tuple[tuple[Valued, ...], tuple[Side, ...]]:
    """The gain both ways, and those ways a verdict may rest on."""
    sides: list[Side] = []
    if isinstance(replay, str):
        simulated = Valued("replay", None, reason=replay, helps="a simulator can value what no log has tried")
    else:
        sides.append(replay_side(replay))
        simulated = by_replay(problem, sides[0], differs, alpha)
    logged = by_log(problem, log, differs, alpha, seed)
    if logged.gain is not None and logged.decides:
        sides.append(log_side(log))
    return (simulated, logged), tuple(sides)


def _disagreement(log: ShadowLog, alpha: float) -> Disagreement:
    rows, differs, labels = log.delivered, log.differs, log.rows.labels
    sums = GroupedSums(2)
    sums.update(group_of(log.rows.unit[rows]), (differs[rows].astype(np.float64), 1.0))
    try:
        share = linearised(sums.sums, alpha, cluster="unit", n=int(rows.sum()))
    except EvidenceError:
        share = None
    kinds = Counter(zip(log.rows.action[differs].tolist(), log.proposed[differs].tolist(), strict=True))
    pairs = tuple(
        Instead(labels[before], labels[after], count, count / int(rows.sum()))
        for (before, after), count in kinds.most_common(PAIRS)
    )
    return Disagreement(int(differs.sum()), share, pairs)


def _segments(problem: Problem, side: Side, alpha: float) -> tuple[KpiSegments, ...]:
    """A tree per KPI; alpha is spread evenly over the trees, and within one by Holm."""
    found = (_of_kpi(problem, kpi, side, alpha / len(problem.kpis)) for kpi in problem.kpis)
    return tuple(part for part in found if part is not None)


def _of_kpi(problem: Problem, kpi: KPI, side: Side, alpha: float) -> KpiSegments | None:
    """One KPI's segments; None where it has nothing to divide by, as its row says."""
    try:
        difference = differences(kpi, side.before, side.after, side.weight)
    except EvidenceError:
        return None
    units = tuple(feature.unit for feature in problem.observation)
    effects = SegmentEffects(find(side.features, difference, side.cluster, problem.feature_names, units))
    effects.update(side.features, side.cluster, difference)
    return KpiSegments(kpi.name, kpi.unit, side.way, effects.result(alpha, kpi.sign, side.cluster_name))


def _calibrated(problem: Problem, replay: Replay | str, alpha: float) -> tuple[Calibration | None, str]:
    if isinstance(replay, str):
        return None, "what the candidate would have caused is only known where a simulator replays it"
    known = np.isfinite(replay.confidence)
    gain = problem.reward(replay.candidate) - problem.reward(replay.incumbent)
    meaning = "the candidate's reward in the replay is at least the incumbent's"
    try:
        good = calibration(
            replay.confidence[known],
            gain[known] >= 0,
            replay.cluster[known],
            meaning=meaning,
            alpha=alpha,
        )
    except EvidenceError as error:
        return None, f"{error.expected} needed, found {error.found}"
    return good, ""


def _health(problem: Problem, log: ShadowLog, replay: Replay | str) -> tuple[Finding, ...]:
    known = int(log.measured.sum())
    share = known / len(log) if len(log) else 0.0
    enough = Verdict.PASS if share >= OUTCOMES else Verdict.INCONCLUSIVE
    outcomes = Finding("outcomes", enough, f"{100 * share:.1f} % of {len(log)} decisions have their outcome")
    if isinstance(replay, str) or not known:
        return (outcomes,)
    return outcomes, _fidelity(problem, log, replay)


def _fidelity(problem: Problem, log: ShadowLog, replay: Replay) -> Finding:
    """Whether the simulator gives the incumbent what the log gives it."""
    kpi, rows = problem.kpis[0], log.measured
    logged = kpi.value({name: values[rows] for name, values in log.signals.items()})
    simulated = kpi.value(replay.incumbent)
    told = f"the incumbent's {kpi.name} is {logged:.4g} in the log and {simulated:.4g} in the replay"
    close = abs(simulated - logged) <= SIMULATOR_OFF * abs(logged)
    verdict = Verdict.PASS if close else Verdict.INCONCLUSIVE
    return Finding("simulator", verdict, f"{told} (at most {100 * SIMULATOR_OFF:g} % apart asked for)")


def _missing(log: ShadowLog, need: Need) -> tuple[str, ...]:
    short = {
        "decision": max(need.decisions, 1) - int(log.delivered.sum()),
        "day": max(need.days, 1) - log.days,
    }
    return tuple(f"{count:,} more {name}{'s' if count > 1 else ''}" for name, count in short.items() if count > 0)


def _verdict(
    missing: Sequence[str], health: Sequence[Finding], kpis: Sequence[KpiEvidence], disagreements: int
) -> Verdict:
    if any(finding.verdict is Verdict.ERROR for finding in health):
        return Verdict.ERROR
    if missing or not disagreements:
        return Verdict.INCONCLUSIVE
    return worst([*(finding.verdict for finding in health), _of_the_kpis(kpis)])


def _of_the_kpis(kpis: Sequence[KpiEvidence]) -> Verdict:
    """FAIL needs a stated margin: without one nobody has said how much of a harm is too much, and it holds."""
    if any(kpi.word == "worse" and kpi.margin is not None for kpi in kpis):
        return Verdict.FAIL
    fine = all(kpi.word != "worse" and kpi.proven_within and kpi.changes for kpi in kpis)
    return Verdict.PASS if fine and kpis[0].word == "better" else Verdict.INCONCLUSIVE
