"""The page about a reward in four lines, and the words it shares with what the terminal says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tenure.core.clock import from_text
from tenure.core.evidence import Verdict
from tenure.core.project import Project
from tenure.design.reward.record import argument_of


def summary(project: Project, audit: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a risk officer must know who reads four lines."""
    broken = [each for each in audit["findings"] if each["verdict"] != "pass"]
    counts = Counter((each["gate"], each["verdict"]) for each in broken)
    gates = ", ".join(f"{gate} ({f'{n} times ' if n > 1 else ''}{word})" for (gate, word), n in counts.items())
    checks = f"{len(audit['findings'])} checks, {len(broken)} of them not passed"
    return (
        ("Verdict", f"{audit['verdict']}, of the audit made {minute(audit['at'])}: {checks}."),
        ("Searched", f"{searched_words(audit)}."),
        ("Found", f"{_found(audit)}{f' Not passed: {gates}.' if broken else ''}"),
        ("To do", _to_do(project, audit, broken)),
    )


def searched_words(audit: Mapping[str, Any]) -> str:
    """How many behaviours of each kind were tried."""
    counts = audit.get("searched", {})
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{sum(counts.values())} behaviours: {kinds}" if counts else "nothing"


def _found(audit: Mapping[str, Any]) -> str:
    told = [f"{each['harm']['name']} harmed, mend the term over {each['term']}" for each in audit["exploits"]]
    many = "ways" if len(told) > 1 else "way"
    return f"{len(told)} {many} to be paid for harm: {'; '.join(told)}." if told else "No way to be paid for harm."


def _to_do(project: Project, audit: Mapping[str, Any], broken: Sequence[Mapping[str, Any]]) -> str:
    name = argument_of(project)
    again = f"then run tenure reward check {name} and tenure reward audit {name} again"
    if audit["exploits"]:
        first = audit["exploits"][0]
        return f"Mend the term over {first['term']}: {first['advice']}; {again}."
    if broken:
        gravest = max(broken, key=lambda each: Verdict[each["verdict"].upper()])
        return f"Settle {gravest['gate']}: {gravest['reason']}; {again}."
    return "Nothing is left to mend. Read the limits and the KPIs below before you agree: nothing else was looked for."


def alike_words(exploit: Mapping[str, Any]) -> str:
    """How many of the behaviours that were tried do the same."""
    kinds = exploit.get("alike") or {exploit["found_by"]: 1}
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    many = sum(kinds.values())
    return f"{many} behaviour{'s do' if many > 1 else ' does'} the same harm by the same term: {told}."


def minute(at: str) -> str:
    """A moment of a record as people read it.

    >>> minute("2026-05-01T12:30:59.123456+00:00")
    '2026-05-01 12:30 UTC'
    """
    return f"{from_text(at):%Y-%m-%d %H:%M} UTC"
