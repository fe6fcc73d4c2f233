"""Everything that a log can tell about a use case, as findings, facts and figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tenure.core.evidence import Estimate, Finding, Verdict
from tenure.design.assess.behaviour import Behaviour, behaviour_of
from tenure.design.assess.clock import with_clock
from tenure.design.assess.consequence import consequence, sequential
from tenure.design.assess.dependence import unit_mean
from tenure.design.assess.driven import Driven, driven
from tenure.design.assess.headroom import Headroom, headroom
from tenure.design.assess.labels import label_unknown
from tenure.design.assess.propensities import check_propensities
from tenure.design.assess.recommend import Facts
from tenure.design.assess.records import Records
from tenure.design.assess.thresholds import (
    FEWEST_EFFECTIVE,
    FEWEST_EPISODES,
    FEWEST_VARIATION,
    RULE_KEEPS,
    RULE_MAY_LOSE,
    SMALLEST_GAIN,
)
from tenure.design.assess.trend import ceiling, drift
from tenure.design.assess.worth import DISCOUNT, Later, later_worth


@dataclass(frozen=True)
class Measured:
    """What was found.

    Args:
        facts: for the table of recommendations.
        findings: each with its sentence.
        gain: what the best policy found gains per decision over the incumbent; None where it cannot be measured.
        noise: standard deviation that one decision adds to a mean reward, clustering included.
        signal: standard deviation of what the action moves, now and later; with `noise` it says how hard learning is.
        retrain_days: days after which a model is old; None where no ageing was seen.
        caveats: what the gain rests on and does not cover, a sentence each.
    """

    facts: Facts
    findings: tuple[Finding, ...]
    gain: Estimate | None
    noise: float
    signal: float
    retrain_days: float | None
    caveats: tuple[str, ...] = ()


ONE_STEP = (
    "the gain is of one step of improvement, in the situations that today's decisions lead to; where decisions have "
    "later effects, a policy that takes many steps gains another amount, which this interval need not hold"
)
TRY = "a simulator, or the small rule let drive and the log of it assessed again"
"""What settles whether a small rule is enough where decisions have later effects."""
ASSUMED = "ASSUMED: propensities are those of a model; right only if nothing but the logged columns steered the choice"


def measure(records: Records, discount: float = DISCOUNT, world: bool = False) -> Measured:
    """Measure a log.

    Args:
        records: the log.
        discount: weight of the next decision's value, in [0, 1).
        world: there is a simulator or a safe place to learn live.

    Raises:
        DataError: the logged propensities contradict the actions.
    """
    records = with_clock(records)
    behaviour = behaviour_of(records)
    variation = float(1 - (behaviour.chance**2).sum(axis=1).mean())
    ageing, days = drift(records)
    noise = noise_of(records)
    if variation < FEWEST_VARIATION:
        return _untold(records, variation, ageing, days, noise, world)
    check_propensities(records, behaviour)
    later = later_worth(records, discount) if records.ordered else _nothing_later(records)
    found = consequence(records, behaviour, later)
    at_once, looking_ahead = headroom(records, behaviour, later)
    order, ahead = sequential(found, looking_ahead.planning, looking_ahead.best)
    later_effects = order[1].verdict is Verdict.PASS
    room = looking_ahead if ahead else at_once
    label = label_unknown(records, behaviour)
    support, overlap = _overlap(records, behaviour, room)
    more, gain = _gain(room)
    small, rule = _rule(room, (lambda: driven(records, behaviour, discount)) if later_effects else None)
    facts = Facts(
        gain=gain if overlap else None,
        solved=False,
        rule=rule if overlap else None,
        sequential=ahead,
        label=label.verdict is Verdict.FAIL,
        world=world,
        overlap=overlap,
        episodes=records.units >= FEWEST_EPISODES,
        chosen=None if behaviour.assumed else True,
        helps=_helps(records, later_effects),
    )
    findings = (support, *order, more, ceiling(records, gain), small, label, ageing)
    caveats = (*([ONE_STEP] if later_effects else []), *([ASSUMED] if behaviour.assumed else []))
    return Measured(facts, findings, room.best, noise, _signal(found.share, room), days, caveats)


def _helps(records: Records, later_effects: bool) -> dict[str, str]:
    """What settles a fact of this log where more decisions in it do not."""
    part = (
        f"a trial of half the traffic: {len(records):,} of the log's {records.of:,} decisions were measured, and more "
        "rows would not be"
    )
    helps = dict.fromkeys(("gain", "rule", "sequential", "episodes"), part) if records.thinned else {}
    return helps | ({"rule": TRY} if later_effects else {})


def _nothing_later(records: Records) -> Later:
    return Later(np.zeros((2, len(records))), np.zeros(len(records)))


def _untold(
    records: Records, variation: float, ageing: Finding, days: float | None, noise: float, world: bool
) -> Measured:
    """A log in which the situation fixes the action: nothing can be compared."""
    why = (
        f"in the same situation the same action is taken ({100 * variation:.2g} % vary), so nothing can be compared; "
        "log a share of random decisions with their propensities"
    )
    facts = Facts(None, False, None, None, None, world, False, None)
    overlap = Finding("overlap", Verdict.INCONCLUSIVE, why)
    return Measured(facts, (overlap, ceiling(records, None), ageing), None, noise, math.nan, days)


def _overlap(records: Records, behaviour: Behaviour, room: Headroom) -> tuple[Finding, bool]:
    """Can the log value the best policy: effective decisions, and the smallest propensity of each action."""
    n, actions = len(records), len(records.labels)
    smallest = [behaviour.taken[records.action == action] for action in range(actions)]
    rare = {label: float(p.min()) for label, p in zip(records.labels, smallest, strict=True) if len(p)}
    label = min(rare, key=lambda name: rare[name])
    assumed = "; propensities are ASSUMED: right only if nothing else steered the choice" if behaviour.assumed else ""
    words = f"{room.effective:,.0f} effective of {n:,} decisions; smallest propensity {rare[label]:.2g} ({label})"
    enough = room.effective >= FEWEST_EFFECTIVE
    advice = "" if enough else f"; {FEWEST_EFFECTIVE:.0f} effective needed: log more random decisions"
    verdict = Verdict.PASS if enough and not behaviour.assumed else Verdict.INCONCLUSIVE
    return Finding("overlap", verdict, words + assumed + advice), enough


def _gain(room: Headroom) -> tuple[Finding, bool | None]:
    best, least = room.best, SMALLEST_GAIN * room.spread
    words = f"better decisions gain {best.value:.3g} a decision ({best.low:.3g} to {best.high:.3g})"
    if best.low > 0 and best.value >= least:
        return Finding("headroom", Verdict.PASS, words, best), True
    if best.high < least:
        return Finding("headroom", Verdict.FAIL, f"{words}, less than {least:.2g}: nothing to learn", best), False
    return Finding("headroom", Verdict.INCONCLUSIVE, f"{words}: not told from nothing", best), None


def _rule(room: Headroom, drive: Callable[[], Driven] | None) -> tuple[Finding, bool | None]:
    """Whether a rule of two questions is enough.

    Args:
        room: what was found.
        drive: where decisions have later effects, lets the rule drive: one step's gain alone cannot say so there.
    """
    kept = room.rule.value / room.best.value if room.best.value > 0 else 0.0
    of = "the headroom" if drive is None else "one step's gain"
    words = f"the rule `{room.rule_words}` keeps {100 * kept:.0f} % of {of}"
    if drive is not None and kept >= RULE_KEEPS:
        return _driven(words, drive(), room.best.value)
    if kept >= RULE_KEEPS and room.short.high <= RULE_MAY_LOSE * room.best.value:
        return Finding("small_rule", Verdict.FAIL, words, room.short), True
    if kept < RULE_KEEPS and room.short.low > 0:
        return Finding("small_rule", Verdict.PASS, f"{words} only", room.short), False
    return Finding("small_rule", Verdict.INCONCLUSIVE, f"{words}, within what cannot be told apart", room.short), None


def _driven(words: str, found: Driven, gain: float) -> tuple[Finding, bool | None]:
    """A rule that keeps one step's gain is enough only if, once it drives, next to nothing is left to gain."""
    left = found.left
    told = f"{words}; once `{found.words}` drives, one more step gains {left.value:.2g} ({left.low:.2g} to "
    told += f"{left.high:.2g}) a decision over it"
    if left.value <= (1 - RULE_KEEPS) * gain and left.high <= RULE_MAY_LOSE * gain:
        return Finding("small_rule", Verdict.FAIL, told, left), True
    why = "what it keeps of the gain of many steps is not known"
    return Finding("small_rule", Verdict.INCONCLUSIVE, f"{told}: {why}", left), None


def noise_of(records: Records) -> float:
    """Standard deviation that one decision adds to a mean reward, clustering of units included."""
    _, error, _ = unit_mean(records.reward, records.unit)
    return error * math.sqrt(len(records))


def _signal(share: float, room: Headroom) -> float:
    return max(room.best.value, 0.0) * (1 + share)
