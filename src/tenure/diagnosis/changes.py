"""From a fix to settings that can be trained with: one thing changed, at as many decisions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from tenure.core.errors import TenureError
from tenure.diagnosis.findings import Fix
from tenure.training.recipes import recipe_of
from tenure.training.settings import EVERYWHERE, Settings, read_train_settings

UPDATES = 24
"""Updates a recipe with rollouts is given at least, where another one took its place at a small budget."""


def changed(settings: Settings, fix: Fix, path: Path) -> Settings | None:
    """The settings with the fix; None where the recipe cannot take it, as a batch that does not divide.

    Args:
        settings: of the run.
        fix: with at least one field.
        path: the project's tenure.toml, which another recipe's settings are read from.
    """
    try:
        if "recipe" in fix.settings:
            return _other(settings, str(fix.settings["recipe"]), path)
        plain = json.loads(json.dumps(asdict(settings))) | json.loads(json.dumps(dict(fix.settings)))
        return msgspec.convert(plain, type(settings))
    except (TenureError, msgspec.ValidationError):
        return None


def _other(settings: Settings, recipe: str, path: Path) -> Settings:
    """Another recipe's settings, with all that is about the problem, and sized for as many decisions."""
    own = read_train_settings(path, recipe) if path.exists() else recipe_of(recipe).settings()
    same = {name: getattr(settings, name) for name in (*EVERYWHERE, "without")}
    names = {field.name for field in fields(own)}
    return replace(own, **{**same, **sized(own, settings, names)})


def sized(own: Settings, like: Settings, names: set[str]) -> Mapping[str, Any]:
    """Sizes that suit a small budget: enough updates, a short random start, as many checkpoints.

    Args:
        own: of the recipe that takes over.
        like: of the one it takes over from.
        names: of the fields it has.
    """
    steps, worlds = like.steps, min(own.worlds, like.worlds)
    if "rollout" in names:
        rollout = int(max(4, min(getattr(own, "rollout", 64), steps // (UPDATES * worlds))))
        per_update = worlds * rollout
        most = max(per_update // 4, 2)
        batch = max(size for size in range(1, most + 1) if per_update % size == 0)
        return {"worlds": worlds, "rollout": rollout, "batch": batch, "checkpoint_every": 8}
    if "learning_starts" in names:
        starts = max(getattr(own, "batch", 256), min(getattr(own, "learning_starts", 0), steps // 10))
        updates = steps // worlds * getattr(own, "gradient_steps", 1)
        return {"worlds": worlds, "learning_starts": starts, "checkpoint_every": max(1, updates // 12)}
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
