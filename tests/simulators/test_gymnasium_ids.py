"""Ids of modules that register them: imported first, and whatever is missing is named with the fix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gymnasium
import pytest

from tenure.core.errors import ProjectError
from tenure.simulators.gymnasium_ids import spec_of

MODULE = """
import gymnasium

class Shop(gymnasium.Env):
    pass

gymnasium.register("Town/Shop-v0", entry_point="{name}:Shop", max_episode_steps=9)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the module path; what its modules registered is forgotten again."""
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(gymnasium.registry)
    yield tmp_path
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def test_an_id_of_a_module_is_found_by_importing_the_module_first(here: Path) -> None:
    (here / "town_a.py").write_text(MODULE.format(name="town_a"))
    assert spec_of("town_a:Town/Shop-v0").max_episode_steps == 9
    assert spec_of("CartPole-v1").id == "CartPole-v1"


def test_an_id_nobody_registered_asks_for_its_module(here: Path) -> None:
    with pytest.raises(ProjectError, match=r"Namespace Place not found.*such as my_envs:Place/Shop-v0"):
        spec_of("Place/Shop-v0")


def test_a_module_that_registers_other_ids_is_told_with_what_it_has(here: Path) -> None:
    (here / "town_b.py").write_text(MODULE.format(name="town_b"))
    with pytest.raises(ProjectError, match=r"it registers \['Town/Shop-v0'\]; add gymnasium.register\('Town/Shp-v0'"):
        spec_of("town_b:Town/Shp-v0")


def test_a_module_that_is_not_there_is_told_with_the_folder_it_was_looked_for_in(here: Path) -> None:
    with pytest.raises(ProjectError, match=r"expected a module 'town_c.envs', in the current folder .*town_c.py lies"):
        spec_of("town_c.envs:Town/Shop-v0")


@pytest.mark.parametrize(("line", "words"), [
    ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("def (", "SyntaxError"),
])  # fmt: skip
def test_a_module_that_cannot_be_imported_is_told_with_its_line(here: Path, line: str, words: str) -> None:
    name = f"town_d{len(line)}"
    (here / f"{name}.py").write_text(f"\n{line}\n")
    with pytest.raises(ProjectError, match=rf"{words}.*{name}.py:2"):
        spec_of(f"{name}:Town/Shop-v0")
