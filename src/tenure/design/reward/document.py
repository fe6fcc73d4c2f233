"""The reward on one page for the risk officer: what is paid, why, who holds the limits, and what was tried against it.

Built from problem.py and the newest audit, and only while the two belong together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.core.problem import Problem
from tenure.core.project import Project
from tenure.design.reward.history import Seen, read_history
from tenure.design.reward.record import FOLDER, argument_of, changed_sources, read_result
from tenure.design.reward.summary import alike_words, minute, searched_words, summary

CHECKED = frozenset({"order", "units", "reasons", "scale", "kpi_unpaid"})
"""Gates of the check; the others are the audit's own."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One part of the page: sentences, then tables."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class RewardDocument:
    """The page, before anybody has chosen how to write it.

    Args:
        title: names the problem.
        about: what is decided.
        verdict: the audit's.
        reward_version: hash of the reward.
        audited_at: when the audit was made, UTC, as text.
        summary: four lines, each a word and a sentence: verdict, searched, found, to do.
        sections: in order.
    """

    title: str
    about: str
    verdict: Verdict
    reward_version: str
    audited_at: str
    summary: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def reward_document(project: Project, folder: Path) -> RewardDocument:
    """The page about a project's reward as it is now.

    Args:
        project: whose reward.
        folder: the problem's runtime files, with the newest audit.

    Raises:
        ProjectError: there is no audit, or something it rests on has changed since.
    """
    audit = current_audit(project, folder)
    problem = project.problem
    return RewardDocument(
        title=f"{problem.name}: what is rewarded, and why",
        about=problem.about,
        verdict=Verdict[audit["verdict"].upper()],
        reward_version=problem.reward_version,
        audited_at=minute(audit["at"]),
        summary=summary(project, audit),
        sections=(
            _rewarded(problem),
            _limits(problem),
            _kpis(problem),
            _scenarios(audit),
            _static(audit),
            *_exploits(audit),
            _history(read_history(folder / FOLDER / "history.jsonl"), audit),
        ),
    )


def current_audit(project: Project, folder: Path) -> Mapping[str, Any]:
    """The newest audit, while it still holds.

    Raises:
        ProjectError: there is none, or a source has changed since.
    """
    audit = read_result(folder, "audit")
    changed = [] if audit is None else changed_sources(project, audit)
    if audit is None or changed:
        raise ProjectError(
            expected="an audit of the reward as it is now",
            found=f"{' and '.join(changed)} changed since the audit of {audit['at']}" if audit else "no audit",
            where=str(folder / FOLDER / "audit.json"),
            fix=f"run `tenure reward audit {argument_of(project)}`, then ask for the document again",
        )
    return audit


def _rewarded(problem: Problem) -> Section:
    signals = {signal.name: signal for signal in problem.signals}
    rows = [
        (
            term.signal,
            signals[term.signal].about or "not described",
            f"{term.weight:+g} {term.unit}",
            f"{signals[term.signal].low:g} to {signals[term.signal].high:g} {signals[term.signal].unit}",
            "by its bounds" if term.scale is None else f"{term.scale:g} {signals[term.signal].unit}",
            term.because,
        )
        for term in problem.reward.terms
    ]
    columns = ("Signal", "What it measures", "Weight", "Bounds per decision", "Usual size", "Why")
    shaping = (
        "None."
        if problem.shaping is None
        else f"Potential-based, it cannot change what is best: {problem.shaping.because}"
    )
    tables = [_table("Every term of the reward", columns, rows)]
    if problem.reward.tradeoffs:
        pairs = [(f"{pair.one} against {pair.other}", pair.because) for pair in problem.reward.tradeoffs]
        tables.append(_table("Trade-offs made on purpose", ("Terms", "Why the weights are right"), pairs))
    return Section("What is rewarded", (f"Help for the learner (shaping): {shaping}",), tuple(tables))


def _limits(problem: Problem) -> Section:
    units = {signal.name: signal.unit for signal in problem.signals}
    limits = [
        (
            limit.name,
            f"at most {limit.most:g} {units[limit.signal]} per decision ({limit.signal})",
            limit.held_by or "nobody",
            limit.because,
        )
        for limit in problem.limits
    ]
    hard = [
        (each.name, "the action is not allowed", "mask at decision time", each.because) for each in problem.constraints
    ]
    if not limits and not hard:
        return Section("Limits", ("No limit and no constraint is stated.",))
    columns = ("Name", "What holds", "Held by", "Why")
    return Section("Limits", (), (_table("Limits and constraints", columns, [*hard, *limits]),))


def _kpis(problem: Problem) -> Section:
    paid = {term.signal for term in problem.reward.terms}
    rows = [
        (
            kpi.name,
            f"{kpi.unit}, {kpi.better} is better",
            "none stated" if kpi.worst is None else f"{kpi.worst:g}",
            ", ".join(sorted(kpi.reads - paid)) or "nothing",
        )
        for kpi in problem.kpis
    ]
    columns = ("KPI", "Unit", "Worst acceptable", "What it reads that nobody is paid for")
    told = (
        "The reward pays for signals, not for these figures; what a figure shares with it cannot show that it is wrong."
    )
    return Section("What it is judged by", (told,), (_table("Business figures beside the reward", columns, rows),))


def _scenarios(audit: Mapping[str, Any]) -> Section:
    rows = [
        (
            f"{each['better']} above {each['worse']}",
            each["verdict"],
            f"{each['difference']['value']:.4g} ({each['difference']['low']:.4g} to {each['difference']['high']:.4g})",
            "; ".join(f"{name} {one:.4g} and {two:.4g}" for name, (one, two) in each["by_term"].items()),
            each["because"],
        )
        for each in audit.get("scenarios", ())
    ]
    columns = ("What must be", "Verdict", "Difference in return", "Of both, by term", "Why")
    told = "Mock behaviours whose order nobody disputes; the reward must put them in that order."
    return Section("Scenarios", (told,), (_table("Scenarios with results", columns, rows),))


def _static(audit: Mapping[str, Any]) -> Section:
    columns, findings = ("Check", "Verdict", "Why"), audit["findings"]
    rows = [(each["gate"], each["verdict"], each["reason"]) for each in findings if each["gate"] not in CHECKED]
    stated = [
        (each["gate"], each["verdict"], each["reason"]) for each in findings if each["gate"] in CHECKED - {"order"}
    ]
    tables = [_table("What the terms state", columns, stated), _table("Audit", columns, rows)]
    ablation = [
        (
            each["signal"],
            "; ".join(f"{one} no longer above {two}" for one, two in each["flips"][:4]) or "nothing",
            each["best"],
        )
        for each in audit.get("ablation", ())
    ]
    tables.append(_table("Each term left out in turn", ("Without", "What changes", "Best then"), ablation))
    weighing = [(each["signal"], *each["winners"].values()) for each in audit.get("weighing", ())]
    if weighing:
        factors = tuple(f"weight x{factor}" for factor in audit["weighing"][0]["winners"])
        tables.append(_table("Which known behaviour wins when a term weighs otherwise", ("Term", *factors), weighing))
    return Section("What the check and the audit found", (), tuple(table for table in tables if table.rows))


def _exploits(audit: Mapping[str, Any]) -> Iterable[Section]:
    found = len(audit["exploits"])
    told = (
        f"{found} ways to be paid for what the business would not want; of each the best paid behaviour is shown."
        if found
        else "None was found."
    )
    yield Section("Exploits searched and found", (f"Tried: {searched_words(audit)}.", told))
    for number, exploit in enumerate(audit["exploits"], 1):
        yield _exploit(number, exploit)


def _exploit(number: int, exploit: Mapping[str, Any]) -> Section:
    harm, steps = exploit["harm"], exploit["steps"]
    ranked = f"The reward ranks it {exploit['gain']['value']:+.4g} per world over the incumbent."
    figures = f"{harm['value']:.4g} {harm['unit']}, incumbent {harm['reference']:.4g}"
    text = (
        f"Found by: {exploit['found_by']}. {ranked}",
        alike_words(exploit),
        f"{harm['name']}: {figures}, acceptable to {harm['bound']:.4g}.",
        f"Mend the term over {exploit['term']}: {exploit['advice']}.",
    )
    terms = [(name, f"{usual:.4g}", f"{paid:.4g}") for name, (usual, paid) in exploit["by_term"].items()]
    tables = [_table("Reward by term, per world", ("Term", "Incumbent", "Exploit"), terms)]
    if steps:
        rows = [
            (str(step["step"]), str(step["action"]), _figures(step["signals"]), _figures(step["reward"]))
            for step in steps
        ]
        tables.append(_table("A stretch of one world", ("Step", "Action", "Signals", "Reward by term"), rows))
    return Section(f"Exploit {number}: {exploit['behaviour']}", text, tuple(tables))


def _history(seen: Sequence[Seen], audit: Mapping[str, Any]) -> Section:
    rows = [(each.version, minute(each.at), "; ".join(each.changes) or "first seen") for each in seen]
    sources = [(name, digest or "none") for name, digest in audit["sources"].items()]
    return Section(
        "Versions and changes",
        (),
        (
            _table("Versions of the reward", ("Version", "First seen (UTC)", "What changed"), rows),
            _table("What the audit rests on", ("Source", "Hash"), sources),
        ),
    )


def _figures(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items() if value) or "all 0"


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    return Table(caption, tuple(columns), tuple(tuple(row) for row in rows))
