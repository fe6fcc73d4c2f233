"""What was found about a reward, kept beside the problem's runtime files, and whether it still holds.

Under `<home>/<problem>/reward/`: `check.json` and `audit.json`, the newest of each, and `history.jsonl`. Each result
names its sources, so that nobody leans on a check of another reward, another world or other scenarios.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tenure.core.clock import to_text
from tenure.core.errors import ProjectError
from tenure.core.evidence import Finding, Verdict
from tenure.core.plain import finite
from tenure.core.project import CASES, Project
from tenure.design.reward.history import remember

Kind = Literal["check", "audit"]

FOLDER = "reward"
"""Folder of a problem's runtime files in which all this lies."""


CALLED = {
    "problem.py": "the rules in problem.py",
    "scenarios.py": "the scenarios in scenarios.py",
    "scenarios.toml": "the scenarios in scenarios.toml",
}
"""What people call a file's content; every other file goes by its path."""


def sources_of(project: Project) -> dict[str, str]:
    """Short hashes of all that a check or audit rests on, by what people call it; take them before it is made.

    All code and settings of the folder, since any file may be imported by another; data and hidden folders are left
    out. A simulator's version is taken too, for what it counts beyond its files, such as its data.
    """
    files = {CALLED.get(name, name): _hash_of(project.folder / name) for name in _code_of(project.folder)}
    problem = project.problem
    return {
        "the reward": problem.reward_version,
        "the problem": problem.version,
        "the simulator": project.simulator.version if (project.folder / "simulator.py").exists() else "",
        **files,
    }


def write_result(
    project: Project, folder: Path, kind: Kind, result: Mapping[str, Any], at: datetime, sources: Mapping[str, str]
) -> Path:
    """Keep the newest check or audit, whole or not at all, and remember the reward's version; gives the path.

    Args:
        project: what was looked at.
        folder: the problem's runtime files.
        kind: `check` or `audit`.
        result: plain fields; at least `verdict` and `findings`.
        at: when, UTC.
        sources: `sources_of` the project from before it was looked at: a file may change meanwhile.
    """
    path = folder / FOLDER / f"{kind}.json"
    write_whole(path, {**result, "at": to_text(at), "sources": dict(sources)})
    remember(path.with_name("history.jsonl"), project.problem, at)
    return path


def read_result(folder: Path, kind: Kind) -> dict[str, Any] | None:
    """The newest check or audit; None where there is none.

    Raises:
        ProjectError: the file is damaged.
    """
    path = folder / FOLDER / f"{kind}.json"
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        _check_result(found)
    except (ValueError, KeyError, TypeError) as error:
        raise ProjectError(
            expected=f"what `tenure reward {kind}` wrote",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
            fix=f"run `tenure reward {kind}` again; it replaces the file",
        ) from error
    return found


def changed_sources(project: Project, result: Mapping[str, Any]) -> list[str]:
    """What has changed since a result was written, in people's words; empty where it still holds."""
    then, now = result["sources"], sources_of(project)
    return [name for name in {**now, **then} if then.get(name) != now.get(name)]


def current_pass(project: Project, folder: Path) -> Finding:
    """Whether `reward check` passed on the sources as they are now; without a current one, inconclusive.

    Args:
        project: what is to be trained.
        folder: the problem's runtime files.
    """
    result = read_result(folder, "check")
    if result is None:
        return Finding("reward_check", Verdict.INCONCLUSIVE, "the reward has not been checked")
    changed = changed_sources(project, result)
    if changed:
        return Finding("reward_check", Verdict.INCONCLUSIVE, f"{' and '.join(changed)} changed since the last check")
    verdict = Verdict[result["verdict"].upper()]
    broken = [f"{each['gate']}: {each['reason']}" for each in result["findings"] if each["verdict"] == verdict.word]
    reason = f"the check of {result['at']} passed" if verdict is Verdict.PASS else "; ".join(broken) or verdict.word
    return Finding("reward_check", verdict, reason)


def require_check(project: Project, folder: Path) -> None:
    """Refuse to go on without a current pass of `reward check`.

    Args:
        project: what is to be trained.
        folder: the problem's runtime files.

    Raises:
        ProjectError: there is none.
    """
    found = current_pass(project, folder)
    if found.verdict is not Verdict.PASS:
        raise ProjectError(
            expected="a current pass of `tenure reward check`",
            found=f"{found.verdict.word}: {found.reason}",
            where=f"{folder / FOLDER}",
            fix=f"run `tenure reward check {argument_of(project)}`, and mend what it names",
        )


def argument_of(project: Project) -> str:
    """What a person types for P to mean this project."""
    return project.place.removeprefix(f"{CASES}/")


def _check_result(found: Mapping[str, Any]) -> None:
    """Nothing is missing that is read later; else KeyError or TypeError."""
    Verdict[str(found["verdict"]).upper()], found["at"]
    if not isinstance(found["sources"], dict) or not isinstance(found["findings"], list):
        raise TypeError("`sources` must map names to hashes, and `findings` must be a list")
    for each in found["findings"]:
        each["gate"], each["verdict"], each["reason"]


def _code_of(folder: Path) -> list[str]:
    """Code and settings in a folder and below it, by path from there."""
    inside = (path.relative_to(folder) for kind in ("*.py", "*.toml") for path in folder.rglob(kind))
    return sorted(path.as_posix() for path in inside if not any(part.startswith(".") for part in path.parts))


def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def write_whole(path: Path, fields: Mapping[str, Any]) -> None:
    """Plain fields as a JSON file, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(finite(fields), indent=1, default=str, allow_nan=False)
    half = path.with_name(f".{path.name}.half")
    try:
        with half.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
