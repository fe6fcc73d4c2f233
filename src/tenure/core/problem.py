"""A problem: features, actions, signals, reward, KPIs and limits, checked together and hashed."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from functools import cached_property
from typing import Any, Literal

from tenure.core.arrays import Bools, Floats
from tenure.core.errors import ProblemError
from tenure.core.problem_checks import check_problem
from tenure.core.reward import KPI, Reward, Signal
from tenure.core.spaces import Box, Discrete, Feature


@dataclass(frozen=True)
class Constraint:
    """A hard limit at decision time.

    Args:
        name: its name in the log.
        because: the reason, for the risk officer.
        allowed: from observations [n, features] to allowed actions [n, actions]; pure.
    """

    name: str
    because: str
    allowed: Callable[[Floats], Bools]


@dataclass(frozen=True)
class Limit:
    """A limit on what may happen in the long run, as in a constrained Markov decision process (Altman 1999).

    Args:
        name: its name in reports.
        signal: what is limited.
        most: highest acceptable mean per decision, in the signal's unit.
        because: the reason, for the risk officer.
        held_by: what keeps it. `penalty`: a negative reward term over the signal. `mask`: the problem's constraints
            make it impossible; a simulator's mask alone does so only where every request carries the same one.
            `lagrange`: training learns the weight of its penalty (Tessler et al. 2019). None is a limit nobody keeps,
            which the audit fails.
    """

    name: str
    signal: str
    most: float
    because: str
    held_by: Literal["penalty", "mask", "lagrange"] | None = None


@dataclass(frozen=True)
class Shaping:
    """Potential-based shaping: training adds `discount * potential(next) - potential(now)` to the reward.

    The one shaping that leaves the best policy what it is; the potential of an ended world counts as 0.

    Args:
        potential: from observations [n, features] to [n], in the reward's unit; pure.
        because: the reason, for the risk officer.

    Source: Ng, Harada and Russell (1999).
    """

    potential: Callable[[Floats], Floats]
    because: str


@dataclass(frozen=True)
class Problem:
    """A repeated decision, stated completely.

    Args:
        name: short name; part of URLs, so letters, digits, `-` and `_`.
        about: what is decided, for whom, in one paragraph.
        observation: the features, in the order of the observation vector.
        action: what can be done.
        signals: what is measured after each decision.
        reward: what it is worth, over signals.
        kpis: figures read beside the reward; the first is the one the gain is stated in.
        constraints: hard limits applied after every policy.
        limits: what may not happen too often in the long run; training and the reward audit keep them.
        shaping: help for the learner that cannot change what is best; None where it needs none.
        horizon: steps of a training episode.
        discount: weight of the next step's value, in (0, 1].

    Raises:
        ProblemError: names repeat, a term or KPI reads an unknown signal or none, bounds, a default or the discount
            are impossible, or there is nothing to choose between.
    """

    name: str
    about: str
    observation: tuple[Feature, ...]
    action: Discrete | Box
    signals: tuple[Signal, ...]
    reward: Reward
    kpis: tuple[KPI, ...]
    constraints: tuple[Constraint, ...] = ()
    horizon: int = 1
    discount: float = 0.99
    limits: tuple[Limit, ...] = ()
    shaping: Shaping | None = None

    def __post_init__(self) -> None:
        check_problem(self)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Feature names in observation order."""
        return tuple(feature.name for feature in self.observation)

    @cached_property
    def signal_names(self) -> frozenset[str]:
        """Names of all signals."""
        return frozenset(signal.name for signal in self.signals)

    @cached_property
    def signal_bounds(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest legal value of each signal, in its unit."""
        return {signal.name: (signal.low, signal.high) for signal in self.signals}

    def kpi(self, name: str) -> KPI:
        """The KPI of that name.

        Raises:
            ProblemError: there is none.
        """
        for kpi in self.kpis:
            if kpi.name == name:
                return kpi
        raise ProblemError(
            expected=f"one of the KPIs {sorted(k.name for k in self.kpis)}",
            found=repr(name),
            where=f"problem {self.name!r}",
            fix="name one of these, or add the KPI to problem.py",
        )

    def allowed(self, observation: Floats, mask: Bools | None = None) -> Bools | None:
        """Actions left after the request's mask and every constraint; [n, actions], None when all are."""
        for constraint in self.constraints:
            limit = constraint.allowed(observation)
            mask = limit if mask is None else mask & limit
        return mask

    @cached_property
    def version(self) -> str:
        """Hash of everything that defines the problem; equal problems have equal versions."""
        return hashlib.sha256(_canonical(self.as_dict()).encode()).hexdigest()[:12]

    @cached_property
    def reward_version(self) -> str:
        """Hash of the reward alone."""
        return hashlib.sha256(_canonical(self.as_dict()["reward"]).encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for manifests and JSON; infinite bounds become null."""
        return {
            "name": self.name,
            "observation": [_plain(asdict(feature)) for feature in self.observation],
            "action": {"kind": type(self.action).__name__, **asdict(self.action)},
            "signals": [_plain(asdict(signal)) for signal in self.signals],
            "reward": [_told(asdict(term), "scale") for term in self.reward.terms],
            "kpis": [_told(asdict(kpi), "worst") for kpi in self.kpis],
            "constraints": [
                {"name": c.name, "because": c.because, "source": _source(c.allowed)} for c in self.constraints
            ],
            "horizon": self.horizon,
            "discount": self.discount,
            **self._optional(),
        }

    def _optional(self) -> dict[str, Any]:
        """What a problem may state or leave out; left out it is no part of the hash."""
        limits = {"limits": [asdict(limit) for limit in self.limits]} if self.limits else {}
        if self.shaping is None:
            return limits
        return {**limits, "shaping": {"because": self.shaping.because, "source": _source(self.shaping.potential)}}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value in (math.inf, -math.inf) else value for key, value in fields.items()}


def _told(fields: dict[str, Any], optional: str) -> dict[str, Any]:
    """The fields without one that was left out."""
    return {key: value for key, value in fields.items() if key != optional or value is not None}


def _canonical(value: Any) -> str:
    """JSON that is equal for equal values: 0 and 0.0 are one bound."""
    return json.dumps(_as_floats(value), sort_keys=True)


def _as_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _source(function: Callable[..., Any]) -> str:
    """What a constraint does, as text: its source, with the fields where it is a dataclass."""
    if is_dataclass(function):
        return f"{_source(type(function))}{function!r}"
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        name = getattr(function, "__qualname__", repr(type(function)))
        return name if code is None else f"{name} {code.co_code.hex()} {code.co_consts!r} {code.co_names!r}"
