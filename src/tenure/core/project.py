"""A project folder: its modules loaded as one package, so that they may import each other."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from tenure.core.errors import ProjectError, TenureError
from tenure.core.policy import Policy
from tenure.core.problem import Problem
from tenure.core.reward import Reward
from tenure.core.simulator import Simulator

CASES = Path(__file__).resolve().parent.parent / "cases"
"""Where the shipped cases lie."""


@dataclass(frozen=True)
class Project:
    """A problem with everything its folder says about it; modules load when first asked for.

    Args:
        folder: where problem.py lies.
        draft: name of another reward to take instead, one of `drafts`; empty takes the problem's own.
    """

    folder: Path
    draft: str = ""

    @cached_property
    def problem(self) -> Problem:
        """`problem` of problem.py; with a draft, the same under another name and with that reward."""
        found = self._attribute("problem", "problem")
        if not isinstance(found, Problem):
            raise _wrong(self.folder / "problem.py", "problem = Problem(...)", type(found).__name__)
        if not self.draft:
            return found
        if self.draft not in self.drafts:
            raise _no_draft(self.folder / "problem.py", self.draft, sorted(self.drafts))
        try:
            return replace(found, name=f"{found.name}-{self.draft}", reward=self.drafts[self.draft])
        except TenureError as error:
            raise _located(error, self.folder / "problem.py") from error

    @property
    def drafts(self) -> Mapping[str, Reward]:
        """Other rewards by name, `drafts` of problem.py: what was tried, and why it was not taken; empty without."""
        drafts: Mapping[str, Reward] = self.optional("problem", "drafts") or {}
        return drafts

    @property
    def place(self) -> str:
        """What `load_project` takes to load the same again, in another process too."""
        return f"{self.folder}:{self.draft}" if self.draft else str(self.folder)

    @cached_property
    def incumbent(self) -> Policy:
        """`incumbent` of problem.py: the rule that decides today."""
        incumbent: Policy = self._attribute("problem", "incumbent")
        return incumbent

    @cached_property
    def rules(self) -> dict[str, Policy]:
        """Further rules to compare with, `rules` of problem.py; empty where there is none."""
        rules: dict[str, Policy] = getattr(self._module("problem"), "rules", {})
        return rules

    @cached_property
    def simulator(self) -> Simulator:
        """`simulator` of simulator.py."""
        simulator: Simulator = self._attribute("simulator", "simulator")
        return simulator

    @cached_property
    def bound(self) -> Any:
        """`bound` of bound.py: from a panel to the best possible signals; None where there is none."""
        return self._attribute("bound", "bound") if (self.folder / "bound.py").exists() else None

    def optional(self, module: str, name: str) -> Any:
        """A module-level name of a file that a project may leave out; None where the file or the name is missing."""
        return getattr(self._module(module), name, None) if (self.folder / f"{module}.py").exists() else None

    @property
    def settings_path(self) -> Path:
        """The folder's tenure.toml."""
        return self.folder / "tenure.toml"

    def _attribute(self, module: str, name: str) -> Any:
        found = getattr(self._module(module), name, None)
        if found is None:
            raise _wrong(self.folder / f"{module}.py", f"a module-level name `{name}`", "none")
        return found

    def _module(self, name: str) -> ModuleType:
        path = self.folder / f"{name}.py"
        if not path.exists():
            raise _wrong(path, f"a file {name}.py", "no such file")
        package = _package(self.folder)
        full_name = f"{package}.{name}"
        if full_name in sys.modules:
            return sys.modules[full_name]
        return _execute(full_name, path)


def load_project(name_or_folder: str | Path) -> Project:
    """The project of a folder, or of a shipped case's name; `NAME:DRAFT` takes one of its other rewards.

    Raises:
        ProjectError: neither a folder with a problem.py nor a shipped case.
    """
    name, _, draft = str(name_or_folder).partition(":")
    folder, shipped = Path(name), CASES / name
    if not folder.is_dir() and len(folder.parts) == 1 and (shipped / "problem.py").exists():
        folder = shipped
    if not folder.is_dir():
        raise _no_project(folder)
    if not (folder / "problem.py").exists():
        raise _wrong(folder, "a project folder with a problem.py", "no problem.py")
    return Project(folder.resolve(), draft)


def _package(folder: Path) -> str:
    """Name of the package that stands for a folder; made on first use."""
    name = f"tenure_project_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _execute(full_name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(full_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    try:
        spec.loader.exec_module(module)
    except TenureError as error:
        del sys.modules[full_name]
        raise _located(error, path) from error
    except Exception as error:
        del sys.modules[full_name]
        where = _raised_at(path, error)
        raise _wrong(where, "a module that can be imported", f"{type(error).__name__}: {error}") from error
    return module


def _raised_at(path: Path, error: Exception) -> str:
    """The last line of the project's own that led to an error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == path.parent]
    return f"{lines[-1].filename}:{lines[-1].lineno}" if lines else str(path)


def line_of(path: Path, text: str) -> str:
    """Where a text first stands in a file, as `file:line`; the file alone where it does not.

    Args:
        path: the file.
        text: what to look for, such as a name with its quotes.
    """
    lines = path.read_text().splitlines() if path.exists() else []
    found = next((number for number, line in enumerate(lines, 1) if text in line), None)
    return str(path) if found is None else f"{path}:{found}"


def _located(error: TenureError, path: Path) -> TenureError:
    """The same error with the line at fault in front: where the name stands that was found, else what was called."""
    if str(path) in error.where:
        return error
    names = re.findall(r"'([^']+)'", f"{error.found} {error.where}")
    places = (line_of(path, f'"{name}"') for name in names)
    place = next((place for place in places if ":" in place[len(str(path)) :]), _raised_at(path, error))
    return type(error)(expected=error.expected, found=error.found, where=f"{place}, {error.where}", fix=error.fix)


def _no_project(folder: Path) -> ProjectError:
    """Neither a folder nor a case: what was looked for, where, and what there is."""
    cases = sorted(path.parent.name for path in CASES.glob("*/problem.py"))
    near = get_close_matches(folder.name, cases, n=1)
    return ProjectError(
        expected=f"a project folder, or one of the shipped cases {cases}",
        found=f"{str(folder)!r}, which is {'a file' if folder.is_file() else 'neither'}",
        where=f"looked for as a folder {folder.absolute()}, and among the shipped cases",
        fix=f"did you mean {near[0]!r}?" if near else "name a folder with a problem.py; `tenure init NAME` makes one",
    )


def _no_draft(problem: Path, draft: str, known: list[str]) -> ProjectError:
    return ProjectError(
        expected=f"one of the drafts {known}" if known else "no colon: this project has no drafts",
        found=repr(draft),
        where=f"{line_of(problem, 'drafts')}, drafts",
        fix="name one of these" if known else "leave it out, or add the reward to `drafts` in problem.py",
    )


def _wrong(path: Path | str, expected: str, found: str) -> ProjectError:
    fix = "see the shipped case 'bikes' for a complete project folder"
    return ProjectError(expected=expected, found=found, where=str(path), fix=fix)
