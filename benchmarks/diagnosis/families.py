"""Families of problems by the fault they carry: three broken and three healthy ones for each cause.

A family draws a table of parameters and settings from a seed: sizes, payments, which features and actions matter. Its
`mend` changes only what is broken; a healthy family has none. Healthy ones show the surface of a fault that does no
harm: low entropy that is right, rewards as rare, units as large, noise as loud, values as high.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from benchmarks.diagnosis.world import Params


@dataclass(frozen=True)
class Drawn:
    """One problem of a family.

    Args:
        params: its world.
        recipe: that trains on it.
        settings: beside `SMALL[recipe]`.
        mend: settings that mend it, and nothing else; empty for a healthy problem.
        mended: parameters of the world that mend it, where settings cannot.
    """

    params: Params
    recipe: str = "ppo"
    settings: Mapping[str, Any] = field(default_factory=dict)
    mend: Mapping[str, Any] = field(default_factory=dict)
    mended: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Problems of one kind.

    Args:
        name: of the family.
        cause: what is wrong with all of them, or would be, were they not healthy.
        broken: they are.
        draw: one of them, from a generator.
    """

    name: str
    cause: str
    broken: bool
    draw: Callable[[np.random.Generator], Drawn]


FORGETS = {"learning_starts": 128, "buffer": 512}
UNTRIED = {"explore_first": 0.001, "explore_last": 0.0, **FORGETS}
GIVES_UP = {"explore_first": 1.0, "explore_last": 0.0, "explore_for": 0.15, **FORGETS}
TRIED = {"explore_first": 1.0, "explore_last": 0.05}
HIDDEN = {"hide": "the hint"}
PPO: dict[str, Any] = {
    "steps": 24_576, "worlds": 64, "rollout": 16, "batch": 256, "epochs": 6, "checkpoint_every": 48, "net": [32, 32],
    "learning_rate": 3e-3, "entropy": 0.003, "baseline": False,
}  # fmt: skip
DQN: dict[str, Any] = {
    "steps": 16_384, "worlds": 32, "batch": 128, "checkpoint_every": 100, "net": [32, 32], "learning_rate": 2e-3,
    "learning_starts": 512, "gradient_steps": 4, "target_every": 16, "baseline": False,
}  # fmt: skip
SMALL: Mapping[str, Mapping[str, Any]] = {
    "ppo": PPO,
    "fast_ppo": {**PPO, "shared": True},
    "dqn": DQN,
    "qr_dqn": DQN,
    "a2c": {
        "steps": 32_768, "worlds": 64, "checkpoint_every": 48, "net": [32, 32], "learning_rate": 2e-3,
        "baseline": False,
    },
}  # fmt: skip
"""Settings every training begins with, by recipe: a few seconds on one core."""


def context(rng: np.random.Generator, **own: Any) -> Params:
    """A world of `context` that PPO solves within these few decisions."""
    actions, facts = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    matrix = rng.normal(size=(actions, facts + 1)) * ([1.0] * facts + [0.3])
    return _made({"kind": "context", "horizon": int(rng.integers(12, 25)), "actions": actions,
                  "matrix": tuple(map(tuple, matrix.tolist())), "skill": 0.4, "discount": 0.9}, own)  # fmt: skip


def chain(rng: np.random.Generator, **own: Any) -> Params:
    """A world of `chain` that is short enough."""
    length = int(rng.integers(3, 5))
    actions = int(own.get("actions", rng.integers(2, 4)))
    return _made({"kind": "chain", "horizon": 6 * length, "actions": actions, "length": length,
                  "right": int(rng.integers(actions)), "skill": 0.7, "discount": 0.97}, own)  # fmt: skip


def cue(rng: np.random.Generator, **own: Any) -> Params:
    """A world of `cue` with the cue in sight."""
    actions = int(rng.integers(3, 6))
    return _made({"kind": "cue", "horizon": int(rng.integers(4, 6)), "actions": actions, "skill": 0.4,
                  "discount": 0.9}, own)  # fmt: skip


def _made(fields: Mapping[str, Any], own: Mapping[str, Any]) -> Params:
    return msgspec.convert({**fields, **own}, Params)


WORLDS_OF: Mapping[str, Callable[..., Params]] = {"context": context, "chain": chain, "cue": cue}


def plain(kind: str, recipe: str = "ppo", settings: Mapping[str, Any] | None = None, **own: Any) -> Any:
    """A healthy family: a world of that kind with these parameters."""
    return lambda rng: Drawn(WORLDS_OF[kind](rng, **own), recipe, settings or {})


def set_wrong(
    kind: str, wrong: Mapping[str, Any], mend: Mapping[str, Any], recipe: str = "ppo", **own: Any
) -> Callable[[np.random.Generator], Drawn]:
    """A family that one setting breaks."""
    return lambda rng: Drawn(WORLDS_OF[kind](rng, **own), recipe, wrong, mend)


def made_wrong(
    kind: str, wrong: Mapping[str, Any], recipe: str = "ppo", mend: Mapping[str, Any] | None = None, **own: Any
) -> Callable[[np.random.Generator], Drawn]:
    """A family that parameters of the world break; settings mend it where `mend` says so."""

    def draw(rng: np.random.Generator) -> Drawn:
        good = WORLDS_OF[kind](rng, **own)
        bad = msgspec.structs.replace(good, **wrong)
        undone = {} if mend else {name: getattr(good, name) for name in wrong}
        return Drawn(bad, recipe, {}, mend or {}, undone)

    return draw


def vain(rng: np.random.Generator, kind: str, weight: float, **own: Any) -> Drawn:
    """Something is paid for that the KPI does not know, most for the wrong action."""
    world = WORLDS_OF[kind](rng, **own)
    vanity = tuple(rng.permutation(np.linspace(0, 1, world.actions)).tolist())
    return Drawn(
        msgspec.structs.replace(world, vanity=vanity, weights=(1.0, 1.0, weight)), mended={"weights": (1.0, 1.0, 0.0)}
    )


def unpaid(rng: np.random.Generator) -> Drawn:
    """The sign of what the KPI counts is turned."""
    return Drawn(context(rng, weights=(-1.0, 1.0, 0.0)), mended={"weights": (1.0, 1.0, 0.0)})


def extremes(rng: np.random.Generator, size: float, kind: str = "context", **own: Any) -> Drawn:
    """Units far apart, which the learner sees as they are."""
    world = WORLDS_OF[kind](rng, **own)
    units = tuple((size ** rng.choice([-1.0, 1.0], world.features)).tolist())
    return Drawn(msgspec.structs.replace(world, units=units), "ppo", {"scale": "none"}, {"scale": "deviation"})


def large(rng: np.random.Generator, unit: float, kind: str = "context") -> Drawn:
    """Payments so large that the learner's values never get there."""
    world = msgspec.structs.replace(WORLDS_OF[kind](rng), unit=unit)
    return Drawn(world, "dqn", {"scale": "none"}, {"scale": "deviation"})


def harmless_units(rng: np.random.Generator) -> Drawn:
    """The same units far apart, and the learner sees its own."""
    world = context(rng)
    units = tuple((1e4 ** rng.choice([-1.0, 1.0], world.features)).tolist())
    return Drawn(msgspec.structs.replace(world, units=units, unit=1e4))


FAMILIES: tuple[Family, ...] = tuple(
    Family(name, cause, broken, draw)
    for cause, broken, name, draw in [
        ("too_little_exploration", True, "resting-pays-at-once",
         set_wrong("chain", UNTRIED, TRIED, "dqn", actions=4, length=3, rest=0.12)),
        ("too_little_exploration", True, "resting-pays-little",
         set_wrong("chain", UNTRIED, TRIED, "dqn", actions=3, length=3, rest=0.08)),
        ("too_little_exploration", True, "resting-among-many",
         set_wrong("chain", UNTRIED, TRIED, "dqn", actions=8, length=2, horizon=16, rest=0.25)),
        ("too_little_exploration", False, "two-actions-hardly-tried",
         plain("context", "dqn", {"explore_first": 0.05, "explore_last": 0.01}, actions=2,
               matrix=((1.5, 0.2, 0.0), (-1.5, 0.1, 0.0)))),
        ("too_little_exploration", False, "tries-as-usual", plain("context", "dqn")),
        ("too_little_exploration", False, "cue-as-usual", plain("cue", "dqn")),
        ("sparse_reward", True, "long-chain",
         lambda rng: Drawn(chain(rng, length=14, actions=3, horizon=42, skill=0.96), mend={"jump_start": 0.9})),
        ("sparse_reward", True, "long-chain-of-two",
         lambda rng: Drawn(chain(rng, length=24, actions=2, horizon=60, skill=0.97), mend={"jump_start": 0.9})),
        ("sparse_reward", True, "long-chain-of-four",
         lambda rng: Drawn(chain(rng, length=11, actions=4, horizon=36, skill=0.95), mend={"jump_start": 0.9})),
        ("sparse_reward", False, "short-chain", plain("chain", length=4, actions=2, horizon=40)),
        ("sparse_reward", False, "chain-of-five", plain("chain", length=5, actions=2, horizon=40, discount=0.98)),
        ("sparse_reward", False, "chain-by-values", plain("chain", "dqn", length=3, actions=2, horizon=24)),
        ("too_stochastic", True, "loud-context",
         set_wrong("context", {}, {"baseline": True}, noise=16.0)),
        ("too_stochastic", True, "loud-chain", set_wrong("chain", {}, {"baseline": True}, noise=6.0)),
        ("too_stochastic", True, "loud-cue", set_wrong("cue", {}, {"baseline": True}, noise=25.0)),
        ("too_stochastic", False, "loud-but-paired", plain("context", settings={"baseline": True}, noise=16.0)),
        ("too_stochastic", False, "a-little-loud", plain("context", noise=0.5)),
        ("too_stochastic", False, "a-little-loud-cue", plain("cue", noise=0.5)),
        ("wrong_discount", True, "blind-chain", set_wrong("chain", {"discount": 0.05}, {"discount": 0.97}, rest=0.1,
                                                          length=4)),
        ("wrong_discount", True, "short-sighted-chain",
         set_wrong("chain", {"discount": 0.3}, {"discount": 0.97}, rest=0.12, length=4, actions=3)),
        ("wrong_discount", True, "blind-problem",
         made_wrong("chain", {"discount": 0.1}, mend={"discount": 0.97}, rest=0.1, length=5, actions=2)),
        ("wrong_discount", False, "nothing-ahead", plain("context", discount=0.1)),
        ("wrong_discount", False, "cue-now", plain("cue", discount=0.1)),
        ("wrong_discount", False, "far-sighted-context", plain("context", discount=0.98, noise=0.2)),
        ("wrong_scale", True, "features-far-apart", lambda rng: extremes(rng, 1e4)),
        ("wrong_scale", True, "large-payments", lambda rng: large(rng, 3e3)),
        ("wrong_scale", True, "cues-far-apart", lambda rng: extremes(rng, 1e3, "cue")),
        ("wrong_scale", False, "units-of-the-learner", harmless_units),
        ("wrong_scale", False, "plain-units", plain("context", settings={"scale": "none"})),
        ("wrong_scale", False, "cue-in-plain-units", plain("cue", settings={"scale": "none"})),
        ("weak_observation", True, "cue-gone",
         set_wrong("cue", {}, {"history": {"steps": 4}}, shown=1, horizon=4)),
        ("weak_observation", True, "cue-gone-soon",
         set_wrong("cue", {}, {"history": {"steps": 4}}, shown=2, horizon=5)),
        ("weak_observation", True, "features-by-turns",
         set_wrong("context", {}, {"history": {"steps": 4}}, slow=True, turns=True)),
        ("weak_observation", False, "cue-stays", plain("cue", idle=2)),
        ("weak_observation", False, "slow-features", plain("context", slow=True)),
        ("weak_observation", False, "idle-features", plain("context", idle=3)),
        ("action_skew", True, "gives-up-on-five",
         set_wrong("chain", GIVES_UP, {"explore_last": 0.1}, "dqn", actions=2, length=5, rest=0.15, horizon=30)),
        ("action_skew", True, "gives-up-on-six",
         set_wrong("chain", GIVES_UP, {"explore_last": 0.1}, "dqn", actions=2, length=6, rest=0.1, horizon=36)),
        ("action_skew", True, "gives-up-for-more-rest",
         set_wrong("chain", GIVES_UP, {"explore_last": 0.1}, "dqn", actions=2, length=5, rest=0.17, horizon=30)),
        ("action_skew", False, "one-action-is-right",
         plain("context", actions=4, matrix=((0.2, 0.1, 1.2),) + ((0.1, 0.2, -0.5),) * 3)),
        ("action_skew", False, "forward-is-right", plain("chain", length=3, actions=2)),
        ("action_skew", False, "rest-is-right", plain("chain", rest=0.9, length=4, actions=2)),
        ("algorithm_mismatch", True, "one-step-by-actor-critic",
         lambda rng: Drawn(context(rng, horizon=1, actions=8, matrix=_many(rng, 8)), "a2c", {"steps": 4_096,
                           "learning_rate": 5e-4}, {"recipe": "bandit"})),
        ("algorithm_mismatch", True, "one-step-by-ppo",
         lambda rng: Drawn(context(rng, horizon=1, actions=10, matrix=_many(rng, 10)), "ppo", {"steps": 4_096,
                           "learning_rate": 5e-4}, {"recipe": "bandit"})),
        ("algorithm_mismatch", True, "chain-by-actor-critic",
         lambda rng: Drawn(chain(rng, length=4), "a2c", {"steps": 16_384, "learning_rate": 5e-4},
                           {"recipe": "qr_dqn"})),
        ("algorithm_mismatch", False, "one-step-by-ppo-and-time", plain("context", horizon=1)),
        ("algorithm_mismatch", False, "ppo-where-values-are-advised", plain("chain", length=3)),
        ("algorithm_mismatch", False, "values-where-others-do-too", plain("context", "qr_dqn")),
        ("leak", True, "hint-in-training", made_wrong("context", {"hint": "training"}, mend=HIDDEN, actions=2, blur=0.8,
                                                      matrix=((0.5, 0.2, 0.0), (-0.5, 0.2, 0.0)))),
        ("leak", True, "hint-among-idle", made_wrong("context", {"hint": "training"}, mend=HIDDEN, actions=2, blur=0.8,
                                                     idle=2, matrix=((0.6, -0.4, 0.1), (-0.6, 0.4, 0.0)))),
        ("leak", True, "hint-and-blur", made_wrong("context", {"hint": "training"}, mend=HIDDEN, actions=2, blur=0.8,
                                                   matrix=((0.8, 0.3, 0.0), (-0.8, 0.3, 0.0)))),
        ("leak", False, "hint-everywhere", plain("context", hint="all", actions=2,
                                                 matrix=((0.5, 0.2, 0.0), (-0.5, 0.2, 0.0)))),
        ("leak", False, "blurred", plain("context", blur=0.2)),
        ("leak", False, "idle-and-hint-everywhere", plain("context", hint="all", idle=2, actions=2,
                                                          matrix=((0.6, -0.4, 0.1), (-0.6, 0.4, 0.0)))),
        ("broken_reward", True, "vain-context", lambda rng: vain(rng, "context", 3.0)),
        ("broken_reward", True, "vain-cue", lambda rng: vain(rng, "cue", 4.0)),
        ("broken_reward", True, "turned-sign", unpaid),
        ("broken_reward", False, "a-little-vain", lambda rng: Drawn(vain(rng, "context", 0.02).params)),
        ("broken_reward", False, "paid-twice", plain("context", weights=(2.0, 1.0, 0.0))),
        ("broken_reward", False, "vanity-without-weight", lambda rng: Drawn(vain(rng, "cue", 0.0).params)),
        ("dead_network", True, "trunk-thrown-out",
         set_wrong("context", {"learning_rate": 3.0}, {"learning_rate": 3e-3}, "fast_ppo")),
        ("dead_network", True, "values-thrown-out",
         set_wrong("context", {"learning_rate": 1.0}, {"learning_rate": 2e-3}, "dqn")),
        ("dead_network", True, "chain-thrown-out",
         set_wrong("cue", {"learning_rate": 3.0}, {"learning_rate": 3e-3}, "fast_ppo")),
        ("dead_network", False, "trunk", plain("context", "fast_ppo")),
        ("dead_network", False, "wide-trunk", plain("cue", "fast_ppo", {"net": [64, 64]})),
        ("dead_network", False, "quick-values", plain("context", "dqn", {"learning_rate": 4e-3})),
        ("value_explosion", True, "chasing-itself",
         set_wrong("context", {"target_every": 1, "learning_rate": 0.05, "gradient_steps": 8, "steps": 8_192},
                   {"target_every": 64, "learning_rate": 2e-3}, "dqn", discount=0.995)),
        ("value_explosion", True, "chasing-cues",
         set_wrong("cue", {"target_every": 1, "learning_rate": 0.05, "gradient_steps": 8, "steps": 8_192},
                   {"target_every": 64, "learning_rate": 2e-3}, "dqn", discount=0.999)),
        ("value_explosion", True, "chasing-chains",
         set_wrong("chain", {"target_every": 1, "learning_rate": 0.05, "gradient_steps": 8, "steps": 8_192},
                   {"target_every": 64, "learning_rate": 2e-3}, "dqn", discount=0.995, length=3)),
        ("value_explosion", False, "values-that-are-high", plain("context", "dqn", discount=0.95)),
        ("value_explosion", False, "values-of-cues", plain("cue", "dqn", discount=0.9)),
        ("value_explosion", False, "values-of-chains", plain("chain", "dqn", {"target_every": 8}, length=3, actions=2)),
    ]
)  # fmt: skip
"""All of them."""


def _many(rng: np.random.Generator, actions: int) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, (rng.normal(size=(actions, 4)) * [1.0, 1.0, 1.0, 0.3]).tolist()))
