"""Every number that decides about a simulator; docs/validation.md says when they were frozen and what was judged."""

from __future__ import annotations

from collections.abc import Mapping

DROP_FAILS = 0.20
"""Loss of value from simulation to reality that fails, as a share of the real value (option)."""
DROP_DOUBTED = 0.15
"""Loss that leaves it inconclusive (option)."""

ASPECTS: Mapping[str, float] = {
    "level": 0.20,
    "tail": 0.65,
    "season": 0.25,
    "weekday": 0.25,
    "memory": 0.15,
    "frozen": 0.04,
    "missing": 0.02,
    "one_step": 0.25,
    "noise": 0.30,
    "horizon": 0.25,
    "replay": 0.15,
    "rollout": 0.25,
}
"""Largest difference that is let pass; units in `aspects.py`. Most are in standard deviations of the log."""
NOISE_SEEN = 0.25
"""Spread left over, as a part of the field's own, that is added to both sides before spreads are compared: where nearly
nothing is left over, a small misfit is no noise."""
UNSEEN = 2.0
"""A log whose doubt reaches beyond so many limits could not have shown a defect: inconclusive."""
HALVES = 20
"""Times the log is halved to see what its own halves differ by."""
SURE = 2.5
"""Standard deviations of that difference that count as doubt."""

FEWEST_CLUSTERS = 10
"""Independent units of the log under which nothing is said."""
FEWEST_POLICIES = 5
"""Policies a ranking needs."""
RANKED_ALIKE = 0.6
"""Kendall's tau over the pairs that the log tells apart: under it the ranking is another."""

LEAD_SEEN = 0.08
"""Smallest correlation, once seasons and memory are taken out, by which a feature can be placed in time."""
LEAD_BETTER = 0.3
"""By how much a shift must fit better than none, as a share of a perfect fit."""
LEAD_STABLE = 0.9
"""Share of the log's halves that must find the same shift."""
LARGEST_LEAD = 4
"""Steps by which a feature may be shifted."""

EXPLAINS = 0.10
"""Correlation with what the simulator's features leave unexplained from which a column of the log is missed."""
KNOWN_POLICY = 0.9
"""Share of random actions above which none of the policies at hand is the one that logged."""
