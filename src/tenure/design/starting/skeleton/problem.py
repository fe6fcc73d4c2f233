"""How many counters should be open? A small world that works, for you to replace line by line.

Every minute a manager opens one counter or two. People arrive at random, wait, and some leave when the line is long.
Waiting costs goodwill (0.10 a minute), the second counter costs wages (0.50 a minute), opening it costs 1.00.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenure import KPI, Discrete, Feature, Policy, Problem, Proposal, Reward, Signal, Term, Tradeoff
from tenure.core.arrays import Bools, Floats

MOST_WAITING = 50
"""People the room holds."""

problem = Problem(
    name="skeleton",
    about="Whether to open one counter or two, every minute.",
    # What is known when the decision is taken, each with its unit and bounds.
    observation=(
        Feature("waiting", "people", 0, MOST_WAITING, "in line now"),
        Feature("open_now", "counters", 1, 2, "during the last minute"),
        Feature("rush", "0 or 1", 0, 1, "it is a busy hour"),
    ),
    # What can be done.
    action=Discrete(("one counter", "two counters")),
    # What is measured after each decision; the reward, the KPIs and live outcomes all read these.
    signals=(
        Signal("waited", "person minutes", 0, MOST_WAITING, "people in line during the minute"),
        Signal("second_open", "counter minutes", 0, 1, "the second counter was open"),
        Signal("opened", "openings", 0, 1, "it had to be opened"),
        Signal("left", "people", 0, MOST_WAITING, "went away without being served"),
    ),
    # What it is worth: a weight per unit of a signal, and the reason.
    reward=Reward(
        (
            Term("waited", -0.10, "EUR/person minute", "a minute in line costs goodwill"),
            Term("second_open", -0.50, "EUR/counter minute", "wages of a second person"),
            Term("opened", -1.00, "EUR/opening", "the person has to leave other work"),
        ),
        tradeoffs=(
            Tradeoff("waited", "second_open", "short lines cost wages; a minute of wages is worth five of waiting"),
            Tradeoff("waited", "opened", "opening quickly keeps the line short, and interrupts other work"),
        ),
    ),
    # The first states the gain. `left` is not paid for: it shows when the reward is wrong.
    kpis=(
        KPI("cost", "EUR per minute", "lower", {"waited": 0.10, "second_open": 0.50, "opened": 1.00}),
        KPI("mean_left", "people per minute", "lower", {"left": 1}),
    ),
    horizon=120,
    discount=0.97,
)


@dataclass(frozen=True)
class OpenWhenLong:
    """Opens the second counter at a length of the line, closes it at another.

    Args:
        open_at: people in line from which two counters are open.
        close_at: people in line down to which they stay open.
    """

    open_at: int
    close_at: int
    version: str = "open-when-long"

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:  # noqa: ARG002
        """Two counters where the line is long, or still not short."""
        waiting, open_now = observation[:, 0], observation[:, 1]
        two = (waiting >= self.open_at) | ((open_now == 2) & (waiting > self.close_at))
        return Proposal(two.astype(np.int64), np.ones(len(two)))


incumbent: Policy = OpenWhenLong(open_at=8, close_at=2)
