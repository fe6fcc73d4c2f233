"""The rule of two questions: the best there is, and readable."""

from __future__ import annotations

from itertools import product

import numpy as np

from tenure.design.assess.policies import best_allowed, small_rule


def test_no_rule_of_two_questions_is_better_than_the_one_found() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (40, 2)).astype(float)
    worth = rng.normal(size=(40, 3))
    found = worth[np.arange(40), small_rule(x, worth)(x)].sum()
    cuts = [x[:, f] > t for f, t in product(range(2), (0.0, 1.0))]
    best = -np.inf
    for first, no, yes in product(cuts, cuts, cuts):
        leaves = [~first & ~no, ~first & no, first & ~yes, first & yes]
        best = max(best, sum(worth[leaf].sum(axis=0).max() if leaf.any() else 0.0 for leaf in leaves))
    assert found == best


def test_a_rule_without_a_difference_says_always() -> None:
    worth = np.tile([0.0, 1.0], (50, 1))
    rule = small_rule(np.arange(50.0)[:, None], worth)
    assert rule.words(("age",), ("wait", "go")) == "always go"


def test_a_rule_of_one_question_is_read_as_one() -> None:
    x = np.arange(16.0)[:, None]
    worth = np.where(x > 7, [[0.0, 1.0]], [[1.0, 0.0]])
    rule = small_rule(x, worth)
    assert (rule(x) == (x[:, 0] > 7)).all()
    assert "age > " in rule.words(("age",), ("wait", "go"))


def test_what_is_not_allowed_is_never_best() -> None:
    allowed = np.array([[True, False], [True, True]])
    assert best_allowed(np.array([[0.0, 1.0], [0.0, 1.0]]), allowed).tolist() == [0, 1]


def test_where_nobody_is_the_rule_does_as_the_neighbour_does() -> None:
    # Only one question splits these rows, so two of the four leaves are empty.
    x = np.array([0.0] * 4 + [1.0] * 12)[:, None]
    worth = np.where(x > 0, [[0.0, 5.0]], [[1.0, 0.0]])
    assert small_rule(x, worth).words(("member",), ("wait", "go")) == "(go if member > 0 else wait)"
