"""Docs are tested: what is generated is current, what is quoted exists."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from tenure.cli.main import app

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def test_the_reference_page_is_what_the_code_says_today() -> None:
    generated = runpy.run_path(str(ROOT / "docs" / "generate.py"))["page"]()
    assert generated == (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), "run `make docs`"


def test_every_error_a_client_can_be_sent_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name in ("core/errors.py", "serving/hot.py"):
        source = (ROOT / "src" / "tenure" / name).read_text(encoding="utf-8")
        for error in re.findall(r"^class (\w+Error)\(", source, re.MULTILINE):
            assert f"| `{error}` |" in page, error


def commands() -> list[list[str]]:
    """Every `tenure ...` command quoted in a code block of the pages."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```(?:bash|sh)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            found += [shlex.split(line, comments=True) for line in block.splitlines() if "tenure " in line]
    return [words[words.index(next(filter(is_program, words))) + 1 :] for words in found if words]


def is_program(word: str) -> bool:
    """Whether a word of a command line is the program, not a variable set before it."""
    return Path(word).name == "tenure" and "=" not in word


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_in_the_readme_exists_with_its_options(words: list[str]) -> None:
    from typer.testing import CliRunner

    groups = {group.name for group in app.registered_groups}
    verb = words[: 2 if words[0] in groups else 1]
    help_text = CliRunner().invoke(app, [*verb, "--help"])
    assert help_text.exit_code == 0, words
    for option in (word for word in words if word.startswith("--")):
        assert option in help_text.stdout, option


def test_no_page_names_a_file_that_does_not_exist() -> None:
    for page in PAGES:
        for name in re.findall(r"`((?:src|tests|benchmarks|docs)/[\w./-]+)`", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.name} names {name}"
