"""The recipes, a file each, which reads from top to bottom; heavy libraries load when one trains, not before.

Promises: every recipe takes the same ground (worlds in the learner's units, limits, checkpoints) and gives back the
same: a graph from raw observations to logits or vectors, and a curve on the selection data.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tenure.core.errors import SettingsError
from tenure.training.recipes import (
    a2c,
    bandit,
    cloning,
    cql,
    ddpg,
    dqn,
    fast_ppo,
    iql,
    ppo,
    q_learning,
    qr_dqn,
    sac,
    td3,
    tqc,
)
from tenure.training.recipes.recipe import Recipe

_ALL = (ppo, fast_ppo, a2c, dqn, qr_dqn, sac, td3, ddpg, tqc, q_learning, bandit, cloning, cql, iql)
RECIPES: Mapping[str, Recipe] = MappingProxyType({file.RECIPE.name: file.RECIPE for file in _ALL})
"""Every recipe by its name."""


def recipe_of(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        SettingsError: there is none.
    """
    if name not in RECIPES:
        raise SettingsError(
            expected=f"one of the recipes {sorted(RECIPES)}",
            found=repr(name),
            where="the recipe to train with",
            fix="name one of these; `tenure bench` says which suit the problem",
        )
    return RECIPES[name]


__all__ = ["RECIPES", "Recipe", "recipe_of"]
