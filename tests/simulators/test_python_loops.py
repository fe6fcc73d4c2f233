"""A loop over worlds is found by the lines it runs, wherever it hides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tenure.simulators.python_loops import python_loop


def plain(n: int) -> object:
    total = 0.0
    for world in range(n):
        total = total + world
    return total


def comprehension(n: int) -> object:
    return [world + 1 for world in range(n)]


def further(world: int) -> int:
    return world + 1


def mapped(n: int) -> object:
    return list(map(further, range(n)))


def vectorised(n: int) -> object:
    return np.vectorize(lambda world: world + 1)(np.arange(n))


def arrays(n: int) -> object:
    values = np.arange(n)
    for _ in range(100):
        values = values + 1
    return values


@pytest.mark.parametrize("step", [plain, comprehension, mapped, vectorised])
def test_a_loop_over_worlds_is_found_with_its_line(step: Callable[[int], object]) -> None:
    loop = python_loop(lambda n: lambda: step(n))
    assert loop is not None
    assert loop.where.startswith("simulators/test_python_loops.py:")
    assert loop.lines_per_world >= 1


def test_a_loop_that_does_not_grow_with_the_worlds_is_none() -> None:
    assert python_loop(lambda n: lambda: arrays(n)) is None


def test_the_lines_of_a_loop_are_counted_by_world() -> None:
    loop = python_loop(lambda n: lambda: plain(n))
    assert loop is not None
    assert loop.lines_per_world == 2


def test_where_there_is_room_for_few_worlds_steps_of_so_many_and_half_are_compared() -> None:
    asked: list[int] = []

    def step_of(n: int) -> Callable[[], object]:
        asked.append(n)
        return lambda: plain(n)

    loop = python_loop(step_of, most=6)
    assert loop is not None
    assert (asked, loop.lines_per_world) == ([3, 6], 2)
    assert python_loop(lambda n: lambda: plain(n), most=1) is None
