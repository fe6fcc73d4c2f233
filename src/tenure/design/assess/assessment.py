"""`assess`: one use case, by whatever is at hand, to a verdict with its reasons and figures; and several by rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.core.logged import LoggedSource
from tenure.core.project import Project
from tenure.core.spaces import Discrete
from tenure.design.assess.answers import Answers, judge_answers
from tenure.design.assess.compute import Compute, expected_compute
from tenure.design.assess.judged_folder import measure_folder
from tenure.design.assess.leaks import leaks_of
from tenure.design.assess.measure import Measured, measure
from tenure.design.assess.pace import Pace, folder_pace, log_pace, told_pace
from tenure.design.assess.recommend import Advice, recommend
from tenure.design.assess.records import read_records
from tenure.design.assess.volume import Volume, a_year, volume
from tenure.design.assess.worth import DISCOUNT
from tenure.design.starting.leaks import Leak

CORE_HOUR = 0.05
"""What a core hour costs, in the reward's currency, where nobody says otherwise: a rented core of 2026."""


@dataclass(frozen=True)
class Assessment:
    """What became of one use case.

    Args:
        name: folder, case or file.
        source: `folder`, `log` or `answers`.
        advice: verdict, recommendation and the sentence that decides.
        findings: everything that was measured.
        gain: per decision, in the reward's unit; None where it could not be measured.
        gains: there is something to gain; None where it is not told from nothing.
        yearly: the gain a year; None where nobody knows how many decisions there are.
        pace: how many decisions there are, and who says so; None for answers.
        caveats: what the gain rests on and does not cover, a sentence each.
        rows: decisions measured, and decisions of the log; None without a log.
        left_out: columns of the log that hold what came of the decision.
        compute: of training; None where nothing is to be trained or nothing is known.
        volume: what the traffic can prove; None where no gain is known.
        retrain_days: days after which a model is old; None where no ageing was seen.
    """

    name: str
    source: str
    advice: Advice
    findings: tuple[Finding, ...]
    gain: Estimate | None = None
    gains: bool | None = None
    yearly: Estimate | None = None
    pace: Pace | None = None
    caveats: tuple[str, ...] = ()
    rows: tuple[int, int] | None = None
    left_out: tuple[Leak, ...] = ()
    compute: Compute | None = None
    volume: Volume | None = None
    retrain_days: float | None = None

    @property
    def score(self) -> float:
        """Lower end of the yearly value less the cost of compute; minus infinity where either is unknown."""
        if self.yearly is None or self.advice.verdict is not Verdict.PASS:
            return -math.inf
        cost = CORE_HOUR * (self.compute.core_hours if self.compute else 0.0)
        return self.yearly.low - cost

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "name": self.name,
            "source": self.source,
            "verdict": self.advice.verdict.word,
            "recommendation": self.advice.recommendation,
            "reason": self.advice.reason,
            "findings": [finding.as_dict() for finding in self.findings],
            "value": {
                "per_decision": self.gain.as_dict() if self.gain else None,
                "a_year": self.yearly.as_dict() if self.yearly else None,
                "told_from_nothing": self.gains,
                "decisions_a_year": self.pace.said if self.pace else None,
                "caveats": list(self.caveats),
            },
            "rows": {"used": self.rows[0], "of": self.rows[1]} if self.rows else None,
            "left_out": [leak.as_dict() for leak in self.left_out],
            "compute": self.compute.as_dict() if self.compute else None,
            "volume": self.volume.as_dict() if self.volume else None,
            "retrain_days": self.retrain_days,
            "score": self.score,
        }


def assess_log(
    source: LoggedSource,
    name: str,
    *,
    after: Sequence[str] = (),
    a_day: float | None = None,
    world: bool = False,
    discount: float = DISCOUNT,
) -> Assessment:
    """Assess a log.

    Args:
        source: as `open_log` gives it.
        name: the file, for messages.
        after: columns known only after the decision.
        a_day: decisions a day; by the log's time when None.
        world: there is a safe place to learn.
        discount: weight of the next decision's value, in [0, 1).

    Raises:
        DataError: the log cannot be measured at all; the message says what to do.
    """
    leaks = leaks_of(source)
    records = read_records(source, after, name, leaks)
    found = measure(records, discount, world)
    horizon = 1 / (1 - discount) if found.facts.sequential else 1.0
    shape = (records.x.shape[1], len(records.labels), horizon)
    made = _assessed(name, "log", found, told_pace(a_day) if a_day else log_pace(records), shape)
    return replace(made, rows=(len(records), records.of), left_out=leaks)


def assess_folder(project: Project, name: str, *, a_day: float | None = None) -> Assessment:
    """Assess a project folder on simulated worlds; args and errors as `assess_log` and `measure_folder`."""
    found, problem = measure_folder(project), project.problem
    pace = told_pace(a_day) if a_day else folder_pace(project)
    assert isinstance(problem.action, Discrete)
    ahead = 1 / max(1 - problem.discount, 1e-3)
    shape = (len(problem.observation), problem.action.size, float(min(problem.horizon, ahead)))
    return _assessed(name, "folder", found, pace, shape)


def assess_answers(answers: Answers, name: str) -> Assessment:
    """Assess by answers alone: fail or inconclusive, never pass."""
    findings, advice = judge_answers(answers)
    return Assessment(name, "answers", advice, tuple(findings))


def ranked(assessments: Sequence[Assessment]) -> list[Assessment]:
    """By score, the best first; of equal scores the surer verdict, then the narrower interval of the value."""

    def doubt(each: Assessment) -> float:
        return each.yearly.high - each.yearly.low if each.yearly else math.inf

    return sorted(assessments, key=lambda each: (-each.score, each.advice.verdict, doubt(each), each.name))


def _assessed(name: str, source: str, found: Measured, pace: Pace, shape: tuple[int, int, float]) -> Assessment:
    advice, gain, gains = recommend(found.facts), found.gain, found.facts.gain
    trains = advice.recommendation in ("bandit", "offline_rl", "online_rl")
    compute = expected_compute(*shape, found.noise, found.signal) if trains and gain is not None else None
    planned = volume(gain.value if gains else 0.0, found.noise, pace.per_day) if gain is not None else None
    return Assessment(
        name,
        source,
        advice,
        found.findings,
        gain=gain,
        gains=gains,
        yearly=a_year(gain, pace.a_year) if gain is not None else None,
        pace=pace,
        caveats=found.caveats,
        compute=compute,
        volume=planned,
        retrain_days=found.retrain_days,
    )
