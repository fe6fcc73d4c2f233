"""What a recipe is: an algorithm with its settings, what it can decide, and what it promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tenure.training.settings import Settings

if TYPE_CHECKING:
    from tenure.training.ground import Ground, Trained

Repeats = Literal["bit-identical", "statistical"]
"""How close a stopped and resumed run comes to one that was not stopped: the same numbers, or the same distribution."""


@dataclass(frozen=True)
class Recipe:
    """A way to train.

    Args:
        name: as settings and commands call it.
        title: in words.
        actions: what it can decide: labels (`discrete`), vectors (`box`), or both (`any`).
        settings: its settings; their defaults are the recipe's.
        train: one seed, from the first world to the best checkpoint.
        source: where the algorithm is from.
        learns_from: worlds it steps itself, or a log of somebody's decisions.
        repeats: what holds for equal seeds, and for a run that was stopped and resumed.
        climbs: can be trained on the levels of a curriculum.
        masks: forbidden actions are never tried; otherwise the nearest allowed one is taken in their place.
    """

    name: str
    title: str
    actions: Literal["discrete", "box", "any"]
    settings: type[Settings]
    train: Callable[[Ground], Trained]
    source: str
    learns_from: Literal["worlds", "log"] = "worlds"
    repeats: Repeats = "bit-identical"
    masks: bool = False
    climbs: bool = True
