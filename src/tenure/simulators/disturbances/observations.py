"""Readings that come late, noisy, not at all, or again and again the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from tenure.core.arrays import Bools, Floats, Ints
from tenure.core.problem import Problem
from tenure.core.simulator import Simulator
from tenure.simulators.disturbances.observed import History, Observed, Shown, columns, merged
from tenure.simulators.disturbances.wrapper import refused


@dataclass(frozen=True)
class ObservationDelay:
    """Readings are `steps` decisions old; before there are such, the world's first reading is shown.

    Args:
        steps: how old, at least 0.
        features: which; empty means all.
    """

    steps: int
    features: tuple[str, ...] = ()
    layer: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check(self, self.steps >= 0, "steps of at least 0", f"{self.steps}")

    @property
    def idle(self) -> bool:
        """It delays by nothing."""
        return self.steps == 0

    def around(self, problem: Problem, simulator: Simulator) -> Observed:
        """The simulator under this disturbance."""
        columns(self, problem, self.features)
        return Observed(problem, simulator, self)

    def first(self, problem: Problem, seen: Floats, rng: np.random.Generator) -> History:  # noqa: ARG002
        """The first reading, as if it had always been so."""
        return History(seen, np.repeat(seen[:, None], self.steps + 1, axis=1), np.zeros((len(seen), 0), np.int64))

    def update(self, problem: Problem, memory: History, seen: Floats, rng: np.random.Generator) -> History:  # noqa: ARG002
        """The oldest reading kept."""
        kept = np.concatenate([memory.kept[:, 1:], seen[:, None]], axis=1)
        return History(merged(seen, kept[:, 0], columns(self, problem, self.features)), kept, memory.delay)


@dataclass(frozen=True)
class NetworkDelay:
    """Readings travel 0 to `most` decisions, each number equally likely; the newest that has arrived is shown.

    All features named travel in one message. A later message may arrive first; then the earlier one is never shown.

    Args:
        most: longest time a message takes, in decisions, at least 0.
        features: which; empty means all.
    """

    most: int
    features: tuple[str, ...] = ()
    layer: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check(self, self.most >= 0, "a `most` of at least 0", f"{self.most}")

    @property
    def idle(self) -> bool:
        """Every message arrives at once."""
        return self.most == 0

    def around(self, problem: Problem, simulator: Simulator) -> Observed:
        """The simulator under this disturbance."""
        columns(self, problem, self.features)
        return Observed(problem, simulator, self)

    def first(self, problem: Problem, seen: Floats, rng: np.random.Generator) -> History:  # noqa: ARG002
        """The first reading, arrived long ago."""
        kept = np.repeat(seen[:, None], self.most + 1, axis=1)
        return History(seen, kept, np.zeros((len(seen), self.most + 1), np.int64))

    def update(self, problem: Problem, memory: History, seen: Floats, rng: np.random.Generator) -> History:
        """The newest reading whose delay is over."""
        kept = np.concatenate([memory.kept[:, 1:], seen[:, None]], axis=1)
        sent = rng.integers(0, self.most + 1, len(seen))
        delay = np.concatenate([memory.delay[:, 1:], sent[:, None]], axis=1)
        arrived = delay <= np.arange(self.most, -1, -1)
        newest = self.most - arrived[:, ::-1].argmax(axis=1)
        received = kept[np.arange(len(seen)), newest]
        return History(merged(seen, received, columns(self, problem, self.features)), kept, delay)


@dataclass(frozen=True)
class SensorNoise:
    """Normal noise on readings, fresh at every decision, cut at the features' bounds.

    Args:
        sd: standard deviation, at least 0: one number is a share of each feature's declared range; a mapping gives it
            by feature in that feature's unit, and leaves the others alone.
        features: which, where `sd` is one number; empty means all.
    """

    sd: float | Mapping[str, float]
    features: tuple[str, ...] = ()
    layer: ClassVar[int] = 2

    def __post_init__(self) -> None:
        given = list(self.sd.values()) if isinstance(self.sd, Mapping) else [self.sd]
        _check(self, all(0 <= sd < math.inf for sd in given), "standard deviations of at least 0", f"{self.sd}")

    @property
    def idle(self) -> bool:
        """No feature has any."""
        return not any(self.sd.values()) if isinstance(self.sd, Mapping) else self.sd == 0

    def around(self, problem: Problem, simulator: Simulator) -> Observed:
        """The simulator under this disturbance."""
        scale = self.scale(problem)
        if not np.isfinite(scale).all():
            name = problem.feature_names[int((~np.isfinite(scale)).argmax())]
            fix = "declare low and high in problem.py, or give sd by feature, in its unit"
            raise refused(self, "features with a finite range", f"{name!r} without one", fix)
        return Observed(problem, simulator, self)

    def scale(self, problem: Problem) -> Floats:
        """Standard deviation of each feature, in its unit; [features]."""
        if isinstance(self.sd, Mapping):
            columns(self, problem, tuple(self.sd))
            return np.array([self.sd.get(name, 0.0) for name in problem.feature_names])
        scale = np.zeros(len(problem.observation))
        for column in columns(self, problem, self.features):
            feature = problem.observation[column]
            scale[column] = self.sd * (feature.high - feature.low)
        return scale

    def first(self, problem: Problem, seen: Floats, rng: np.random.Generator) -> Shown:
        """The reading with noise."""
        low = [feature.low for feature in problem.observation]
        high = [feature.high for feature in problem.observation]
        scale = self.scale(problem)
        at = np.flatnonzero(scale)
        noisy = seen.astype(np.float64)
        noisy[:, at] += scale[at] * rng.standard_normal((len(seen), len(at)))
        return Shown(merged(seen, np.clip(noisy, low, high), at))

    def update(self, problem: Problem, memory: Shown, seen: Floats, rng: np.random.Generator) -> Shown:  # noqa: ARG002
        """The reading with noise."""
        return self.first(problem, seen, rng)


@dataclass(frozen=True)
class DroppedSensors:
    """Readings that do not come, each sensor by itself.

    Args:
        share: probability that a reading is missing, in [0, 1].
        features: which; empty means all.
        shows: what stands in for a missing reading: the `last` one shown (a world's first always comes), or the
            feature's `default`, as a request without it would get.
    """

    share: float
    features: tuple[str, ...] = ()
    shows: Literal["last", "default"] = "last"
    layer: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check(self, 0 <= self.share <= 1, "a share in [0, 1]", f"{self.share}")

    @property
    def idle(self) -> bool:
        """Every reading comes."""
        return self.share == 0

    def around(self, problem: Problem, simulator: Simulator) -> Observed:
        """The simulator under this disturbance."""
        for column in columns(self, problem, self.features):
            feature = problem.observation[column]
            if self.shows == "default" and feature.default is None:
                fix = "declare the default, or show the last reading"
                raise refused(self, "features with a default", f"{feature.name!r} without one", fix)
        return Observed(problem, simulator, self)

    def first(self, problem: Problem, seen: Floats, rng: np.random.Generator) -> Shown:
        """The reading with its defaults, or as it is where the last one would stand in."""
        return Shown(seen) if self.shows == "last" else self.update(problem, Shown(seen), seen, rng)

    def update(self, problem: Problem, memory: Shown, seen: Floats, rng: np.random.Generator) -> Shown:
        """The reading where it came, else what stands in for it."""
        at = columns(self, problem, self.features)
        missing = rng.random((len(seen), len(at))) < self.share
        instead: Any = memory.shown[:, at]
        if self.shows == "default":
            instead = np.array([problem.observation[column].default for column in at], dtype=np.float32)
        return Shown(_where(missing, instead, seen, at))


@dataclass(frozen=True)
class Held(Shown):
    """As `Shown`; `left` is for how many more readings each sensor is stuck, int64 [n, features]."""

    left: Ints


@dataclass(frozen=True)
class StuckSensors:
    """Sensors that get stuck and show one value for a while, each by itself.

    Args:
        chance: probability that a working sensor gets stuck at a decision, in [0, 1].
        steps: for how many decisions, at least 1; it shows the reading of the decision before.
        features: which; empty means all.
    """

    chance: float
    steps: int
    features: tuple[str, ...] = ()
    layer: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check(self, 0 <= self.chance <= 1, "a chance in [0, 1]", f"{self.chance}")
        _check(self, self.steps >= 1, "steps of at least 1", f"{self.steps}")

    @property
    def idle(self) -> bool:
        """No sensor ever gets stuck."""
        return self.chance == 0

    @property
    def share(self) -> float:
        """Share of readings that are stuck in the long run: stuck steps over those and the mean wait between them."""
        return self.steps * self.chance / (self.steps * self.chance + 1 - self.chance)

    def around(self, problem: Problem, simulator: Simulator) -> Observed:
        """The simulator under this disturbance."""
        columns(self, problem, self.features)
        return Observed(problem, simulator, self)

    def first(self, problem: Problem, seen: Floats, rng: np.random.Generator) -> Held:  # noqa: ARG002
        """Every sensor works."""
        return Held(seen, np.zeros(seen.shape, np.int64))

    def update(self, problem: Problem, memory: Held, seen: Floats, rng: np.random.Generator) -> Held:
        """The reading, or the last one where the sensor is stuck."""
        at = columns(self, problem, self.features)
        left = np.maximum(memory.left - 1, 0)
        stops = (left[:, at] == 0) & (rng.random((len(seen), len(at))) < self.chance)
        left[:, at] = np.where(stops, self.steps, left[:, at])
        return Held(_where(left[:, at] > 0, memory.shown[:, at], seen, at), left)


def _where(hit: Bools, instead: Floats, seen: Floats, at: Ints) -> Floats:
    shown = seen.copy()
    shown[:, at] = np.where(hit, instead, seen[:, at])
    return shown


def _check(disturbance: object, kept: bool, expected: str, found: str) -> None:
    if not kept:
        raise refused(disturbance, expected, found, "mend the setting")
