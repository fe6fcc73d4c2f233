"""The picker as a project folder of a test's own, with some lines changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tenure.core.project import Project, load_project

PICKER = Path(__file__).parent / "picker"


def picker(tmp_path: Path, *edits: tuple[str, str, str], draft: str = "") -> Project:
    """The picker, loaded, with some edits: file, text that must be there, text to put in its place."""
    folder = tmp_path / "picker"
    shutil.copytree(PICKER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in edits:
        path = folder / name
        text = path.read_text() if path.exists() else ""
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new))
    return load_project(f"{folder}:{draft}" if draft else folder)
