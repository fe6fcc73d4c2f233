"""From a family and a seed to a project folder and settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.diagnosis.families import FAMILIES, SMALL, Drawn, Family
from tenure.core.project import Project, load_project
from tenure.training import RECIPES
from tenure.training.settings import Settings

FILES = {
    "problem.py": "from benchmarks.diagnosis.world import Incumbent, params_of, problem_of\n"
    "problem = problem_of(params_of(__file__))\nincumbent = Incumbent(params_of(__file__))\n",
    "simulator.py": "from benchmarks.diagnosis.world import World, params_of\nsimulator = World(params_of(__file__))\n",
    "bound.py": "from benchmarks.diagnosis.world import bound_of, params_of\n\n\n"
    "def bound(panel):\n    return bound_of(params_of(__file__), panel)\n",
}


def drawn(family: Family, seed: int) -> Drawn:
    """The family's problem of that seed; no two families share a stream."""
    return family.draw(np.random.default_rng([seed, FAMILIES.index(family)]))


def project_in(folder: Path, one: Drawn, *, mended: bool = False, bound: bool = True) -> Project:
    """The project of a problem, as it is or with what its world lacks; with its bound, or as one nobody knows it of."""
    folder.mkdir(parents=True, exist_ok=True)
    params = msgspec.structs.replace(one.params, **one.mended) if mended else one.params
    (folder / "params.json").write_bytes(msgspec.json.encode(params))
    for name, text in FILES.items():
        if name == "bound.py" and not bound:
            continue
        (folder / name).write_text(text)
    return load_project(folder)


def settings_of(one: Drawn) -> Settings:
    """What it is trained with."""
    return _converted(one.recipe, {**SMALL[one.recipe], **one.settings})


def mended_of(one: Drawn) -> Settings:
    """The same with only what is broken changed."""
    if "recipe" in one.mend:
        recipe = str(one.mend["recipe"])
        return replace(RECIPES[recipe].settings(), **_own(recipe, settings_of(one)))
    mend = dict(one.mend)
    if "hide" in mend:
        mend["hide"] = [f"x{one.params.facts + one.params.idle}"]
    return _converted(one.recipe, {**SMALL[one.recipe], **one.settings, **mend})


def _own(recipe: str, settings: Settings) -> dict[str, Any]:
    """As many decisions, in a size that fits."""
    if recipe == "bandit":
        return {"steps": settings.steps}
    small = {name: value for name, value in SMALL[recipe].items() if name not in ("steps", "net")}
    return {**small, "steps": settings.steps, "net": settings.net}


def _converted(recipe: str, fields: dict[str, Any]) -> Settings:
    return msgspec.convert(fields, RECIPES[recipe].settings)
