"""A new project's folder: checked, then written whole; nothing that exists is touched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tenure.core.errors import ProjectError

COPIED_BYTES = 20_000_000
"""Size up to which a log is copied into the folder."""
OWN = ("problem.py", "simulator.py")
"""Files every project to copy has."""
LEFT_BEHIND = ("__pycache__", "__init__.py", "tune.py", "compare.py")
"""Parts of a shipped case that only work in their place: its tools import it by its own name."""
SKELETON = Path(__file__).parent / "skeleton"
"""A small working world, for those who begin with neither log nor case."""


def checked_target(name: str, parent: Path) -> Path:
    """The folder to be made: a good name, and nothing in it yet.

    Raises:
        ProjectError: the name is no name of a problem, or something is there already.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise ProjectError(
            expected="a name of letters, digits, '-' and '_' that begins with a letter",
            found=repr(name),
            where="tenure init NAME",
            fix="choose such a name; it becomes a folder here and part of the server's addresses",
        )
    target = parent / name
    if target.is_dir() and not any(target.iterdir()):
        return target
    if target.exists() or target.is_symlink():
        raise ProjectError(
            expected=f"no {name!r} here yet, or an empty folder",
            found="a folder with files in it" if target.is_dir() else "a file of that name",
            where=str(target),
            fix="choose another name, or move what is there; nothing is ever overwritten",
        )
    return target


def write_files(target: Path, files: Mapping[str, str], copies: Mapping[str, Path]) -> list[str]:
    """Write texts and copies below a folder; gives the paths, in order.

    Raises:
        ProjectError: a file cannot be written, or is there already.
    """
    try:
        for path, text in files.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("x", encoding="utf-8") as file:
                file.write(text)
        for path, source in copies.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                raise FileExistsError(17, "it is there already", str(place))
            shutil.copyfile(source, place)
    except OSError as error:
        raise ProjectError(
            expected="a folder that can be written",
            found=error.strerror or str(error),
            where=str(error.filename or target),
            fix="give this user the right to write here, or run it elsewhere",
        ) from error
    return sorted((*files, *copies))


def files_of_project(folder: Path, name: str) -> tuple[dict[str, str], dict[str, Path]]:
    """What a copy of a project holds: its texts under the new name, and files that are copied as they are.

    Args:
        folder: of the project.
        name: of the copy.
    """
    texts, copies = {}, {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inside = path.relative_to(folder)
        if set(inside.parts) & set(LEFT_BEHIND):
            continue
        if path.suffix == ".py":
            texts[str(inside)] = path.read_text(encoding="utf-8")
        else:
            copies[str(inside)] = path
    texts["problem.py"] = renamed(texts["problem.py"], name)
    return texts, copies


def renamed(text: str, name: str) -> str:
    """A problem.py whose problem has another name.

    >>> renamed('problem = Problem(\\n    name="bikes",\\n    about="name=x")', "mine")
    'problem = Problem(\\n    name="mine",\\n    about="name=x")'
    """
    return re.sub(r'(Problem\(\s*name=)"[^"]*"', rf'\g<1>"{name}"', text, count=1)
