"""From a fix to settings that can be trained with: one thing changed, at as many decisions."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import Any

import msgspec

from tenure.core.errors import TenureError
from tenure.diagnosis.findings import Fix
from tenure.training.recipes import recipe_of
from tenure.training.settings import EVERYWHERE, Settings

UPDATES = 24
"""Updates a recipe with rollouts is given at least, where it takes another one's place at a small budget."""
POINTS = 12
"""Checkpoints a recipe with a buffer is given there."""
TAKEN = (*sorted(EVERYWHERE), "without")
"""What another recipe takes over."""


def changed(settings: Settings, fix: Fix) -> Settings | None:
    """The settings with the fix; None where the recipe cannot take it, as a batch that does not divide.

    Another recipe takes from the settings what is about the problem (`EVERYWHERE`).

    Args:
        settings: of the run.
        fix: with at least one field.
    """
    given = dict(fix.settings)
    recipe = given.pop("recipe", settings.recipe)
    kept = asdict(settings) if recipe == settings.recipe else {name: asdict(settings)[name] for name in TAKEN}
    try:
        return msgspec.convert(json.loads(json.dumps({**kept, **given})), recipe_of(recipe).settings)
    except (TenureError, msgspec.ValidationError):
        return None


def sized(recipe: str, like: Settings) -> dict[str, Any]:
    """Sizes of a recipe that takes over from another one: enough updates, a short random start, as many checkpoints.

    Args:
        recipe: the one that takes over.
        like: settings of the one it takes over from.
    """
    own = recipe_of(recipe).settings
    default: dict[str, Any] = {field.name: field.default for field in fields(own)}
    worlds = min(default["worlds"], like.worlds)
    if "rollout" in default:
        rollout = int(max(4, min(default["rollout"], like.steps // (UPDATES * worlds))))
        most = max(worlds * rollout // 4, 2)
        batch = max(size for size in range(1, most + 1) if worlds * rollout % size == 0)
        found = {"worlds": worlds, "rollout": rollout, "batch": batch, "checkpoint_every": 8}
        return {name: value for name, value in found.items() if name in default}
    if "learning_starts" in default:
        starts = max(default["batch"], min(default["learning_starts"], like.steps // 10))
        updates = like.steps // worlds * default["gradient_steps"]
        return {"worlds": worlds, "learning_starts": starts, "checkpoint_every": max(1, updates // POINTS)}
    return {}


def shortened(settings: Settings, share: float) -> Settings:
    """The settings with that share of the decisions and as many checkpoints; as they are where that is too short.

    Args:
        settings: of the run.
        share: in (0, 1].
    """
    if share >= 1:
        return settings
    every = max(1, round(share * settings.checkpoint_every))
    try:
        return replace(settings, steps=max(1, round(share * settings.steps)), checkpoint_every=every)
    except TenureError:
        return settings
