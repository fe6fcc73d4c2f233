"""A fix as a change of tenure.toml: comments and order stay, the file before is kept, what changed is shown."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError

from tenure.core.errors import SettingsError, TenureError
from tenure.core.project import CASES
from tenure.training.settings import EVERYWHERE, read_train_settings

BACKUP = "tenure.toml.before"
"""The file as it was, beside the changed one."""


def applied(text: str, recipe: str, settings: Mapping[str, Any]) -> str:
    """The text of tenure.toml with these settings for a recipe.

    They go into `[train]` where the project's recipe is this one, else into `[train.RECIPE]`; where a field stands in
    `[train.RECIPE]` already, it is changed there, since that goes before `[train]`.

    Args:
        text: of the file; empty for none.
        recipe: that the run was trained with.
        settings: fields with their new values; `recipe` alone changes the project's recipe.

    Raises:
        SettingsError: the text is no TOML, or `train` is no table.

    >>> print(applied("[train]\\nsteps = 5  # few\\n", "ppo", {"discount": 0.9}), end="")
    [train]
    steps = 5  # few
    discount = 0.9
    """
    document = _parsed(text)
    if "train" not in document:
        document["train"] = tomlkit.table()
    train: Any = document["train"]
    given = dict(settings)
    if given.get("recipe", recipe) != recipe:
        _hand_over(train, recipe)
        _put(train, "recipe", given["recipe"])
    recipe = given.pop("recipe", recipe)
    for name, value in given.items():
        if name in train.get(recipe, {}) or train.get("recipe", "ppo") != recipe:
            _put(_table(train, recipe), name, value)
        else:
            _put(train, name, value)
    return tomlkit.dumps(document)


def _hand_over(train: Any, recipe: str) -> None:
    """Keep for the recipe that goes what another one cannot take, in a table of its own."""
    own = [name for name in train if name not in EVERYWHERE | {"recipe"} and not hasattr(train[name], "items")]
    for name in own:
        value = train[name]
        train.remove(name)
        if name not in train.get(recipe, {}):
            _table(train, recipe)[name] = value


def _table(train: Any, recipe: str) -> Any:
    """The table of a recipe, made where there is none."""
    if recipe not in train:
        train[recipe] = tomlkit.table()
    return train[recipe]


def apply(folder: Path, recipe: str, settings: Mapping[str, Any]) -> str:
    """Change the project's tenure.toml, keep the file before beside it, and give the difference.

    Args:
        folder: of the project.
        recipe: that the run was trained with.
        settings: fields with their new values.

    Raises:
        SettingsError: the case is packaged, the file is no TOML, or the settings that came out are none.
    """
    if folder.is_relative_to(CASES):
        raise _packaged(folder, recipe, settings)
    path = folder / "tenure.toml"
    before = path.read_text() if path.exists() else ""
    after = applied(before, recipe, settings)
    (folder / BACKUP).write_text(before)
    path.write_text(after)
    try:
        read_train_settings(path, str(settings.get("recipe", recipe)))
    except TenureError:
        path.write_text(before)
        raise
    lines = unified_diff(before.splitlines(), after.splitlines(), BACKUP, "tenure.toml", lineterm="")
    return "\n".join(lines)


def _put(table: Any, name: str, value: Any) -> None:
    """A field among the plain ones of a table, before any table within it."""
    if name in table or not any(hasattr(item, "items") for item in table.values()):
        table[name] = _item(value)
        return
    inner = [(key, table[key]) for key in list(table) if hasattr(table[key], "items")]
    for key, _ in inner:
        table.remove(key)
    table[name] = _item(value)
    for key, item in inner:
        table[key] = item


def _item(value: Any) -> Any:
    """A value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        found = tomlkit.inline_table()
        found.update(value)
        return found
    return tomlkit.item(list(value) if isinstance(value, tuple) else value)


def _parsed(text: str) -> tomlkit.TOMLDocument:
    try:
        document = tomlkit.parse(text)
    except ParseError as error:
        raise _wrong("a file of TOML", str(error)) from error
    if not isinstance(document.get("train", {}), Mapping):
        raise _wrong("a table [train]", repr(document["train"]))
    return document


def _wrong(expected: str, found: str) -> SettingsError:
    return SettingsError(expected=expected, found=found, where="tenure.toml", fix="mend the file by hand")


def _packaged(folder: Path, recipe: str, settings: Mapping[str, Any]) -> SettingsError:
    lines = applied("", recipe, settings).strip().replace("\n", "; ")
    return SettingsError(
        expected="a project folder of your own, whose tenure.toml may be changed",
        found=f"the packaged case {folder.name!r}",
        where=str(folder / "tenure.toml"),
        fix=f"`tenure init NAME --case {folder.name}` copies it; then put into its tenure.toml: {lines}",
    )
