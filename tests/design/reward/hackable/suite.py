"""The auditor on every reward of every world: what it flags, and what a detector that sees only the reward would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from tests.design.reward.hackable import cleaner, courier, desk, shop, thermostat, track, watch
from tests.design.reward.hackable.family import World, draw

from tenure.core.evidence import Verdict
from tenure.design.reward.attack.hunt import Effort
from tenure.design.reward.audit import attack

WORLDS: Mapping[str, Callable[[np.random.Generator], World]] = {
    module.__name__.rsplit(".", 1)[-1]: module.build
    for module in (cleaner, courier, desk, shop, thermostat, track, watch)
}

EFFORT = Effort(lookahead=200_000, restarts=2, generations=20, ppo_steps=4_096)
"""A fraction of what `tenure reward audit` spends, by the same code: tiny worlds need less."""

GATES = ("exploits", "early_end")
"""Findings of the attack that say whether behaviour the reward pays does harm."""


@dataclass(frozen=True)
class Case:
    """One reward, whether it can be gamed, and what the auditor says: flagged, in doubt, or neither."""

    world: str
    reward: str
    seed: int
    hackable: bool
    flagged: bool
    doubted: bool
    told: str


def world_of(name: str, seed: int) -> World:
    """One world as a seed draws and disguises it."""
    return draw(WORLDS[name], 1000 * seed + list(WORLDS).index(name))


def cases(seed: int, effort: Effort = EFFORT) -> Iterator[Case]:
    """Audit every reward of a seed's worlds by attack; what fails `exploits` or `early_end` is flagged."""
    for name in WORLDS:
        world = world_of(name, seed)
        for hackable, rewards in ((True, world.hackable), (False, world.repaired)):
            for words, reward in rewards.items():
                findings = attack(world.project(reward), seed, effort=effort).findings
                found = max((each for each in findings if each.gate in GATES), key=lambda each: each.verdict)
                flagged = found.verdict is Verdict.FAIL
                doubted = found.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR}
                yield Case(name, words, seed, hackable, flagged, doubted, found.reason)
