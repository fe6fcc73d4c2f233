"""When to retrain: pure functions over facts of the log; the first that fires gives the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Facts:
    """What the log says.

    Args:
        now: the present moment, UTC.
        trained_at: when the last retraining began, else when the newest version was registered; None for never.
        new_decisions: recorded since then.
        alarms: what the monitors have raised since then, oldest first, as `drift`, `kpi` or `cohort` and in words.
    """

    now: datetime
    trained_at: datetime | None
    new_decisions: int
    alarms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Rule:
    """What fires; `[retrain]` of tenure.toml.

    Args:
        every: the longest a version may age; None for no schedule.
        on_drift: alarms of the monitors (drift, KPI decay, a new cohort) fire.
        min_new_decisions: with fewer new ones nothing fires, since there is nothing to learn from.
        volume: so many new ones fire; None for no such trigger.
        cool_down: the least time between two retrainings, whatever fires.
    """

    every: timedelta | None = timedelta(days=7)
    on_drift: bool = True
    min_new_decisions: int = 5_000
    volume: int | None = None
    cool_down: timedelta = timedelta(days=1)


@dataclass(frozen=True)
class Trigger:
    """Whether to retrain.

    Args:
        kind: `cohort`, `kpi`, `drift`, `volume`, `schedule`, or `hand`; None where nothing fires or something holds it.
        reason: one sentence, for the record.
    """

    kind: str | None
    reason: str


BY_HAND = Trigger("hand", "asked for by hand")


def trigger(facts: Facts, rule: Rule) -> Trigger:
    """Whether to retrain now, and why; asking twice changes nothing."""
    fired = next(_fired(facts, rule), None)
    if fired is None:
        return Trigger(None, "nothing calls for a retraining")
    age = None if facts.trained_at is None else facts.now - facts.trained_at
    if age is not None and age < rule.cool_down:
        return Trigger(None, f"{fired.reason}; held: the last training is {age} old, cool-down is {rule.cool_down}")
    if facts.new_decisions < rule.min_new_decisions:
        held = f"held: {facts.new_decisions:,} new decisions of {rule.min_new_decisions:,}"
        return Trigger(None, f"{fired.reason}; {held}")
    return fired


def _fired(facts: Facts, rule: Rule) -> Iterator[Trigger]:
    """What fires, the most telling first."""
    if rule.on_drift:
        for kind in ("cohort", "kpi", "drift"):
            told = [words for raised, words in facts.alarms if raised == kind]
            if told:
                yield Trigger(kind, f"{len(told)} alarm(s), the first: {told[0]}")
    if rule.volume is not None and facts.new_decisions >= rule.volume:
        yield Trigger("volume", f"{facts.new_decisions:,} new decisions, {rule.volume:,} call for a retraining")
    if rule.every is not None and (facts.trained_at is None or facts.now - facts.trained_at >= rule.every):
        age = "nothing was ever trained" if facts.trained_at is None else f"trained {facts.now - facts.trained_at} ago"
        yield Trigger("schedule", f"{age}, due every {rule.every}")
