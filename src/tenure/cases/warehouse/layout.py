"""The floor: which squares join which, how far it is between any two, and the rounds that other robots drive."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

MAP = """
.............
.#.#.#.#.#.#.
.#.#.#.#.#.#.
.#.#.#.#.#.#.
.............
.#.#.#.#.#.#.
.#.#.#.#.#.#.
.#.#.#.#.#.#.
......S......
"""
"""Seen from above: `#` shelves, `.` floor, `S` the square where every order starts. A square is 5 m wide."""
SQUARE_M = 5.0
MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}

_ROWS = MAP.split()
SQUARES = tuple((row, column) for row, line in enumerate(_ROWS) for column, mark in enumerate(line) if mark != "#")
"""Row and column of every square that can be driven on; its place here is its number."""
_NUMBER = {square: number for number, square in enumerate(SQUARES)}
START = next(number for number, (row, column) in enumerate(SQUARES) if _ROWS[row][column] == "S")
AISLES = tuple(column for column, mark in enumerate(_ROWS[1]) if mark != "#")
CROSSINGS = tuple(row for row, line in enumerate(_ROWS) if "#" not in line)
SPOTS: Ints = np.array([number for number, (row, _) in enumerate(SQUARES) if row not in CROSSINGS])
"""Squares beside a shelf, where items lie."""


def _beside() -> Ints:
    """The square that each move leads to, itself where a shelf or wall is in the way; [squares, 4]."""
    return np.array(
        [
            [_NUMBER.get((row + down, column + right), number) for down, right in MOVES.values()]
            for number, (row, column) in enumerate(SQUARES)
        ]
    )


BESIDE: Ints = _beside()
OPEN: Bools = np.arange(len(SQUARES))[:, None] != BESIDE
"""Which moves are possible; [squares, 4]."""


def _steps_between() -> Floats:
    """Fewest moves between any two squares, by breadth-first search; float32 [squares, squares]."""
    steps = np.full((len(SQUARES), len(SQUARES)), np.inf, dtype=np.float32)
    np.fill_diagonal(steps, 0)
    while not np.isfinite(steps).all():
        steps = np.minimum(steps, steps[BESIDE].min(axis=1) + 1)
    return steps


STEPS: Floats = _steps_between()


def _rounds() -> list[list[int]]:
    """Every rectangle of two aisles and two crossings, both ways round, as squares in order."""
    rounds = []
    for (left, right), (top, bottom) in (
        (sides, ends) for sides in combinations(AISLES, 2) for ends in combinations(CROSSINGS, 2)
    ):
        path = [
            *((top, column) for column in range(left, right)),
            *((row, right) for row in range(top, bottom)),
            *((bottom, column) for column in range(right, left, -1)),
            *((row, left) for row in range(bottom, top, -1)),
        ]
        around = [_NUMBER[square] for square in path]
        rounds += [around, around[::-1]]
    return rounds


def _places() -> tuple[Ints, Ints]:
    """All rounds end to end: the square of every place on a round, and the place that follows it."""
    rounds = _rounds()
    first = np.cumsum([0, *(len(around) for around in rounds)])
    following = [np.roll(np.arange(len(around)), -1) + begin for around, begin in zip(rounds, first, strict=False)]
    return np.concatenate([np.array(around) for around in rounds]), np.concatenate(following)


PLACE_SQUARE, NEXT_PLACE = _places()
"""Another robot is at a place on a round; its square, and where it is one step later; [places] each."""

SIGHT = 4
"""Squares straight ahead in which oncoming robots are counted."""


def _oncoming() -> Bools:
    """Whether a robot at a place comes towards a square from where a move leads; [squares, 4, places]."""
    found = np.zeros((len(SQUARES), len(MOVES), len(NEXT_PLACE)), dtype=bool)
    for move in range(len(MOVES)):
        near = np.arange(len(SQUARES))
        for _ in range(SIGHT):
            near, before = BESIDE[near, move], near
            meets = (near[:, None] == PLACE_SQUARE) & (before[:, None] == PLACE_SQUARE[NEXT_PLACE])
            found[:, move] |= meets & (near != before)[:, None]
    return found


ONCOMING: Bools = _oncoming()
