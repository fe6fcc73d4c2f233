"""What every term of a reward must state: its unit, how large it can get, and why it is there."""

from __future__ import annotations

import math

from tenure.core.evidence import Finding, Verdict
from tenure.core.problem import Problem
from tenure.core.project import Project, line_of
from tenure.core.reward import Term

LISTED = 3
"""Faults a finding names; one mended, the next shows."""


def term_findings(project: Project) -> list[Finding]:
    """Gates `units`, `reasons`, `scale` and `kpi_unpaid`, from what problem.py states alone."""
    return [_units(project), _reasons(project), _scales(project), _kpi_unpaid(project)]


def place_of(project: Project, term: Term) -> str:
    """Where a term stands in problem.py, as `file:line`: of the lines with its signal the one that is most like it."""
    path = project.folder / "problem.py"
    marks = ("Term(", f'"{term.unit}"', f'"{term.because}"', f" {term.weight}")
    lines = [
        (number, line) for number, line in enumerate(path.read_text().splitlines(), 1) if f'"{term.signal}"' in line
    ]
    if not lines:
        return str(path)
    number, _ = max(lines, key=lambda each: (sum(mark in each[1] for mark in marks), -each[0]))
    return f"{path}:{number}"


def currency_of(term: Term) -> str:
    """What a term pays in: its unit up to the first stroke.

    >>> currency_of(Term("idle", -0.1, "$/bike hour", "docks"))
    '$'
    """
    return term.unit.partition("/")[0].strip()


def same_unit(one: str, other: str) -> bool:
    """Whether two units are one, singular or plural.

    >>> same_unit("bike hour", "bike hours"), same_unit("box", "boxes"), same_unit("entry", "entries")
    (True, True, True)
    >>> same_unit("bike", "metres")
    False
    """
    ours, theirs = one.split(), other.split()
    return len(ours) == len(theirs) and all(map(_same_word, ours, theirs))


def _same_word(one: str, other: str) -> bool:
    short, long = sorted((one.lower(), other.lower()), key=len)
    plurals = {short, f"{short}s", f"{short}es"} | ({f"{short[:-1]}ies"} if short.endswith("y") else set())
    return long in plurals


def _units(project: Project) -> Finding:
    problem = project.problem
    currency = currency_of(problem.reward.terms[0])
    faults = []
    for term in problem.reward.terms:
        unit = _unit_of(problem, term)
        paid, _, per = term.unit.partition("/")
        if not paid.strip() or not same_unit(per, unit) or paid.strip() != currency:
            wanted = f"{currency or '$'}/{unit}"
            faults.append(
                f"{place_of(project, term)}: term {term.signal!r} has the unit {term.unit!r}; write {wanted!r}"
            )
    return _finding("units", faults, f"every term pays in {currency} per unit of its signal")


def _reasons(project: Project) -> Finding:
    faults = [
        f"{place_of(project, term)}: term {term.signal!r} has no `because`; say why in a sentence"
        for term in project.problem.reward.terms
        if not term.because.strip()
    ]
    return _finding("reasons", faults, "every term says why it is there")


def _scales(project: Project) -> Finding:
    bounds = project.problem.signal_bounds
    faults = [
        f"{place_of(project, term)}: term {term.signal!r} is over a signal without bounds; state these, or its `scale`"
        for term in project.problem.reward.terms
        if term.scale is None and not all(map(math.isfinite, bounds[term.signal]))
    ]
    return _finding("scale", faults, "every term's size is known, from its signal's bounds or its scale")


def _kpi_unpaid(project: Project) -> Finding:
    problem = project.problem
    paid = {term.signal for term in problem.reward.terms}
    free = {kpi.name: sorted(kpi.reads - paid) for kpi in problem.kpis if kpi.reads - paid}
    if not free:
        place = line_of(project.folder / "problem.py", "kpis")
        fault = (
            f"{place}: every KPI reads paid signals only, so none can show that the reward is wrong; add one that does"
        )
        return Finding("kpi_unpaid", Verdict.FAIL, f"{fault} not")
    told = ", ".join(f"{name} reads {signals[0]!r}" for name, signals in free.items())
    return Finding("kpi_unpaid", Verdict.PASS, f"{told}, which no term pays for")


def _unit_of(problem: Problem, term: Term) -> str:
    return next(signal.unit for signal in problem.signals if signal.name == term.signal)


def _finding(gate: str, faults: list[str], kept: str) -> Finding:
    return Finding(gate, Verdict.FAIL, "; ".join(faults[:LISTED])) if faults else Finding(gate, Verdict.PASS, kept)
