"""The files of deploy/, as text and as what they mean."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CLOUDS = ("aws", "gcp", "azure")
EVERY = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts)
"""What the repository has; secrets are made by whoever runs the compose file."""
YAML = [path for path in EVERY if path.suffix == ".yaml"]

PAGE = ROOT / "docs" / "deploy.md"

_SHELL = re.compile(r"(?<![\w./~-])tenure ((?:[a-z][a-z-]+ )(?:[^'\"&|;#`\n]|\"[^\"\n]*\")*)")
_IN_IMAGE = re.compile(r"run --rm (?:server|train) (\w.*)")
_LIST = re.compile(r"^\s*(?:args:|command:|CMD) (\[.*\])", re.MULTILINE)


@cache
def documents(path: Path) -> tuple[Any, ...]:
    """What a YAML file says."""
    return tuple(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def document(path: Path, kind: str) -> Any:
    """The one document of a kind in a manifest."""
    (found,) = (each for each in documents(path) if each["kind"] == kind)
    return found


def commands(path: Path) -> list[list[str]]:
    """Every command line of `tenure` in a file: in the shell, in comments, and as a list, which our images run.

    A list that names a program of its own, as that of a health check does, is no such list.
    """
    text = path.read_text(encoding="utf-8")
    lists = [yaml.safe_load(found) for found in _LIST.findall(text)]
    shells = [shlex.split(found) for found in (*_SHELL.findall(text), *_IN_IMAGE.findall(text))]
    return shells + [each for each in lists if each[0] not in ("python", "sh")]
