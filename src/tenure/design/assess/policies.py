"""Policies learned from a log to see what there is to gain: by the moment, looking ahead, one action, a small rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints

THRESHOLDS = 7
"""Places at which the small rule may cut each number."""
MOST_TRIED = 3000
"""Rows on which every rule is tried; more rows than this tell rules of two questions apart no better."""


@dataclass(frozen=True, eq=False)
class SmallRule:
    """A rule of two questions: is a feature above a threshold, and then is another; an action at each of four leaves.

    Args:
        feature: the first question's, and the second's after no and after yes; [3].
        threshold: theirs; [3].
        action: at no-no, no-yes, yes-no, yes-yes; [4].
    """

    feature: tuple[int, int, int]
    threshold: tuple[float, float, float]
    action: tuple[int, int, int, int]

    def __call__(self, x: Floats) -> Ints:
        """The action of each row; [n]."""
        above = [x[:, f] > t for f, t in zip(self.feature, self.threshold, strict=True)]
        second = np.where(above[0], above[2], above[1])
        return np.asarray(np.array(self.action)[2 * above[0].astype(int) + second])

    def words(self, names: tuple[str, ...], labels: tuple[str, ...]) -> str:
        """The rule for people."""
        leaves = [labels[action] for action in self.action]
        if len(set(leaves)) == 1:
            return f"always {leaves[0]}"
        asked = [f"{names[f]} > {t:.4g}" for f, t in zip(self.feature, self.threshold, strict=True)]

        def branch(question: str, no: str, yes: str) -> str:
            return yes if no == yes else f"({yes} if {question} else {no})"

        return branch(asked[0], branch(asked[1], *leaves[:2]), branch(asked[2], *leaves[2:]))


def small_rule(x: Floats, worth: Floats) -> SmallRule:
    """The best rule of two questions, by trying every one.

    Args:
        x: situations; [n, features].
        worth: of every action in each; [n, actions].

    Source: exhaustive search for shallow policy trees, Zhou, Athey and Wager (2023), Operations Research 71(1).
    """
    some = slice(None, None, 1 + len(x) // MOST_TRIED)
    x, worth = x[some], worth[some]
    cuts = _cuts(x)
    above = np.stack([x[:, f] > t for f, t in cuts], axis=1).astype(float)
    best, chosen = -np.inf, (0, 0, 0)
    for first in range(len(cuts)):
        no, yes = (_best_split(above, worth * side[:, None]) for side in (1 - above[:, first], above[:, first]))
        if no[0] + yes[0] > best:
            best, chosen = no[0] + yes[0], (first, no[1], yes[1])
    return _rule(cuts, above, worth, chosen)


def _cuts(x: Floats) -> list[tuple[int, float]]:
    """Feature and threshold of every question that splits the rows; one that splits nothing where none does."""
    levels = np.linspace(0, 1, THRESHOLDS + 2)[1:-1]
    cuts = [
        (feature, float(threshold))
        for feature in range(x.shape[1])
        for threshold in np.unique(np.quantile(x[:, feature], levels, method="lower"))
        if threshold < x[:, feature].max()
    ]
    return cuts or [(0, float("inf"))]


def _best_split(above: Floats, worth: Floats) -> tuple[float, int]:
    """Worth of the best second question and its index; the best action is taken on both of its sides."""
    yes = above.T @ worth
    sums = yes.max(axis=1) + (worth.sum(axis=0) - yes).max(axis=1)
    best = int(sums.argmax())
    return float(sums[best]), best


def _rule(cuts: list[tuple[int, float]], above: Floats, worth: Floats, chosen: tuple[int, int, int]) -> SmallRule:
    first, no, yes = chosen
    sides = [
        (1 - above[:, first]) * (1 - above[:, no]),
        (1 - above[:, first]) * above[:, no],
        above[:, first] * (1 - above[:, yes]),
        above[:, first] * above[:, yes],
    ]
    # A leaf without rows does as its neighbour does.
    filled = [side if side.any() else sides[index ^ 1] for index, side in enumerate(sides)]
    filled = [side if side.any() else np.ones(len(worth)) for side in filled]
    actions = [int((worth * side[:, None]).sum(axis=0).argmax()) for side in filled]
    feature, threshold = zip(*(cuts[index] for index in chosen), strict=True)
    return SmallRule(feature, threshold, (actions[0], actions[1], actions[2], actions[3]))


def best_allowed(worth: Floats, allowed: Bools | None) -> Ints:
    """The action of highest worth among those allowed; [n, actions] gives [n]."""
    return np.asarray((worth if allowed is None else np.where(allowed, worth, -np.inf)).argmax(axis=1))
