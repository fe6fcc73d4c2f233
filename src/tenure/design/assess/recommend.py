"""From facts to one of five methods: one table, read from the simplest method to the most demanding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenure.core.evidence import Verdict

Recommendation = Literal["rule_or_solver", "supervised", "bandit", "offline_rl", "online_rl"]


@dataclass(frozen=True)
class Facts:
    """What is known of a use case; None where the data cannot tell.

    Args:
        gain: better decisions could gain something over the incumbent's.
        solved: an exact solver, or a rule at hand, reaches the bound.
        rule: one action, or a rule of two questions, keeps nearly all there is to gain.
        sequential: the action changes what comes next, and it pays to look ahead.
        label: what every other action had brought is known afterwards.
        world: there is a simulator, or a safe place to learn live.
        overlap: the log holds what other policies would do.
        episodes: the log holds enough units to learn a sequential policy from.
        chosen: the log says with what probability it chose, so nothing unseen can have steered the choice.
        helps: what would settle an open fact here, where it is not what `HELPS` says.
    """

    gain: bool | None
    solved: bool | None
    rule: bool | None
    sequential: bool | None
    label: bool | None
    world: bool | None
    overlap: bool | None
    episodes: bool | None
    chosen: bool | None = True
    helps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One line of the table: what must be so, what is then recommended, and why."""

    needs: Mapping[str, bool]
    recommendation: Recommendation
    because: str


TABLE = (
    Row({"gain": False}, "rule_or_solver", "nothing is to be gained over today's rule: keep it"),
    Row({"solved": True}, "rule_or_solver", "a solver or a rule at hand reaches the bound"),
    Row({"rule": True, "chosen": True}, "rule_or_solver", "a rule of two questions keeps nearly all there is to gain"),
    Row({"sequential": False, "label": True}, "supervised", "the right answer is known afterwards, whatever was done"),
    Row(
        {"sequential": False, "chosen": True}, "bandit", "the action matters now and changes nothing later that matters"
    ),
    Row(
        {"sequential": True, "world": True, "chosen": True},
        "online_rl",
        "looking ahead pays, and there is a place to learn",
    ),
    Row(
        {"overlap": True, "episodes": True, "chosen": True},
        "offline_rl",
        "looking ahead pays, and the log holds what else can be done",
    ),
)
LEARNS = frozenset({"bandit", "offline_rl", "online_rl"})
"""Methods for which the verdict is `pass`."""

HELPS: Mapping[str, str] = {
    "gain": "more decisions, so that the interval of the headroom is narrower",
    "solved": "a bound.py, or a solver's answer on a few worlds",
    "rule": "more decisions, so that the small rule and the best policy can be told apart",
    "sequential": "more decisions of the same units in order, with some chance in each",
    "label": "a column with what was known afterwards (--after)",
    "world": "a simulator, or a place where mistakes are cheap",
    "overlap": "a share of random decisions in the log, with their propensities",
    "episodes": "more units",
    "chosen": "the propensity of every decision, or a share of random decisions; till then it holds only if nothing "
    "but the logged columns steered the choice",
}
"""What would settle each fact."""


@dataclass(frozen=True)
class Advice:
    """What is recommended: `recommendation` is, while inconclusive, the simplest method that is not excluded."""

    verdict: Verdict
    recommendation: Recommendation
    reason: str


def recommend(facts: Facts) -> Advice:
    """Read the table from the top: the first row whose needs are met decides; an open one on the way leaves it open."""
    for row in TABLE:
        known = {name: getattr(facts, name) for name in row.needs}
        if any(known[name] is (not wanted) for name, wanted in row.needs.items()):
            continue
        unknown = [name for name, value in known.items() if value is None]
        if unknown:
            return Advice(
                Verdict.INCONCLUSIVE, row.recommendation, f"not settled; it would help: {_help(unknown, facts)}"
            )
        verdict = Verdict.PASS if row.recommendation in LEARNS else Verdict.FAIL
        return Advice(verdict, row.recommendation, row.because)
    lacking = [name for name in ("overlap", "episodes") if not getattr(facts, name)]
    why = f"looking ahead pays, but there is neither a place to learn nor a log to learn from; {_help(lacking, facts)}"
    return Advice(Verdict.INCONCLUSIVE, "offline_rl", why)


def _help(names: list[str], facts: Facts) -> str:
    """What would settle them, each thing once."""
    return "; ".join(dict.fromkeys(facts.helps.get(name, HELPS[name]) for name in names))
