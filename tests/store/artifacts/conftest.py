"""Stores as they stand in the world: a folder."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a fresh store."""
    return f"file://{tmp_path_factory.mktemp('store')}"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with two checkpoints, a lock and something half-written."""
    folder = tmp_path / "here" / "runs" / "first"
    files = {"run.json": b"{}", "seed-1/checkpoints/200/state.pt": b"old", "seed-1/checkpoints/400/state.pt": b"new"}
    for name, content in {**files, ".held": b"", "seed-1/checkpoints/.600/state.pt": b"half"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
