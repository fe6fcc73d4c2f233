"""`reward diff`: what a change of the reward does to the ranking of known behaviours and of logged decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tenure.core.arrays import Floats
from tenure.core.clock import Clock
from tenure.core.errors import ProblemError
from tenure.core.evidence import Finding, Verdict, worst
from tenure.core.project import Project, line_of
from tenure.core.reward import Reward
from tenure.core.simulator import Simulator, Step
from tenure.design.reward.check import RewardCheck, judge_order, known_conducts, margins_of
from tenure.design.reward.conduct import SEED, Conduct
from tenure.design.reward.exploit import Exploit, distinct, judge_conduct
from tenure.design.reward.history import changed_terms, weights_of
from tenure.design.reward.ranking import Pair, flips, groups, kendall_tau, ranked
from tenure.design.reward.scenarios import load_scenarios
from tenure.design.reward.scored import SignalLog
from tenure.simulators.throughput import steps_per_second

PAIRS = 200_000
"""Pairs of logged decisions that are compared; drawn where there are more."""
LISTED = 12
"""Actions that people are shown, the best first; all stand in the JSON."""
SPEED = (1024, 20)
"""Worlds and steps of the measure of speed."""


@dataclass(frozen=True)
class RankingChange:
    """Known behaviours of one kind under both rewards, the best first.

    Args:
        kind: `simulated` or `hand-written`; the two are never compared with each other.
        before: names in order.
        after: names in order.
        tau: agreement of the two, from -1 to 1.
        flips: pairs, the better first before, that surely no longer come out so.
    """

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    tau: float
    flips: tuple[Pair, ...]


@dataclass(frozen=True)
class ActionChange:
    """What one logged action brought on average, under both rewards; what was logged, not what it would cause."""

    action: str
    decisions: int
    before: float
    after: float


@dataclass(frozen=True)
class LoggedChange:
    """Logged decisions under both rewards.

    Args:
        decisions: scored.
        left_out: without all signals that are needed.
        flipped: share of the pairs of decisions that come out the other way round.
        pairs: looked at.
        actions: by action, the best first under the new reward.
    """

    decisions: int
    left_out: int
    flipped: float
    pairs: int
    actions: tuple[ActionChange, ...]


@dataclass(frozen=True)
class Speed:
    """Steps of the simulator a second, without and with working out the reward."""

    bare: float
    paid: float


@dataclass(frozen=True)
class RewardDiff:
    """What a change of the reward does.

    Args:
        versions: of the reward, before and after.
        terms: what changed, in words.
        rankings: known behaviours under both.
        logged: logged decisions under both; None without a log.
        speed: of the simulator under the new reward; None without a simulator.
        findings: of the new reward on what is known already: each order, and exploits among the known behaviours.
        exploits: known behaviours that the new reward pays for harm; nothing was searched for.
    """

    versions: tuple[str, str]
    terms: tuple[str, ...]
    rankings: tuple[RankingChange, ...]
    logged: LoggedChange | None
    speed: Speed | None
    findings: tuple[Finding, ...] = ()
    exploits: tuple[Exploit, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings; nothing known is inconclusive."""
        return worst(finding.verdict for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "verdict": self.verdict.word,
            "findings": [finding.as_dict() for finding in self.findings],
            "exploits": [exploit.as_dict() for exploit in self.exploits],
            "versions": self.versions,
            "terms": self.terms,
            "rankings": [asdict(ranking) for ranking in self.rankings],
            "logged": None if self.logged is None else asdict(self.logged),
            "speed": None if self.speed is None else asdict(self.speed),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"Reward {self.versions[0]} becomes {self.versions[1]}: {'; '.join(self.terms)}."
        for ranking in self.rankings:
            yield f"\nBehaviours, {ranking.kind} (agreement {ranking.tau:.2f} by Kendall's tau):"
            yield f"  before  {' > '.join(ranking.before)}"
            yield f"  after   {' > '.join(ranking.after)}"
            yield from (f"  {better!r} is no longer above {worse!r}" for better, worse in ranking.flips)
        yield f"\nThe new reward on what is known: {self.verdict.word}."
        yield from (f"  {found.gate}, {found.verdict.word}: {found.reason}" for found in self.findings)
        if self.logged is not None:
            yield from _logged_lines(self.logged)
        if self.speed is not None:
            share = self.speed.paid / self.speed.bare
            yield f"\nSpeed: {self.speed.bare:,.0f} steps/s bare, {self.speed.paid:,.0f} with the reward ({share:.0%})."


def reward_diff(before: Project, after: Project, log: SignalLog | None, clock: Clock) -> RewardDiff:
    """Both rewards over the same behaviours and decisions; nothing is trained.

    Args:
        before: the project as it is; its scenarios and simulator are used.
        after: the project whose reward is wanted.
        log: logged decisions to score again, opened for `needed_signals`.
        clock: measures the speed.

    Raises:
        ProblemError: the new reward reads a signal that the project does not measure.
    """
    one, two = before.problem.reward, after.problem.reward
    _check_measured(before, after)
    conducts = known_conducts(before, RewardCheck((), (), ()))
    return RewardDiff(
        (before.problem.reward_version, after.problem.reward_version),
        changed_terms(weights_of(before.problem), weights_of(after.problem)) if one != two else ("nothing changed",),
        tuple(ranking_change(one, two, group) for group in groups(conducts)),
        None if log is None else logged_change(one, two, log),
        _speed(before, two, clock) if (before.folder / "simulator.py").exists() else None,
        *judged(before, two, conducts),
    )


def judged(
    before: Project, reward: Reward, conducts: Sequence[Conduct]
) -> tuple[tuple[Finding, ...], tuple[Exploit, ...]]:
    """What the known behaviours say of another reward: findings, and those of them that it pays for harm.

    Args:
        before: whose orders, KPIs and limits hold.
        reward: the other one.
        conducts: the known behaviours as they went.
    """
    by_name = {each.name: each for each in conducts}
    orders = [order for order in load_scenarios(before).orders if set(order.names) <= by_name.keys()]
    findings = [judge_order(order, margins_of(reward, by_name, order)) for order in orders]
    simulated = [each for each in conducts if not each.written]
    if "incumbent" not in by_name:
        return tuple(findings), ()
    problem, reference = replace(before.problem, reward=reward), by_name["incumbent"]
    every = [judge_conduct(problem, each, reference, simulated) for each in simulated if each is not reference]
    exploits = distinct([exploit for exploit in every if exploit is not None])
    return (*findings, _known_exploits(exploits, len(every))), exploits


def _known_exploits(exploits: Sequence[Exploit], count: int) -> Finding:
    if not exploits:
        told = f"none of {count} known behaviours is paid for harm; `tenure reward audit` searches for others"
        return Finding("known_exploits", Verdict.PASS if count else Verdict.INCONCLUSIVE, told)
    top = exploits[0]
    told = f"{top.conduct.name!r} is paid {top.gain.value:+.4g} per world over the incumbent, {top.harm.words}"
    return Finding("known_exploits", Verdict.FAIL, f"{told}; {top.advice}", top.gain)


def needed_signals(before: Project, after: Project) -> frozenset[str]:
    """What must be known of a decision to score it under both rewards."""
    return frozenset(term.signal for each in (before, after) for term in each.problem.reward.terms)


def ranking_change(before: Reward, after: Reward, conducts: Sequence[Conduct]) -> RankingChange:
    """Behaviours that can be compared with each other, under both rewards."""
    then, now = ranked(before, conducts), ranked(after, conducts)
    kind = "hand-written" if conducts[0].written else "simulated"
    return RankingChange(kind, then, now, kendall_tau(then, now), flips(before, after, conducts))


def logged_change(before: Reward, after: Reward, log: SignalLog) -> LoggedChange:
    """Logged decisions under both rewards."""
    then, now = before(log.signals), after(log.signals)
    flipped, pairs = flipped_share(then, now)
    actions = [
        ActionChange(label, int(rows.sum()), float(then[rows].mean()), float(now[rows].mean()))
        for label in sorted(set(log.action))
        for rows in [log.action == label]
    ]
    return LoggedChange(
        len(log), log.left_out, flipped, pairs, tuple(sorted(actions, key=lambda action: -action.after))
    )


def flipped_share(before: Floats, after: Floats) -> tuple[float, int]:
    """Share of pairs of decisions whose order turns round, and how many pairs were looked at.

    Every pair where there are few enough, else `PAIRS` drawn ones; a pair that ties on either side is no flip.

    Args:
        before: each decision's reward; [n].
        after: the same under the other reward; [n].
    """
    n = len(before)
    if n < 2:
        return float("nan"), 0
    if n * (n - 1) // 2 <= PAIRS:
        one, two = np.triu_indices(n, k=1)
    else:
        one, two = np.random.default_rng(SEED).integers(n, size=(2, PAIRS))
    turned = (before[one] - before[two]) * (after[one] - after[two]) < 0
    return float(turned.mean()), len(turned)


class _Paid:
    """A simulator that works out a reward at every step, to see what that costs."""

    def __init__(self, simulator: Simulator, reward: Reward) -> None:
        self._simulator, self._reward = simulator, reward

    def __getattr__(self, name: str) -> Any:
        return getattr(self._simulator, name)

    def step(self, state: Any, action: Any, rng: np.random.Generator) -> Step:
        """The simulator's step, its reward worked out and thrown away."""
        step = self._simulator.step(state, action, rng)
        self._reward(step.signals)
        return step


def _speed(project: Project, reward: Reward, clock: Clock) -> Speed:
    bare: Simulator = project.simulator
    paid: Any = _Paid(bare, reward)
    steps_per_second(project.problem, bare, *SPEED, clock)  # the first steps pay for what is loaded on first use
    return Speed(*(steps_per_second(project.problem, each, *SPEED, clock) for each in (bare, paid)))


def _check_measured(before: Project, after: Project) -> None:
    unknown = sorted(needed_signals(before, after) - before.problem.signal_names)
    if unknown:
        raise ProblemError(
            expected=f"a reward over the signals {sorted(before.problem.signal_names)}",
            found=repr(unknown[0]),
            where=line_of(after.folder / "problem.py", f'"{unknown[0]}"'),
            fix="a diff scores the behaviours of the first project; measure the signal there too",
        )


def _logged_lines(logged: LoggedChange) -> Iterator[str]:
    yield f"\nLogged decisions: {logged.decisions:,} scored, {logged.left_out:,} without all signals left out."
    yield f"{logged.flipped:.1%} of {logged.pairs:,} pairs come out the other way round. Mean reward as logged:"
    for action in logged.actions[:LISTED]:
        means = f"{action.before:.4g} before, {action.after:.4g} after"
        yield f"  {action.action}: {means} ({action.decisions:,} decisions)"
