"""What a report says: plain frozen dataclasses that a caller fills from its own records."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from tenure.core.evidence import Estimate, Finding


@dataclass(frozen=True)
class Fact:
    """One tile under the first sentence: what it is, its value, and the doubt or detail beside it."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Curve:
    """How one seed learned: its score after each number of steps, on the selection data."""

    seed: int
    steps: tuple[int, ...]
    score: tuple[float, ...]


@dataclass(frozen=True)
class Training:
    """How the candidate was trained.

    Args:
        kpi: what the score is.
        unit: its unit.
        curves: one per seed.
        incumbent: the incumbent's score on the same data.
        bound: the best any policy could score, or None when no bound is known.
        steps_per_s: environment steps per second.
    """

    kpi: str
    unit: str
    curves: tuple[Curve, ...]
    incumbent: float
    bound: float | None
    steps_per_s: float


@dataclass(frozen=True)
class Kpi:
    """One KPI under both policies.

    Args:
        name: the KPI.
        unit: its unit.
        incumbent: its value under the incumbent.
        candidate: its value under the candidate.
        low: lower end of the interval of candidate minus incumbent, in the KPI's unit.
        high: upper end.
        relative: the change as a share of the incumbent's size; NaN where that is 0.
        worse: the evidence calls the candidate worse.
        better: which direction is good.
    """

    name: str
    unit: str
    incumbent: float
    candidate: float
    low: float
    high: float
    relative: float
    worse: bool
    better: Literal["lower", "higher"]

    @property
    def word(self) -> str:
        """What the evidence says, in a word: worse, better, or unclear when the interval holds no change.

        >>> Kpi("cost", "$", 2.0, 1.8, -0.3, 0.1, -0.1, False, "lower").word
        'unclear'
        """
        if self.worse:
            return "worse"
        surely_better = self.high < 0 if self.better == "lower" else self.low > 0
        return "better" if surely_better else "unclear"

    @property
    def span(self) -> tuple[float, float] | None:
        """The interval as shares of the incumbent's size; None where that is 0 or a figure is unknown."""
        if not self.incumbent or not all(map(math.isfinite, (self.incumbent, self.low, self.high, self.relative))):
            return None
        return self.low / abs(self.incumbent), self.high / abs(self.incumbent)


@dataclass(frozen=True)
class Tail:
    """A figure of the worst cases under both policies, as points without an interval."""

    name: str
    incumbent: float
    candidate: float

    @property
    def word(self) -> str:
        """How the two points compare; without an interval it claims no more than that."""
        if self.candidate == self.incumbent:
            return "the same"
        return "lower" if self.candidate < self.incumbent else "higher"


@dataclass(frozen=True)
class HeldOut:
    """What data that nobody trained or selected on says.

    Args:
        period: which data, in words.
        cluster: the independent unit of the intervals.
        gain: the candidate's gain as a share of the incumbent's cost or value; positive is better.
        headroom: share of the way from incumbent to bound, or None without a bound.
        rules: the candidate's gain against other rules, in the same terms.
        kpis: every KPI under both policies.
        tails: the worst cases under both policies.
        reads: how often this data has been read.
    """

    period: str
    cluster: str
    gain: Estimate
    headroom: float | None
    rules: tuple[tuple[str, Estimate], ...]
    kpis: tuple[Kpi, ...]
    tails: tuple[Tail, ...]
    reads: int


@dataclass(frozen=True)
class Day:
    """One day of the rollout.

    Args:
        day: the day, UTC.
        stage: the rollout's stage.
        share: of the traffic that the candidate answered, in [0, 1].
        control: mean cost per unit of the units the incumbent kept, or None without any.
        candidate: mean cost per unit of the candidate's units, or None without any.
        candidate_units: how many units the candidate had.
        learned_decisions: decisions it answered.
    """

    day: date
    stage: str
    share: float
    control: float | None
    candidate: float | None
    candidate_units: int
    learned_decisions: int


@dataclass(frozen=True)
class MoveRow:
    """Who moved what, when and why; parts of a reason are separated by "; "."""

    at: datetime
    what: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Rollout:
    """The road to live: its days, its moves, and how the traffic was split.

    Args:
        days: in order.
        moves: in order.
        carry_over: a sentence on what one unit's treatment does to another's outcome.
        salt: fixes which unit belongs to whom.
    """

    days: tuple[Day, ...]
    moves: tuple[MoveRow, ...]
    carry_over: str
    salt: str


@dataclass(frozen=True)
class Kill:
    """The kill as the log tells it.

    Args:
        at: when it was committed.
        actor: who killed.
        reason: why.
        sequence: its place in the log.
        epoch: the kill epoch it began.
        learned_before: learned decisions recorded before it.
        learned_after: learned decisions recorded after it; the promise is 0.
        decisions_after: decisions answered after it, by anybody.
        retry: a sentence: what became of a retry of a decision from before the kill.
    """

    at: datetime
    actor: str
    reason: str
    sequence: int
    epoch: int
    learned_before: int
    learned_after: int
    decisions_after: int
    retry: str


@dataclass(frozen=True)
class Refused:
    """What a gate refused, and its findings."""

    what: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Report:
    """The whole page.

    Args:
        title: the page's title.
        subtitle: one line under it.
        generated_at: when, UTC.
        command: what made it.
        sentence: the first sentence for people.
        facts: a handful of tiles under it.
        training: how the candidate was trained.
        held_out: what held-out data says.
        rollout: the road to live.
        kill: the stop, proven.
        refused: a gate that said no.
        notes: limits, and what this does not prove.
        next_command: what to run next.
    """

    title: str
    subtitle: str
    generated_at: datetime
    command: str
    sentence: str
    facts: tuple[Fact, ...]
    training: Training
    held_out: HeldOut
    rollout: Rollout
    kill: Kill
    refused: Refused
    notes: tuple[str, ...]
    next_command: str
