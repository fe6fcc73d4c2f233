"""Whether Python runs a loop over the worlds, counted in lines executed and not in time: it says the same always."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

FEW, MANY = 8, 64
"""Worlds of the two steps whose lines are counted."""

LEAST = 1.0
"""Lines of Python that each further world must add to a step before it is called a loop over the worlds."""


@dataclass(frozen=True)
class Loop:
    """A loop over worlds.

    Args:
        where: file and line of the loop's head or body, the outermost that each further world runs once more.
        lines_per_world: lines of Python that each further world adds to a step, in all.
    """

    where: str
    lines_per_world: float


def python_loop(step_of: Callable[[int], Callable[[], object]], most: int = MANY) -> Loop | None:
    """The loop over worlds in a step, or None: the same step of 8 and of 64 worlds, every line of Python counted.

    Args:
        step_of: from a number of worlds to a step of them, everything prepared.
        most: worlds there is room for; under 64 the steps are of so many and of half of them, under 2 none is found.
    """
    if most < 2:
        return None
    more = min(MANY, most)
    less = min(FEW, more // 2)
    few, many = (_lines(step_of(n)) for n in (less, more))
    added = Counter({place: many[place] - few[place] for place in many})
    per_world = sum(added.values()) / (more - less)
    if per_world < LEAST:
        return None
    # The loop's own line is the one that is called from fewest others.
    grown = [place for place, lines in added.items() if lines >= more - less]
    file, line, _ = min(grown, key=lambda place: place[2], default=added.most_common(1)[0][0])
    return Loop(f"{Path(file).parent.name}/{Path(file).name}:{line}", per_world)


def _lines(step: Callable[[], object]) -> Counter[tuple[str, int, int]]:
    """How often each line of Python ran, by file, line and how deep in calls its function stood."""
    counts: Counter[tuple[str, int, int]] = Counter()

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            counts[frame.f_code.co_filename, frame.f_lineno, _depth(frame)] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step()
    finally:
        sys.settrace(before)
    return counts


def _depth(frame: FrameType | None) -> int:
    depth = 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth
