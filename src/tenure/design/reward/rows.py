"""Hand-written rows of a scenario: each names known signals with one legal number, or is refused by its own line."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Real
from pathlib import Path
from typing import Any

from tenure.core.errors import ProblemError
from tenure.core.problem import Problem
from tenure.core.project import line_of


def check_rows(problem: Problem, name: str, rows: Iterable[Any], path: Path) -> None:
    """Refuse the first row that is none.

    Args:
        problem: names the signals and their bounds.
        name: of the behaviour.
        rows: as written.
        path: the file they stand in.

    Raises:
        ProblemError: a row is no table of signals, names an unknown one, or holds what is no number within its bounds.
    """
    for number, row in enumerate(rows, 1):
        wrong = _wrong_in(problem, row)
        if wrong is not None:
            expected, found = wrong
            where = f"{line_of_row(path, name, number)}, row {number} of {name!r}"
            fix = (
                f"correct the row in {path.name}, or the signal's bounds in problem.py where such a decision can happen"
            )
            raise ProblemError(expected=expected, found=found, where=where, fix=fix)


def _wrong_in(problem: Problem, row: Any) -> tuple[str, str] | None:
    """What was expected of a row and what was found; None where it is sound."""
    if not isinstance(row, Mapping):
        return "a table of signals and their values, such as {'metres': 3}", repr(row)
    unknown = sorted(map(str, row.keys() - problem.signal_names))
    if unknown:
        return f"signals of {sorted(problem.signal_names)}", repr(unknown[0])
    bounds = problem.signal_bounds
    for signal, value in row.items():
        low, high = bounds[signal]
        if not isinstance(value, Real) or not math.isfinite(value):
            return f"one finite number for {signal!r}", repr(value)
        if not low <= float(value) <= high:
            return f"{signal} from {low:g} to {high:g}, its bounds in problem.py", f"{float(value):g}"
    return None


def line_of_row(path: Path, name: str, number: int) -> str:
    """Where a row of a behaviour stands, as `file:line`; the behaviour's line where its rows are not written out.

    Args:
        path: scenarios.py or scenarios.toml.
        name: of the behaviour.
        number: of the row, from 1.
    """
    lines = _lines_in_toml(path, name) if path.suffix == ".toml" else _lines_in_python(path, name)
    return f"{path}:{lines[number - 1]}" if number <= len(lines) else line_of(path, f'"{name}"')


def _lines_in_python(path: Path, name: str) -> list[int]:
    """Lines of the rows that stand in a call with the name as its first argument."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        given = {each.arg: each.value for each in node.keywords}
        named = node.args[0] if node.args else given.get("name")
        rows = given.get("rows") or (node.args[1] if len(node.args) > 1 else None)
        if isinstance(named, ast.Constant) and named.value == name and isinstance(rows, ast.Tuple | ast.List):
            return [row.lineno for row in rows.elts]
    return []


def _lines_in_toml(path: Path, name: str) -> list[int]:
    """Lines of the inline tables between a behaviour's header and the next one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [place for place, line in enumerate(lines) if re.match(r"\s*\[\[\w", line)] + [len(lines)]
    for begin, end in pairwise(heads):
        if any(re.match(rf"\s*name\s*=\s*[\"']{re.escape(name)}[\"']", line) for line in lines[begin:end]):
            return [place + 1 for place in range(begin, end) for _ in re.findall(r"\{", lines[place])]
    return []
