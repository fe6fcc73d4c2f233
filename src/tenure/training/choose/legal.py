"""Recipes against action spaces: a wrong match is refused with what would make it a right one."""

from __future__ import annotations

from tenure.core.errors import SettingsError
from tenure.core.problem import Problem
from tenure.core.spaces import Box, Discrete
from tenure.training.recipes import RECIPES, Recipe

CELLS = 5
"""Cells a number's range would be cut into."""
VISITS = 100
"""Visits each entry of a table should have: the error of its value is then a tenth of the rewards' deviation."""


def legal(recipe: Recipe, problem: Problem) -> bool:
    """Whether the recipe can decide what the problem asks for."""
    kind = "box" if isinstance(problem.action, Box) else "discrete"
    return recipe.actions in (kind, "any")


def refuse(recipe: Recipe, problem: Problem) -> None:
    """Nothing, where the match is legal.

    Raises:
        SettingsError: it is not; with the discretisation that would make it legal and its cost, or what to take.
    """
    if legal(recipe, problem):
        return
    space = problem.action
    fits = [one.name for one in RECIPES.values() if legal(one, problem) and one.learns_from == recipe.learns_from]
    raise SettingsError(
        expected="labelled actions" if isinstance(space, Box) else "vectors, a Box of numbers",
        found=_found(space),
        where=f"recipe {recipe.name!r} for problem {problem.name!r}",
        fix=f"take one of {fits}; or {_otherwise(recipe, problem)}",
    )


def _found(space: Discrete | Box) -> str:
    if isinstance(space, Box):
        return f"a Box of {space.size} number{'s' if space.size > 1 else ''}, {', '.join(space.names)}"
    return f"{space.size} labels"


def _otherwise(recipe: Recipe, problem: Problem) -> str:
    """What would make the match legal, and what it takes."""
    space = problem.action
    if isinstance(space, Discrete):
        return "state it as a Box, where the labels are steps of one number, and let the world round it"
    labels = CELLS**space.size
    widths = (high - low for low, high in zip(space.low, space.high, strict=True))
    off = ", ".join(f"{name} {width / CELLS / 2:.3g}" for name, width in zip(space.names, widths, strict=True))
    text = f"cut each number into {CELLS} cells in problem.py: {labels:,} labels, each number up to ({off}) off"
    if recipe.name != "q_learning":
        return text
    features = len(problem.observation)
    states, entries = CELLS**features, CELLS**features * labels
    return (
        f"{text}; with {features} features in {CELLS} cells each, the table has {states:.3g} x {labels:,} = "
        f"{entries:.3g} entries, {entries * VISITS:.3g} decisions for {VISITS} visits of each"
    )
