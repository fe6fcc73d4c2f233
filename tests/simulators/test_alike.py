"""Chance that is alike: every entry of a draw gets the number it would get alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tenure.simulators.alike import JOINT, MOST, SIZE_AT, Alike, Endless

DRAWS: list[Callable[[Any, Any, int], Any]] = [
    lambda rng, p, n: rng.random(n),
    lambda rng, p, n: rng.random((n, 3))[:, 1],
    lambda rng, p, n: rng.random((2, n))[1],
    lambda rng, p, n: rng.normal(p, 2.0),
    lambda rng, p, n: rng.normal(p[:, None], 2.0, (n, 3))[:, 2],
    lambda rng, p, n: rng.normal(loc=p, size=n),
    lambda rng, p, n: rng.poisson(p),
    lambda rng, p, n: rng.poisson(lam=p),
    lambda rng, p, n: rng.integers(0, 1 + p.astype(int)),
    lambda rng, p, n: rng.integers(5, size=n, endpoint=True),
    lambda rng, p, n: rng.binomial(9, p / 10, n),
    lambda rng, p, n: rng.choice(4, n, p=[0.1, 0.2, 0.3, 0.4]),
    lambda rng, p, n: rng.random(out=np.empty(n)),
    lambda rng, p, n: np.array([each.random() for each in rng.spawn(n)]),
    lambda rng, p, n: rng.random(n) + rng.exponential(p),
]


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("draw", DRAWS)
def test_an_entry_of_a_batch_is_what_it_is_alone(draw: Callable[[Any, Any, int], Any], constant: bool) -> None:
    p = np.array([1.0, 2.5, 7.0, 2.5])
    batch = draw(Alike(3, constant=constant), p, 4)
    alone = [draw(Alike(3, constant=constant), p[[row]], 1)[0] for row in range(4)]
    assert batch.tolist() == alone
    assert batch[1] == batch[3]


def test_calls_bring_new_numbers_unless_constant() -> None:
    new, same = Alike(1, constant=False), Alike(1, constant=True)
    assert len({new.random() for _ in range(5)}) == 5
    assert len({same.random() for _ in range(5)}) == 1


def test_numbers_drawn_together_are_counted() -> None:
    rng = Alike(1, constant=False)
    rng.permutation(4)
    rng.choice(4, 2, replace=False)
    assert rng.joint == 2
    rng.random(4)
    assert rng.joint == 2


def test_every_draw_of_numpy_is_known() -> None:
    drawing = {name for name in dir(np.random.Generator) if not name.startswith("_")} - {"bit_generator", "spawn"}
    assert drawing == set(SIZE_AT) | set(JOINT)


def test_a_loop_without_end_is_stopped() -> None:
    rng = Alike(1, constant=True)
    for _ in range(MOST):
        rng.random()
    with pytest.raises(Endless):
        rng.random()
