"""The files of a new project, as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tenure.design.starting.draft import Draft
from tenure.design.starting.names import literal, markdown, remark

TEMPLATES = Path(__file__).parent / "templates"
FROM_A_LOG = {
    "problem.py": "problem.py.j2",
    "data.py": "data.py.j2",
    "simulator.py": "simulator.py.j2",
    "scenarios.py": "scenarios.py.j2",
    "tenure.toml": "tenure.toml.j2",
}
OF_ANY = {
    "ruff.toml": "ruff.toml.j2",
    "tests/test_reward.py": "test_reward.py.j2",
    "tests/test_simulator.py": "test_simulator.py.j2",
}


def files_from_log(draft: Draft, log: str, *, copied: bool) -> dict[str, str]:
    """Every file of a project that starts from a log, by its path in the folder.

    Args:
        draft: what was guessed.
        log: name of the copy in data/, or the path to the log itself from the folder.
        copied: there is a copy.
    """
    outcome, measured = draft.signals[0], draft.signals[1:]
    low, _, high = outcome.typical
    told: dict[str, Any] = {
        **{name: getattr(draft, name) for name in Draft.__dataclass_fields__},
        "discount": draft.discount,
        "outcome": outcome,
        "measured": measured,
        "best": low if outcome.better == "lower" else high,
        "worst": high if outcome.better == "lower" else low,
        "log": log,
        "copied": copied,
    }
    return {path: _rendered(template, told) for path, template in FROM_A_LOG.items()} | files_of_any(
        draft.name, f"from the log {draft.path.name}", told | {"data": True}
    )


def files_of_any(name: str, origin: str, told: Mapping[str, Any]) -> dict[str, str]:
    """The files that every new project has: tests, a style and a README.

    Args:
        name: of the project.
        origin: what it was started from, in words.
        told: what was guessed; empty where nothing was.
    """
    readme = _rendered("README.md.j2", {"data": False, "guesses": (), **told, "name": name, "origin": origin})
    return {path: _rendered(template, {}) for path, template in OF_ANY.items()} | {"README.md": readme}


def _rendered(template: str, told: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(told)


@cache
def _environment() -> Environment:
    found = Environment(  # noqa: S701  # what is written is Python, TOML and Markdown; `literal` quotes what is foreign
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    found.filters |= {"q": literal, "n": number, "remark": remark, "words": words, "md": markdown}
    return found


def number(value: float) -> str:
    """A number as Python writes it, whole ones without a fraction.

    >>> number(3.0), number(0.1), number(-2)
    ('3', '0.1', '-2')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def words(text: str) -> str:
    """A sentence as part of one line, whatever headers it quotes.

    >>> words('a\\n"b" | c')
    'a b / c'
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text).replace("|", "/")
    return plain.replace('"', "").replace("\\", "")
