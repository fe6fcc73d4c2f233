"""A first choice by rules of thumb: spaces, episodes, data and budget."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.core.problem import Problem
from tenure.core.spaces import Box, Discrete

TINY = 10_000
"""Entries of a table that can be filled within a usual budget."""
SMALL_BUDGET = 100_000
"""Decisions below which reusing each one matters more than speed."""


@dataclass(frozen=True)
class Advice:
    """One recipe and why.

    Args:
        recipe: its name.
        because: one sentence.
    """

    recipe: str
    because: str


def advise(
    problem: Problem, *, steps: int, masked: bool = False, log_only: bool = False, cells: int | None = None
) -> list[Advice]:
    """Recipes to try, the likeliest first.

    Args:
        problem: its spaces and horizon decide most.
        steps: budget in decisions.
        masked: actions may be forbidden.
        log_only: there is a log and no simulator to trust.
        cells: distinct observations, where they are known and few; None otherwise.

    Source: the Stable-Baselines3 guide "Reinforcement Learning Tips and Tricks" for spaces and budget; Sutton and Barto
    (2018) for tables and bandits; Levine et al. (2020), "Offline reinforcement learning", for logs.
    """
    if log_only:
        return _from_a_log()
    if isinstance(problem.action, Box):
        return _for_vectors(steps)
    return _for_labels(problem, problem.action, steps, masked, cells)


def _from_a_log() -> list[Advice]:
    return [
        Advice("iql", "learns from a log without ever asking for the value of what nobody did"),
        Advice("cql", "learns from a log and is wary of actions the log seldom took"),
        Advice("cloning", "does what the log did: the least the other two must beat"),
    ]


def _for_vectors(steps: int) -> list[Advice]:
    reuse = "vectors, and a small budget: decisions are reused from a buffer"
    found = [
        Advice("sac", reuse if steps < SMALL_BUDGET else "vectors; reuses each decision and keeps exploring by itself"),
        Advice("tqc", "as SAC, with critics that are not carried away; slower"),
        Advice("td3", "vectors, with a plain deterministic policy"),
        Advice("ddpg", "TD3's predecessor, to see what its steadiness is worth"),
    ]
    fast = Advice("ppo", "vectors, and worlds fast enough that decisions need not be reused")
    return [*found[:1], fast, *found[1:]] if steps < SMALL_BUDGET else [fast, *found]


def _for_labels(problem: Problem, space: Discrete, steps: int, masked: bool, cells: int | None) -> list[Advice]:
    found: list[Advice] = []
    if problem.horizon == 1:
        found.append(Advice("bandit", "one step: a decision changes nothing for the next one"))
    if cells is not None and cells * space.size <= TINY:
        entries = f"{cells} x {space.size} = {cells * space.size:,} entries"
        found.append(
            Advice(
                "q_learning", f"tiny: a table of {entries}; where its mechanism is known, a dynamic programme is exact"
            )
        )
    ppo = Advice("ppo", f"labels{', some of them forbidden, which it never tries' if masked else ''}; fast worlds")
    values = [
        Advice("qr_dqn", "labels; reuses each decision, and learns how much returns vary"),
        Advice("dqn", "labels; reuses each decision"),
    ]
    found += [*values, ppo] if steps < SMALL_BUDGET and not masked else [ppo, *values]
    return [*found, Advice("a2c", "labels; the simplest actor-critic, to see what PPO's care is worth")]
