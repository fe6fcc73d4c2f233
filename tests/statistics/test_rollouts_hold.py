"""A worse policy is not promoted, a better one is, an equal one is left alone, a costly one is stopped.

At most 131 of 2,000 are allowed at 5 %: an error of exactly 5 % exceeds that with probability about .001.
"""

from __future__ import annotations

import msgspec

from tenure.rollout import Stage

from .rollouts import SETTINGS, Law, simulated

ALLOWED, MARGIN = 131, 0.05


def test_a_policy_worse_by_the_margin_is_not_promoted() -> None:
    endings = simulated(Law(gain=-MARGIN), 2000, Stage.FULL, every=4, live_days=24)
    assert sum(ending.stage is Stage.FULL for ending in endings) <= ALLOWED
    waiting = [ending.units for ending in endings if ending.stage is Stage.CANARY]
    assert sum(units >= 40 for units in waiting) > 1900  # only the proof is missing


def test_a_policy_better_by_three_margins_is_promoted_within_its_plan() -> None:
    endings = simulated(Law(gain=3 * MARGIN), 500, Stage.FULL)
    assert sum(ending.stage is Stage.FULL for ending in endings) >= 400


def test_an_equal_policy_is_rolled_back_by_few_of_all_guardrails_together() -> None:
    """With margins of 0, so that an equal policy lies on every limit, and bounds as tight as its noise allows."""
    bounds = {"cost": (-1.0, 1.0), "service": (-0.4, 0.4)}
    strict = [msgspec.structs.replace(rule, margin=0.0, bounds=bounds[rule.kpi]) for rule in SETTINGS.guardrail]
    limits = msgspec.structs.replace(SETTINGS, guardrail=strict)
    endings = simulated(Law(), 2000, Stage.NONE, limits=limits, every=4, live_days=30)
    assert 0 < sum(ending.stage is Stage.ROLLED_BACK for ending in endings) <= ALLOWED
    assert any(ending.stage is Stage.FULL for ending in endings)


def test_a_policy_that_costs_a_quarter_more_is_stopped_within_60_units() -> None:
    endings = simulated(Law(gain=-0.25), 1000, Stage.NONE, live_days=25)
    assert sum(ending.stage is Stage.ROLLED_BACK and ending.units <= 60 for ending in endings) >= 900


def test_a_guardrail_watches_every_kpi() -> None:
    endings = simulated(Law(service=-0.2), 50, Stage.NONE, live_days=30)
    assert sum(ending.stage is Stage.ROLLED_BACK for ending in endings) >= 40
