"""A world whose candidate says b where the rule says a."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .toy import World

Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes worlds, and closes their logs at the end."""
    worlds: list[World] = []

    def made(**fields: Any) -> World:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(World(folder, **fields))
        return worlds[-1]

    yield made
    for world in worlds:
        world.store.close()


@pytest.fixture
def world(make: Make) -> World:
    """The candidate decides everything."""
    return make().at("full", 1.0)
