"""Which of 34 items should a fashion shop recommend in each of the 3 positions of its page?

Every visit asks for one item per position; a decision is one position of one visit. A click counts 1, nothing else
counts. The real logs of one week say what two policies did: one drew uniformly, the other by Bernoulli Thompson
sampling. The uniform one stands for today, because it needs no knowledge and its log can value any other policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term
from tenure.core.arrays import Bools, Floats
from tenure.core.logged import Logged
from tenure.store.bundles import sampled

from .data import AFFINITY, CATEGORIES, ITEMS, LABELS, POSITIONS, Name, week

problem = Problem(
    name="recommender",
    about="Which of 34 items to recommend in one of the 3 positions of a fashion shop's page.",
    observation=(
        Feature("position", "position on the page", 1, POSITIONS, "1 is the first"),
        *(
            Feature(
                name,
                "category number",
                0,
                known,
                "hashed by the shop; the highest number stands for every value that is in neither log",
                default=known,
            )
            for name, known in CATEGORIES.items()
        ),
        *(Feature(name, "past dealings", 0, 1000, "of this user with that item", default=0.0) for name in AFFINITY),
    ),
    action=Discrete(LABELS, unit="item id"),
    signals=(
        Signal("click", "clicks", 0, 1, "the recommended item was clicked"),
        Signal("first", "decisions", 0, 1, "the decision was for the first position"),
        Signal("first_click", "clicks", 0, 1, "the click was in the first position"),
    ),
    reward=Reward((Term("click", 1.0, "clicks/click", "a click is the only sign of interest that was recorded"),)),
    kpis=(
        KPI("click_rate", "clicks per decision", "higher", {"click": 1}),
        KPI("first_click_rate", "clicks per first position", "higher", {"first_click": 1}, {"first": 1}),
    ),
)


@dataclass(frozen=True)
class ByPosition:
    """A policy that looks at the position alone: P(item | position) from a log's frequencies.

    Frequencies and not the mean of the logged propensities: a row exists only because its item was drawn, so their mean
    leans to the moments at which the item was likely (over the items of the first position they sum to 2.34, not 1).
    The share of rows is an unbiased estimate of the policy's mean probability over the week.

    Args:
        log: whose frequencies.
        version: what the log calls it.
    """

    log: Name
    version: str

    @cached_property
    def table(self) -> Floats:
        """P(item | position); [3, 34], rows sum to 1."""
        shown = week(self.log)
        count = np.zeros((POSITIONS, ITEMS))
        np.add.at(count, (shown.position - 1, shown.item), 1)
        return np.asarray(count / count.sum(axis=1, keepdims=True))

    def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """Probability of every allowed item; [n, 34]."""
        return _among(self.table[observation[:, 0].astype(int) - 1], allowed)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return sampled(self.distribution(observation, allowed), draw)

    def as_target(self, rows: Logged) -> Floats:
        """The policy under evaluation; [n, 34]."""
        return self.distribution(rows.features, rows.allowed)


@dataclass(frozen=True)
class Uniform:
    """Every allowed item with the same probability."""

    version: str = "uniform"

    def distribution(self, observation: Floats, allowed: Bools | None = None) -> Floats:
        """Probability of every allowed item; [n, 34]."""
        return _among(np.full((len(observation), ITEMS), 1 / ITEMS), allowed)

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return sampled(self.distribution(observation, allowed), draw)

    def as_target(self, rows: Logged) -> Floats:
        """The policy under evaluation; [n, 34]."""
        return self.distribution(rows.features, rows.allowed)


def _among(distribution: Floats, allowed: Bools | None) -> Floats:
    """The distribution over the allowed items; uniform over them where it gives them nothing."""
    if allowed is None:
        return distribution
    kept = np.where(allowed, distribution, 0.0)
    kept = np.where(kept.any(axis=1, keepdims=True), kept, allowed)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


uniform, thompson = Uniform(), ByPosition("thompson", "thompson")
incumbent: Policy = uniform
rules: dict[str, Policy] = {"thompson": thompson}
