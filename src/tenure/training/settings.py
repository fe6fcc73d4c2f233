"""Settings of the PPO recipe; each says what it does and where its default comes from."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from tenure.core.errors import SettingsError
from tenure.core.project import line_of


@dataclass(frozen=True)
class PPOSettings:
    """Proximal policy optimisation (Schulman et al. 2017) on a batch of worlds.

    Args:
        steps: decisions over all worlds; 2 million take about a minute on one core of 2026.
        worlds: worlds stepped side by side.
        rollout: steps of each world between two updates.
        batch: decisions per gradient step.
        epochs: passes over each rollout.
        learning_rate: at the start; it falls linearly to 1 % of this, which made the worst seed good.
        gae_lambda: generalised advantage estimation (Schulman et al. 2016), in [0, 1].
        entropy: weight of the policy's entropy in the loss, at least 0; more keeps it trying longer.
        net: units of the hidden layers of policy and value networks.
        checkpoint_every: gradient steps between checkpoints, taken at the first update that reaches them; each is
            scored on the selection data.
        level: the simulator's level to train on.
        disturbances: what is done to the training worlds, a table with its `kind` each (docs/disturbances.md); the
            selection data, which checkpoints are scored on, stays as it is.
        baseline: train on the difference to the incumbent in a twin world, which takes out the noise both share; worlds
            that end by themselves are trained without, whatever stands here.
        dual_rate: how fast the weights of limits held by `lagrange` move; see `Duals`.
        without: signals whose reward terms are left out, for showing what a term is for.

    Raises:
        SettingsError: a size is not positive, the batch does not divide the rollout, or a rate is out of its range.
    """

    steps: int = 2_000_000
    worlds: int = 256
    rollout: int = 64
    batch: int = 2048
    epochs: int = 6
    learning_rate: float = 2e-3
    gae_lambda: float = 0.95
    net: tuple[int, ...] = (64, 64)
    entropy: float = 0.0
    checkpoint_every: int = 200
    level: str = "normal"
    disturbances: tuple[dict[str, Any], ...] = ()
    baseline: bool = True
    dual_rate: float = 0.05
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.steps, self.worlds, self.rollout, self.batch, self.epochs, self.checkpoint_every, *self.net)
        per_update = self.worlds * self.rollout
        if min(sizes) >= 1 and self.steps < per_update:
            update = f"worlds x rollout = {self.worlds:,} x {self.rollout:,}"
            raise SettingsError(
                expected=f"at least {per_update:,} steps, those of one update ({update})",
                found=f"{self.steps:,} steps",
                where="settings of the PPO recipe",
                fix=f"give --steps {per_update} or more, or make worlds or rollout smaller in [train] of tenure.toml",
            )
        if min(sizes) < 1 or per_update % self.batch or self.batch < 2:
            raise _wrong(
                f"positive sizes, a batch of at least 2 that divides worlds * rollout = {per_update}",
                f"steps={self.steps}, batch={self.batch}, sizes={sizes}",
            )
        rates = (self.learning_rate, self.dual_rate)
        if not (all(0 < rate < math.inf for rate in rates) and 0 <= self.gae_lambda <= 1 and self.entropy >= 0):
            raise _wrong(
                "learning_rate and dual_rate above 0, gae_lambda in [0, 1], entropy of at least 0",
                f"learning_rate={self.learning_rate}, dual_rate={self.dual_rate}, gae_lambda={self.gae_lambda}, "
                f"entropy={self.entropy}",
            )


def read_train_settings(path: Path) -> PPOSettings:
    """The table `[train]` of a project's tenure.toml over the recipe's defaults; no file or table leaves these.

    `without` is no part of it: a problem's own reward stands in problem.py.

    Raises:
        SettingsError: the file is no TOML, or a field is unknown, of the wrong type or out of range.
    """
    table = _table(path)
    known = {field.name for field in fields(PPOSettings)} - {"without"}
    for key in table:
        if key not in known:
            raise _in_table(path, f"one of {sorted(known)}", repr(key), key)
    try:
        return msgspec.convert(table, PPOSettings)
    except msgspec.ValidationError as error:
        said = str(error)
        key = said.rpartition("`$.")[2].partition("`")[0].partition("[")[0]
        raise _in_table(path, "numbers, names and lists as the recipe has them", said, key) from error
    except SettingsError as error:
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


def _wrong(expected: str, found: str) -> SettingsError:
    fix = "take the defaults, or change them together"
    return SettingsError(expected=expected, found=found, where="settings of the PPO recipe", fix=fix)
