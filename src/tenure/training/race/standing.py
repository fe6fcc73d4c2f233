"""What a race leaves: standings of each round, a winner or none, and whether the share foretold the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tenure.core.evidence import Verdict
from tenure.training.race.scores import Score


@dataclass(frozen=True)
class Standing:
    """One contestant after a round.

    Args:
        name: of the contestant.
        steps: decisions asked for, per seed, in this round.
        taken: decisions each seed really took, mean; recipes end with whole updates.
        gains: of each seed over the incumbent on the selection data, as a share of its first KPI; above 0 is better.
        score: their interquartile mean, with its interval over seeds; None where it could not be trained.
        gain: the mean gain with its interval over seeds and days or worlds, an `Estimate` as plain fields.
        scores: the first KPI of each seed, in its unit.
        excess: how far the worst seed exceeds its most broken limit, as a share of it; 0 keeps them all.
        core_s: processor seconds of all its seeds, in the sitting that finished them.
        why: what kept it from being trained; empty otherwise.
    """

    name: str
    steps: int
    taken: float = 0.0
    gains: tuple[float, ...] = ()
    score: Score | None = None
    gain: Mapping[str, Any] = field(default_factory=dict)
    scores: tuple[float, ...] = ()
    excess: float = 0.0
    core_s: float = 0.0
    why: str = ""

    @property
    def beats_incumbent(self) -> bool:
        """Every limit kept, and better by more than seeds alone, and seeds and days together, explain."""
        return self.score is not None and self.score.low > 0 and self.gain["low"] > 0 and self.excess <= 0

    @property
    def may_beat_it(self) -> bool:
        """More seeds or decisions could still show that it beats the incumbent."""
        return self.score is not None and max(self.score.high, self.gain["high"]) > 0

    @property
    def merit(self) -> tuple[bool, float, float]:
        """What contestants are ranked by, the higher the better: trained at all, keeping limits, then the score."""
        return self.score is not None, -self.excess, -math.inf if self.score is None else self.score.value

    @property
    def score_per_core_s(self) -> float | None:
        """Share of the incumbent's KPI gained per processor second; None where nothing was spent or trained."""
        return None if self.score is None or not self.core_s else self.score.value / self.core_s


@dataclass(frozen=True)
class Rung:
    """One round: its standings, the best first."""

    steps: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True)
class Prediction:
    """Does who wins on the share win on the whole budget?

    Args:
        early, late: who won each.
        holds: the same one.
        rank: of the early winner on the whole budget; 1 is the best.
        of: contestants trained on the whole budget.
        regret: what choosing the early winner costs there, in the unit of the first KPI; 0 where it holds, None where
            the early winner could not be trained there.
    """

    early: str
    late: str
    holds: bool
    rank: int
    of: int
    regret: float | None


@dataclass(frozen=True)
class Race:
    """What came out.

    Args:
        incumbent, bound: first KPI of each on the selection data, in its unit; no bound is None.
        rungs: the rounds on the share.
        chosen: the winner; None where nobody beats the incumbent.
        reason: in a sentence.
        full: the round on the whole budget; None where nobody asked.
        prediction: None where nobody asked.
    """

    incumbent: float
    bound: float | None
    rungs: tuple[Rung, ...]
    chosen: str | None
    reason: str
    full: Rung | None = None
    prediction: Prediction | None = None

    @property
    def verdict(self) -> Verdict:
        """Pass with a winner; inconclusive where somebody of the last round may yet beat the incumbent; else fail."""
        if self.chosen is not None:
            return Verdict.PASS
        return Verdict.INCONCLUSIVE if any(one.may_beat_it for one in self.rungs[-1].standings) else Verdict.FAIL


def choice(rung: Rung) -> tuple[str | None, str]:
    """The winner of a round, if it beats the incumbent, and the sentence that says so.

    Args:
        rung: with at least one contestant that was trained.
    """
    best = rung.standings[0]
    assert best.score is not None
    told = f"{best.name} gains {best.score.value:+.1%} ({best.score.low:+.1%} to {best.score.high:+.1%})"
    told = f"{told} on the incumbent over {len(best.gains)} seeds"
    if best.beats_incumbent:
        return best.name, f"{told}{_beside(rung)}."
    if best.excess > 0:
        return None, f"Nobody beats the incumbent within the limits: {told}, and exceeds one by {best.excess:.1%}."
    return None, f"Nobody beats the incumbent for sure: {told}, {_span(best.gain)} over seeds and days or worlds."


def _beside(rung: Rung) -> str:
    """How it stands to the next one."""
    others = [one for one in rung.standings[1:] if one.score is not None and one.excess <= 0]
    if not others:
        return ""
    best, other = rung.standings[0].score, others[0]
    assert best is not None
    assert other.score is not None
    apart = best.low > other.score.high
    return f"; {other.name} is {'clearly behind' if apart else 'not clearly behind'} ({other.score.value:+.1%})"


def _span(gain: Mapping[str, Any]) -> str:
    return f"{gain['low']:+.1%} to {gain['high']:+.1%}"


def prediction_of(early: Rung, whole: Rung, size: float) -> Prediction:
    """What the share foretold, against what came.

    Args:
        early: the last round on the share.
        whole: the round on the whole budget, the early winner among it.
        size: of the incumbent's first KPI, in its unit, above 0.
    """
    first, late = early.standings[0].name, whole.standings[0]
    place = [one.name for one in whole.standings].index(first)
    kept = whole.standings[place].score
    assert late.score is not None
    regret = None if kept is None else (late.score.value - kept.value) * size
    return Prediction(first, late.name, place == 0, place + 1, len(whole.standings), regret)
