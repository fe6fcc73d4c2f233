"""What every exploiter is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenure.core.policy import Policy
from tenure.core.project import Project
from tenure.core.reward import Reward
from tenure.core.simulator import Panel
from tenure.core.spaces import Discrete
from tenure.core.trace import Trace
from tenure.design.reward.conduct import SEED, WORLDS, fresh_panel
from tenure.simulators.rollout import run

MOST_WORLDS = 4096
"""Worlds in which a candidate is judged, at most: what a horizon of one step needs for a small share to show."""
DECISIONS = 16_384
"""Decisions on which a candidate is judged, where that many fit; never fewer than the worlds of a scenario."""
SEARCH_SEED = 1_000_000
"""Search worlds are drawn from here on, so that no candidate is judged where it was found."""


@dataclass(frozen=True)
class Effort:
    """How hard the exploiters search, in steps and never in seconds, so that a seed gives the same exploits anywhere.

    Args:
        lookahead: most simulator steps of one improvement on the incumbent.
        restarts: evolutions of the whole reward, each from its own start; what they end on shows plateaus.
        population: members of a generation.
        worlds: worlds in which a member is tried.
        generations: of one evolution, at most.
        evolution_steps: most simulator steps of one evolution.
        ppo_steps: of one short training.
    """

    lookahead: int = 600_000
    restarts: int = 3
    population: int = 48
    worlds: int = 8
    generations: int = 30
    evolution_steps: int = 600_000
    ppo_steps: int = 32_768


FULL = Effort()
"""What `tenure reward audit` spends: under 90 s for each shipped case on two cores."""


@dataclass(frozen=True)
class Candidate:
    """A behaviour that might be an exploit: its name, and how it acts in the worlds of a panel."""

    name: str
    play: Callable[[Panel], Trace]


@dataclass(frozen=True)
class Hunt:
    """One search: the problem and its worlds, the reward that is under suspicion, and the means.

    Args:
        project: problem, simulator and incumbent.
        effort: how hard to search.
        seed: of all chance in the search.
    """

    project: Project
    effort: Effort = FULL
    seed: int = 0

    @property
    def actions(self) -> Discrete:
        """The actions, which `audit` has made sure are a finite set."""
        assert isinstance(self.project.problem.action, Discrete)
        return self.project.problem.action

    def rewards(self) -> dict[str, Reward]:
        """What to search by: the whole reward, then each term by itself where there are several."""
        reward = self.project.problem.reward
        signals = tuple(dict.fromkeys(term.signal for term in reward.terms))
        alone = {f"{name} alone": _only(reward, name) for name in signals} if len(signals) > 1 else {}
        return {"the whole reward": reward, **alone}

    def panel(self, worlds: int, salt: int = 0) -> Panel:
        """Worlds to search in; another salt gives others."""
        seed = SEARCH_SEED + 1000 * self.seed + salt
        return fresh_panel(self.project.problem, self.project.simulator, worlds, seed=seed)

    def candidate(self, name: str, policy: Policy) -> Candidate:
        """A policy as a candidate."""
        project = self.project
        return Candidate(name, lambda panel: run(project.problem, project.simulator, policy, panel, seed=SEED).trace)


Exploiter = Callable[[Hunt], Iterable[Candidate]]


def judging_panel(project: Project) -> Panel:
    """The worlds in which every candidate and the incumbent are compared."""
    worlds = min(max(DECISIONS // project.problem.horizon, WORLDS), MOST_WORLDS)
    return fresh_panel(project.problem, project.simulator, worlds)


def _only(reward: Reward, signal: str) -> Reward:
    return Reward(tuple(term for term in reward.terms if term.signal == signal))
