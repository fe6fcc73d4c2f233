"""Settings of a training run; each says what it does and where its default comes from."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import msgspec

from tenure.core.errors import ProblemError, SettingsError
from tenure.core.history import History
from tenure.core.project import line_of
from tenure.core.residual import Residual
from tenure.training.confidence import Confidence
from tenure.training.curriculum import Curriculum

Scale = Literal["deviation", "robust", "none"]
SCALES = get_args(Scale)
"""Units a learner may see observations and rewards in."""
TRACKERS = ("wandb", "mlflow")
"""Experiment trackers that may be sent the curves."""


@dataclass(frozen=True)
class Settings:
    """What every recipe takes; a recipe's own settings come on top.

    Args:
        steps: decisions over all worlds; with PPO 2 million take about a minute on one core of 2026.
        worlds: worlds stepped side by side.
        learning_rate: of the networks, at the start.
        net: units of the hidden layers of each network.
        checkpoint_every: gradient steps between checkpoints, taken at the first update that reaches them; each is
            scored on the selection data. 100 to 500 is common.
        level: the simulator's level to train on.
        disturbances: what is done to the training worlds, a table with its `kind` each (docs/disturbances.md); the
            selection data, which checkpoints are scored on, stays as it is.
        baseline: train on the difference to the incumbent in a twin world, which takes out the noise both share; worlds
            that end by themselves are trained without, whatever stands here.
        dual_rate: how fast the weights of limits held by `lagrange` move; see `Duals`.
        residual: learn an adjustment of the incumbent's action within this bound, not the action (docs/residual.md).
        history: show the learner windows of the newest observations (docs/history.md).
        curriculum: train on these levels one after the other, whatever `level` says (docs/curriculum.md).
        confidence: learn how sure the policy is, and put it into the bundle (docs/confidence.md).
        without: signals whose reward terms are left out, for showing what a term is for.
        discount: weight of the next step's value in training, in (0, 1]; None takes the problem's.
        scale: units the learner sees observations and rewards in: mean and standard `deviation`; `robust`, median and
            interquartile range, which rare extremes do not move; `none` leaves them as they are.
        hide: features the learner is not shown.
        jump_start: share of the horizon, in [0, 1), of which the incumbent takes an evenly drawn part before the
            learner begins, falling to 0 over half of the training (Uchendu et al. 2022); never in the selection data.
        tracking: experiment trackers that are sent every point of the curves, `wandb` and `mlflow` (docs/metrics.md).

    Raises:
        SettingsError: a size is not positive, or a rate is out of its range.
    """

    recipe: ClassVar[str] = ""

    steps: int = 2_000_000
    worlds: int = 256
    learning_rate: float = 2e-3
    net: tuple[int, ...] = (64, 64)
    checkpoint_every: int = 200
    level: str = "normal"
    disturbances: tuple[dict[str, Any], ...] = ()
    baseline: bool = True
    dual_rate: float = 0.05
    residual: Residual | None = None
    history: History | None = None
    curriculum: Curriculum | None = None
    confidence: Confidence | None = None
    without: tuple[str, ...] = ()
    discount: float | None = None
    scale: Scale = "deviation"
    hide: tuple[str, ...] = ()
    jump_start: float = 0.0
    tracking: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.in_range(1, steps=self.steps, worlds=self.worlds, checkpoint_every=self.checkpoint_every)
        self.in_range(1, **{f"net[{place}]": units for place, units in enumerate(self.net)})
        if self.residual is not None and self.history is not None:
            raise self.wrong("a residual or a history", "both", "leave one of them out")
        if self.confidence is not None and self.history is not None:
            raise self.wrong("confidence or a history", "both", "leave one of them out")
        self.above_zero(learning_rate=self.learning_rate, dual_rate=self.dual_rate)
        if self.discount is not None and not 0 < self.discount <= 1:
            raise self.wrong("discount in (0, 1]", f"discount={self.discount}", "leave it out to take the problem's")
        if not 0 <= self.jump_start < 1:
            raise self.wrong("jump_start in [0, 1)", f"jump_start={self.jump_start}", "leave it out for none")
        if not set(self.tracking) <= set(TRACKERS):
            raise self.wrong(f"tracking some of {list(TRACKERS)}", f"tracking={list(self.tracking)}", "leave it out")
        if self.scale not in SCALES:
            raise self.wrong(f"scale one of {list(SCALES)}", f"scale={self.scale!r}")

    @property
    def hardest(self) -> str:
        """The level that units of observations and rewards are taken from: the last one trained on."""
        return self.level if self.curriculum is None else self.curriculum.levels[-1]

    @property
    def where(self) -> str:
        """What errors call these settings."""
        return f"settings of recipe {self.recipe!r}"

    def in_range(self, low: float, high: float = math.inf, **values: float) -> None:
        """Refuse values outside [low, high].

        Raises:
            SettingsError: with the value's name.
        """
        for name, value in values.items():
            if not low <= value <= high:
                bounds = f"of at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g}]"
                raise self.wrong(f"{name} {bounds}", f"{name}={value}")

    def above_zero(self, **values: float) -> None:
        """Refuse values that are not finite and above 0.

        Raises:
            SettingsError: with the value's name.
        """
        for name, value in values.items():
            if not 0 < value < math.inf:
                raise self.wrong(f"{name} above 0", f"{name}={value}")

    def wrong(self, expected: str, found: str, fix: str = "take the defaults, or change both") -> SettingsError:
        """An error about these settings."""
        return SettingsError(expected=expected, found=found, where=self.where, fix=fix)


SHORT = 16_384
"""Decisions between two moves of the learned weights of limits where updates are short; PPO's default rollout."""
EVERYWHERE = frozenset(
    {
        "steps",
        "level",
        "disturbances",
        "baseline",
        "dual_rate",
        "residual",
        "history",
        "curriculum",
        "confidence",
        "discount",
        "hide",
    }
)
"""Settings that are about the problem and its worlds, which every recipe takes from `[train]`."""


def read_train_settings(path: Path, recipe: str | None = None) -> Settings:
    """The settings to train with: `[train.NAME]` over `[train]` over the defaults of the recipe NAME.

    `[train]` names the project's `recipe` (default `ppo`) and holds its settings. Another recipe takes from there only
    what is about the problem (`EVERYWHERE`), and its own from `[train.NAME]`. `without` is no part of either: a
    problem's own reward stands in problem.py.

    Args:
        path: the project's tenure.toml, which may be missing.
        recipe: another recipe than the project's.

    Raises:
        SettingsError: the file is no TOML, there is no such recipe, or a field is unknown, of the wrong type or out of
            range.
    """
    from tenure.training.recipes import RECIPES, recipe_of

    table = _table(path)
    named = {key: value for key, value in table.items() if key in RECIPES and isinstance(value, dict)}
    own = {key: value for key, value in table.items() if key not in named}
    default = own.pop("recipe", "ppo")
    chosen = recipe_of(recipe or str(default))
    known = {field.name for field in fields(recipe_of(str(default)).settings)} - {"without"}
    _check_known(path, own, known | {"recipe"})
    taken = own if chosen.name == default else {key: value for key, value in own.items() if key in EVERYWHERE}
    _check_known(path, named.get(chosen.name, {}), {field.name for field in fields(chosen.settings)} - {"without"})
    return _converted(path, taken | named.get(chosen.name, {}), chosen.settings)


def _check_known(path: Path, table: dict[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise _in_table(path, f"one of {sorted(known)}", repr(key), key)


def _converted(path: Path, table: dict[str, Any], kind: type[Settings]) -> Settings:
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        key = said.rpartition("`$.")[2].partition("`")[0].partition("[")[0]
        raise _in_table(path, "numbers, names and lists as the recipe has them", said, key) from error
    except (SettingsError, ProblemError) as error:
        raise _in_table(path, error.expected, error.found, "") from error


def _table(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text()).get("train", {}) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _in_table(path, "a file of TOML", str(error), "") from error
    if not isinstance(found, dict):
        raise _in_table(path, "a table [train]", repr(found), "")
    return found


def _in_table(path: Path, expected: str, found: str, key: str) -> SettingsError:
    where = f"{line_of(path, '[train]')}{f', train.{key}' if key else ''}"
    return SettingsError(expected=expected, found=found, where=where, fix="mend the table, or leave the field out")
