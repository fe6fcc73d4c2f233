"""Q-learning against values worked by hand, and what it never does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.simulators.worlds import Line, LineWalk, WalledWalk, line_problem, shop_problem

from tenure.core import Box, Shaping, Step
from tenure.core.arrays import Ints
from tenure.core.errors import SettingsError
from tenure.training.exploration import Decay
from tenure.training.tabular import MOST_ENTRIES, Cells, QTable, Schedule, cut, learn, new_table

# The walk with a discount of one half: standing at 2 earns 2 for ever, 4 in all; the step onto 3 earns 3 - 0.5 and ends
# the world; the step from 1 to 2 earns 1.5 and then 4 / 2; the step from 0 to 1 earns 0.5 and then 3.5 / 2.
HALF = replace(line_problem(), discount=0.5)
LEFT, STAY, RIGHT = 0, 1, 2
BEST = {(2, STAY): 4.0, (2, RIGHT): 2.5, (1, RIGHT): 3.5, (1, STAY): 2.75, (0, RIGHT): 2.25}
POSITIONS = Cells((np.arange(-8.5, 9, dtype=np.float32), np.zeros(0, dtype=np.float32)))
SHORT = Schedule(40_000, worlds=50, epsilon=Decay(0.5, 0.5))


def at(position: int) -> Ints:
    return POSITIONS(np.array([[position, 0]], dtype=np.float32))


def learned(simulator: LineWalk, seed: int = 0, schedule: Schedule = SHORT) -> QTable:
    return learn(HALF, simulator, QTable(POSITIONS, 3), schedule, np.random.default_rng(seed))


def test_values_become_those_of_dynamic_programming() -> None:
    table = learned(LineWalk())
    for (position, action), value in BEST.items():
        assert table.values[at(position)[0], action] == pytest.approx(value, abs=0.02)
    assert [int(table.greedy(at(position), None)[0]) for position in (0, 1, 2)] == [RIGHT, RIGHT, STAY]


def test_equal_seeds_give_equal_tables() -> None:
    few = replace(SHORT, steps=2_000)
    assert np.array_equal(learned(LineWalk(), 3, few).values, learned(LineWalk(), 3, few).values)
    assert not np.array_equal(learned(LineWalk(), 3, few).values, learned(LineWalk(), 4, few).values)


def test_shaping_moves_every_value_by_the_potential_and_the_best_action_stays() -> None:
    shaped = replace(HALF, shaping=Shaping(lambda seen: 1.0 + 0.5 * seen[:, 0], "towards the goal"))
    table = learn(shaped, LineWalk(), QTable(POSITIONS, 3), SHORT, np.random.default_rng(0))
    for (position, action), value in BEST.items():
        assert table.values[at(position)[0], action] == pytest.approx(value - 1 - 0.5 * position, abs=0.02)


class Strict(WalledWalk):
    """Nobody steps left at the wall."""

    def step(self, state: Line, action: Ints, rng: np.random.Generator) -> Step:
        assert not ((state.position <= -2) & (action == LEFT)).any(), "a forbidden action was tried"
        return super().step(state, action, rng)


def test_a_forbidden_action_is_never_tried_and_its_value_never_counts() -> None:
    wall = replace(SHORT, level="wall", steps=10_000)
    table = QTable(POSITIONS, 3)
    table.values[at(-2), LEFT] = 1e6
    learn(HALF, Strict(), table, wall, np.random.default_rng(0))
    assert table.visits[at(-2)[0], LEFT] == 0
    assert table.values[at(-1)].max() < 10, "what is forbidden at -2 is nothing to hope for at -1"


def test_equal_rows_of_a_batch_count_one_after_the_other() -> None:
    together, apart = (QTable(POSITIONS, 3) for _ in range(2))
    cell, target = at(0), np.array([2.0, 2.0, 2.0])
    together.values[:], apart.values[:] = 8.0, 8.0
    together.visits[:], apart.visits[:] = 4, 4
    together.update(np.repeat(cell, 3), np.full(3, STAY), target, 1.0)
    # At visits ** -1: three of seven, all at the last one's rate, so that the order in the batch is nothing.
    assert together.values[cell[0], STAY] == pytest.approx(2 + 6 * (1 - 1 / 7) ** 3)
    apart.update(cell, np.array([STAY]), target[:1], 1.0)
    assert apart.values[cell[0], STAY] == pytest.approx(8 - 6 / 5)
    assert together.visits[cell[0], STAY] == 7


def test_a_first_visit_takes_the_target_as_it_is() -> None:
    table = QTable(POSITIONS, 3)
    table.update(at(1), np.array([LEFT]), np.array([-3.0]), 0.8)
    assert table.values[at(1)[0], LEFT] == -3.0


def test_what_was_never_tried_is_not_answered_though_it_stands_at_0() -> None:
    table = QTable(POSITIONS, 3)
    table.update(at(1), np.array([LEFT]), np.array([-3.0]), 0.8)
    table.update(at(2), np.array([RIGHT]), np.array([-1.0]), 0.8)
    answers = table.answers()
    assert answers[at(1)[0]].argmax() == LEFT
    assert answers[at(5)[0]].tolist() == [-3.0, 0.0, -1.0], "the mean of what was met elsewhere"


def test_cells_are_one_per_value_where_few_are_met_and_else_equally_full() -> None:
    few = cut(np.array([[0.0], [2.0], [2.0], [5.0]]), {0: 4})
    assert few.edges[0].tolist() == [1.0, 3.5]
    assert few(np.array([[-9.0], [1.0], [3.4], [99.0]])).tolist() == [0, 1, 1, 2]
    many = cut(np.arange(100.0)[:, None], {0: 4})
    assert np.bincount(many(np.arange(100.0)[:, None])).tolist() == [25, 25, 25, 25]


def test_features_are_counted_in_a_mixed_radix_and_one_that_is_not_named_tells_nothing() -> None:
    sample = np.array([[0.0, 0.0, 7.0], [1.0, 1.0, 8.0], [1.0, 2.0, 9.0]])
    cells = cut(sample, {0: 5, 1: 5})
    assert cells.sizes == (2, 3, 1)
    assert cells(sample).tolist() == [0, 4, 5]


def test_a_table_too_large_to_learn_is_refused_with_its_size() -> None:
    cells = Cells(tuple(np.arange(99, dtype=np.float32) for _ in range(4)))
    with pytest.raises(SettingsError, match="100 x 100 x 100 x 100") as refused:
        QTable(cells, 5)
    assert f"{MOST_ENTRIES:,}" in str(refused.value)
    assert "fewer `cells`" in refused.value.fix


def test_vectors_are_refused() -> None:
    box = replace(shop_problem(), action=Box(("items",), ("items",), (0.0,), (4.0,)))
    with pytest.raises(SettingsError, match="labelled actions"):
        new_table(box, LineWalk(), {0: 3}, np.random.default_rng(0))


def test_learning_needs_no_torch() -> None:
    code = "import sys, tenure.training.tabular; print('torch' in sys.modules, 'stable_baselines3' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == ["False", "False"]


def test_cells_between_bounds_are_equally_wide_but_few_values_keep_a_cell_each() -> None:
    sample = np.column_stack([np.linspace(0, 1, 50) ** 4, np.arange(50) % 2])
    cells = cut(sample, {0: 4, 1: 4}, {0: (-1.0, 1.0), 1: (-1.0, 1.0)})
    assert cells.edges[0].tolist() == [-0.5, 0.0, 0.5]
    assert cells.edges[1].tolist() == [0.5]
