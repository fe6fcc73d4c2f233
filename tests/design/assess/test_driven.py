"""A small rule is enough where decisions have later effects only if no step improves it once it drives."""

from __future__ import annotations

import numpy as np
import pytest
from tests.design.assess.test_dependence import records

from tenure.core.arrays import Floats
from tenure.core.evidence import Estimate, Verdict
from tenure.design.assess.behaviour import behaviour_of
from tenure.design.assess.driven import Driven, driven
from tenure.design.assess.headroom import Headroom
from tenure.design.assess.measure import _rule
from tenure.design.assess.records import Records


def estimate(value: float, radius: float = 0.01) -> Estimate:
    return Estimate(value, value - radius, value + radius, 100, 10.0, "m", "unit")


def room(kept: float) -> Headroom:
    """What a rule keeps of a headroom of 1."""
    gain, short = estimate(1.0), estimate(1 - kept)
    return Headroom(gain, estimate(kept), short, estimate(0.5), "always a0", 1000.0, 1.0)


@pytest.mark.parametrize(
    ("left", "verdict", "enough"),
    [
        (estimate(0.02), Verdict.FAIL, True),
        (estimate(0.3), Verdict.INCONCLUSIVE, None),
        (estimate(0.05, radius=0.3), Verdict.INCONCLUSIVE, None),
    ],
    ids=["nothing left", "a third left", "not told"],
)
def test_a_rule_that_keeps_one_steps_gain_is_judged_by_what_is_left_once_it_drives(
    left: Estimate, verdict: Verdict, enough: bool | None
) -> None:
    finding, found = _rule(room(0.95), lambda: Driven(left, "always a1"))
    assert (finding.verdict, found) == (verdict, enough)
    assert "95 % of one step's gain; once `always a1` drives, one more step gains" in finding.reason
    assert _rule(room(0.95), None)[1] is True


def test_a_rule_that_loses_one_steps_gain_need_not_drive() -> None:
    def never() -> Driven:
        raise AssertionError

    assert _rule(room(0.5), never)[0].verdict is Verdict.PASS


def kept(x: Floats, pay: Floats, moves: bool) -> Records:
    """Random actions 0 and 1 in 400 units of 10 decisions; action 1 costs 0.5 and keeps the next reward 1 higher."""
    action = np.random.default_rng(2).integers(0, 2, len(x))
    before = np.concatenate([[0], action[:-1]]) * (np.arange(len(x)) % 10 > 0)
    reward = pay * (2 * action - 1) + (before - 0.5 * action if moves else 0.0)
    return records(np.column_stack([x, before]), action, np.asarray(reward, dtype=float), np.full(len(x), 0.5))


def test_nothing_is_left_where_one_action_is_best_for_what_follows_it() -> None:
    # Action 1 costs 0.5 at once and brings 0.9 with the next decision: always 1.
    x = np.random.default_rng(0).normal(size=(4000, 2))
    log = kept(x, np.zeros(4000), moves=True)
    found = driven(log, behaviour_of(log), 0.9)
    assert found.left.value == pytest.approx(0.0, abs=0.05)
    assert found.words == "always a1"


def test_much_is_left_where_two_questions_cannot_say_what_is_best() -> None:
    # The parity of three signs decides: a rule of two questions is right half of the time, and each error costs 2.
    x = np.sign(np.random.default_rng(0).normal(size=(4000, 3)))
    log = kept(x, x.prod(axis=1), moves=True)
    found = driven(log, behaviour_of(log), 0.9)
    assert found.left.low > 0.5
