"""How a reward came to be what it is: each version when it was first seen, and which terms changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tenure.core.clock import to_text
from tenure.core.errors import ProjectError
from tenure.core.problem import Problem


@dataclass(frozen=True)
class Seen:
    """A version of a reward, first seen.

    Args:
        version: its hash.
        at: when, UTC, as text.
        weights: each term's weight and unit, by signal.
        changes: what differs from the version before it, in words; empty for the first.
    """

    version: str
    at: str
    weights: Mapping[str, str]
    changes: tuple[str, ...]


def remember(path: Path, problem: Problem, at: datetime) -> None:
    """Add the reward to the history unless its newest entry is this version; a line is written whole or not at all."""
    known = _lines(path)
    if known and known[-1]["version"] == problem.reward_version:
        return
    line = {"version": problem.reward_version, "at": to_text(at), "weights": weights_of(problem)}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_history(path: Path) -> tuple[Seen, ...]:
    """Every version in the order first seen.

    Raises:
        ProjectError: the file is damaged.
    """
    lines, before = _lines(path), None
    seen = []
    for line in lines:
        seen.append(Seen(line["version"], line["at"], line["weights"], changed_terms(before, line["weights"])))
        before = line["weights"]
    return tuple(seen)


def weights_of(problem: Problem) -> dict[str, str]:
    """Each term's weight with its unit, by signal; two terms over one signal stand side by side."""
    weights: dict[str, str] = {}
    for term in problem.reward.terms:
        text = f"{term.weight:g} {term.unit}"
        weights[term.signal] = f"{weights[term.signal]} and {text}" if term.signal in weights else text
    return weights


def changed_terms(before: Mapping[str, str] | None, after: Mapping[str, str]) -> tuple[str, ...]:
    """What became of the terms, in words.

    >>> changed_terms({"items": "100 points/item"}, {"items": "90 points/item", "metres": "-1 points/metre"})
    ('items: 100 points/item became 90 points/item', 'metres: new, -1 points/metre')
    """
    if before is None:
        return ()
    kept = [name for name in before if name in after and after[name] != before[name]]
    told = [f"{name}: {before[name]} became {after[name]}" for name in kept]
    told += [f"{name}: left out, was {before[name]}" for name in before if name not in after]
    told += [f"{name}: new, {after[name]}" for name in after if name not in before]
    return tuple(told) or ("reasons, scales or trade-offs only",)


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        found = [json.loads(line) for line in path.read_text().splitlines()]
        for line in found:
            line["version"], line["at"], line["weights"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            expected="a JSON object with version, at and weights on each line",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix="mend the line, or remove it",
        ) from error
    return found
