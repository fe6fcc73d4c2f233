"""The arm as a batch: MuJoCo moves every world from its own angles and speeds, so a state is arrays alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import mujoco  # type: ignore[import-untyped]
import numpy as np
from mujoco import rollout

from tenure import Panel, Split, Step
from tenure.core.arrays import Floats, Ints
from tenure.core.errors import DataError

from .body import NOISE_M, REACH_M, STEPS, TARGET_M, tip
from .problem import OBSERVATION

INTERVAL_S = 0.02
TICKS = 2
"""Steps of MuJoCo's clock, of 0.01 s, in one decision."""
FULL = mujoco.mjtState.mjSTATE_FULLPHYSICS
FIRST: dict[Split, int] = {"train": 10**6, "selection": 2 * 10**6, "held_out": 3 * 10**6}
"""First day of each part's panel, the seed its targets are drawn by."""
DAYS: dict[Split, int] = {"train": 4, "selection": 4, "held_out": 8}
MOVES_A_DAY = 64
OPENED = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Level:
    """How hard the arm has it.

    Args:
        near: targets lie within so many metres of where the tip starts.
        noise: standard deviation of what is measured, as a share of 0.01 m, 0.05 (angles) and 1 rad/s.
        inertia: of both links, as a multiple of the normal one.
    """

    near: float
    noise: float
    inertia: float


@dataclass(frozen=True)
class Arms:
    """n arms, each on its way to a target.

    Args:
        taken: decisions so far; int64 [n].
        angles: of shoulder and elbow in rad; [n, 2].
        speeds: in rad/s; [n, 2].
        target: in metres from the shoulder; [n, 2].
        torque: of the decision before, shares of full torque; [n, 2].
        error: of the sensors now, added to what is seen; float64 [n, features].
        noise: the level's; [n].
        inertia: the level's; [n].
    """

    taken: Ints
    angles: Floats
    speeds: Floats
    target: Floats
    torque: Floats
    error: Floats
    noise: Floats
    inertia: Floats


class ArmSimulator:
    """Every world by itself: nothing an arm does reaches another."""

    levels: Mapping[str, Any] = {
        "easy": Level(near=0.1, noise=0.0, inertia=1.0),
        "normal": Level(near=1.0, noise=0.0, inertia=1.0),
        "hard": Level(near=1.0, noise=1.0, inertia=1.5),
    }

    @cached_property
    def version(self) -> str:
        """Hash of the files that make the world, MuJoCo's model and its version."""
        here = [Path(__file__).parent / name for name in ("simulator.py", "body.py")]
        parts = [path.read_bytes() for path in here] + [_described().encode(), mujoco.__version__.encode()]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:12]

    def reset(self, n: int, rng: np.random.Generator, level: str = "normal") -> Arms:
        """n arms at rest near the x axis, each with a target drawn evenly over the disc it may lie in."""
        kind: Level = self.levels[level]
        angles, speeds = rng.uniform(-0.1, 0.1, (n, 2)), rng.uniform(-0.005, 0.005, (n, 2))
        target = _targets(n, rng, kind.near)
        zero, noise = np.zeros((n, 2)), np.full(n, kind.noise)
        error = _errors(noise, rng)
        return Arms(np.zeros(n, dtype=np.int64), angles, speeds, target, zero, error, noise, np.full(n, kind.inertia))

    def panel(self, split: Split, first_day: int = 0, days: int | None = None) -> Panel:
        """The moves of whole days of one part, side by side; each was drawn by itself.

        Raises:
            DataError: the days lie outside that part.
        """
        days = DAYS[split] - first_day if days is None else days
        _check_days(split, first_day, days)
        wanted = range(first_day, first_day + days)
        drawn = [self.reset(MOVES_A_DAY, np.random.default_rng(FIRST[split] + day)) for day in wanted]
        state = Arms(**{f.name: np.concatenate([getattr(arms, f.name) for arms in drawn]) for f in fields(Arms)})
        names = tuple(f"day-{day:02d}-move-{move:02d}" for day in wanted for move in range(MOVES_A_DAY))
        opened = OPENED + timedelta(days=first_day)
        return Panel(state, STEPS, names, opened, timedelta(seconds=INTERVAL_S), independent=True)

    def observe(self, state: Arms) -> Floats:
        """What the controller measures; float32 [n, features]."""
        gap = tip(state.angles) - state.target
        exact = (np.cos(state.angles), np.sin(state.angles), state.target, state.speeds, gap, state.torque)
        return np.clip(np.concatenate(exact, axis=1) + state.error, _LOW, _HIGH).astype(np.float32)

    def step(self, state: Arms, action: Floats, rng: np.random.Generator) -> Step:
        """One decision of 0.02 s in each world; torques beyond the motors' limits are cut off there."""
        torque = np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0)
        angles, speeds = _moved(state, torque)
        taken = state.taken + 1
        after = Arms(taken, angles, speeds, state.target, torque, _errors(state.noise, rng), state.noise, state.inertia)
        distance = np.hypot(*(tip(angles) - state.target).T)
        signals = {
            "distance": distance,
            "effort": (torque**2).sum(axis=1),
            "jerk": ((torque - state.torque) ** 2).sum(axis=1),
            "miss": np.where(taken == STEPS, distance, 0.0),
            "moves": (taken == 1).astype(np.float64),
        }
        return Step(after, signals, np.zeros(len(taken), dtype=bool))


_LOW = np.array([feature.low for feature in OBSERVATION])
_HIGH = np.array([feature.high for feature in OBSERVATION])
_SCALE = np.array([0.05] * 4 + [0.0] * 2 + [1.0] * 2 + [NOISE_M / 5] * 2 + [0.0] * 2)
"""Standard deviation of each feature's error at a noise of 1, in its unit."""


def _errors(noise: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(rng.standard_normal((len(noise), len(_SCALE))) * _SCALE * noise[:, None])


def _targets(n: int, rng: np.random.Generator, near: float) -> Floats:
    """Points of the disc of 0.2 m around the shoulder that lie within `near` metres of the straight arm's tip."""
    found = rng.uniform(-TARGET_M, TARGET_M, (n, 2))
    while True:
        bad = (np.hypot(*found.T) >= TARGET_M) | (np.hypot(found[:, 0] - REACH_M, found[:, 1]) >= near)
        if not bad.any():
            return found
        found[bad] = rng.uniform(-TARGET_M, TARGET_M, (int(bad.sum()), 2))


def _moved(state: Arms, torque: Floats) -> tuple[Floats, Floats]:
    """Angles and speeds after one decision, by MuJoCo; each [n, 2]."""
    angles, speeds = state.angles.copy(), state.speeds.copy()
    for inertia in np.unique(state.inertia):
        at = state.inertia == inertia
        now = (state.angles[at], state.speeds[at], state.target[at], torque[at])
        angles[at], speeds[at] = _physics(float(inertia), *now)
    return angles, speeds


def _physics(inertia: float, angles: Floats, speeds: Floats, target: Floats, torque: Floats) -> tuple[Floats, Floats]:
    model, data = _model(inertia)
    still = np.zeros((len(angles), 1))
    before = np.concatenate([still, angles, target, speeds, still, still], axis=1)
    control = np.repeat(torque[:, None, :], TICKS, axis=1)
    states, _ = rollout.rollout(model, data, before, control)
    after = states[:, -1]
    return after[:, 1:3], after[:, 5:7]


@cache
def _model(inertia: float) -> tuple[Any, Any]:
    """MuJoCo's model with so much inertia at both joints, and room for one world to be worked out in."""
    model = mujoco.MjModel.from_xml_string(_described())
    model.dof_armature[:2] *= inertia
    assert mujoco.mj_stateSize(model, FULL) == 9, "time, 4 positions, 4 speeds"
    return model, mujoco.MjData(model)


@cache
def _described() -> str:
    return str((files("gymnasium") / "envs/mujoco/assets/reacher.xml").read_text())


def _check_days(split: Split, first_day: int, days: int) -> None:
    if not (first_day >= 0 and days >= 1 and first_day + days <= DAYS[split]):
        raise DataError(
            expected=f"days within the {DAYS[split]} of {split!r}",
            found=f"days={days} from first_day={first_day}",
            where="panel of the case 'arm'",
            fix="name days inside",
        )


simulator = ArmSimulator()
