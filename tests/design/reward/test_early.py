"""Worlds that are ended early, on traces written by hand: ten steps of four worlds each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tenure.core import KPI, Discrete, Feature, Problem, Reward, Signal, Term
from tenure.core.evidence import Verdict
from tenure.core.trace import Trace
from tenure.design.reward.attack.search import Search
from tenure.design.reward.conduct import Conduct
from tenure.design.reward.early import early_end

SERVED = KPI("served", "people per decision", "higher", {"served": 1})
COMPLAINTS = KPI("complaints", "times", "lower", {"complaints": 1})
PROBLEM = Problem(
    name="counter",
    about="Keep serving, or close for good.",
    observation=(Feature("queue", "people"),),
    action=Discrete(("serve", "close")),
    signals=(Signal("cost", "$", 0, 100), Signal("served", "people", 0, 100), Signal("complaints", "times", 0, 9)),
    reward=Reward((Term("cost", -1.0, "$/$", "it is spent"),)),
    kpis=(SERVED, COMPLAINTS),
    horizon=10,
)


def counter(
    length: int = 10, served: float = 1.0, cost: Sequence[float] = (1, 1, 1, 1), name: str = "serves"
) -> Conduct:
    """So much served, spent and complained about in each of `length` steps; then the worlds have ended."""
    alive = (np.arange(10) < length)[:, None] * np.ones(4)
    signals = {"cost": alive * cost, "served": alive * served, "complaints": alive * 0.1}
    names = ("a", "b", "c", "d")
    action = np.where(alive > 0, 0, -1)
    return Conduct(name, "rule", Trace(signals, action, None, names, datetime(2000, 1, 1, tzinfo=UTC), timedelta(1)))


def searched(found: Conduct, reference: Conduct | None = None) -> Search:
    """One behaviour beside the incumbent."""
    return Search(counter() if reference is None else reference, (), (found,), ())


def test_closing_at_once_fails_though_every_mean_per_decision_is_as_good() -> None:
    closed = counter(1, name="closes")
    assert [closed.kpi(kpi) for kpi in PROBLEM.kpis] == [counter().kpi(kpi) for kpi in PROBLEM.kpis]
    found = early_end(PROBLEM, searched(closed))
    assert found.verdict is Verdict.FAIL
    assert "'closes', which the reward ranks as high, ends worlds after 1 decisions (incumbent 10)" in found.reason
    assert "KPI 'served' at 0.1 people per decision (incumbent 1, acceptable to 0.95)" in found.reason


def test_a_little_earlier_fails_too_where_a_total_is_surely_lost() -> None:
    assert early_end(PROBLEM, searched(counter(9))).verdict is Verdict.FAIL


def test_who_has_done_all_that_there_was_may_end_early() -> None:
    found = early_end(PROBLEM, searched(counter(5, served=2.0)))
    assert found.verdict is Verdict.PASS
    assert "1 behaviours end worlds earlier, with no total lost" in found.reason


def test_worlds_that_end_when_the_incumbents_do_are_no_matter() -> None:
    found = early_end(PROBLEM, searched(counter(6, served=0.0), counter(6)))
    assert found.verdict is Verdict.PASS
    assert "no behaviour" in found.reason


def test_ending_early_for_less_reward_is_no_matter() -> None:
    assert early_end(PROBLEM, searched(counter(1, cost=(20, 20, 20, 20)))).verdict is Verdict.PASS


def test_a_loss_that_may_not_pay_is_inconclusive() -> None:
    found = early_end(PROBLEM, searched(counter(1, cost=(1, 1, 1, 30))))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.endswith("that it earns as much is not certain")


@pytest.mark.parametrize(("length", "verdict"), [(7, Verdict.INCONCLUSIVE), (8, Verdict.PASS)])
def test_an_end_that_no_kpi_explains_is_inconclusive_from_a_quarter_on(length: int, verdict: Verdict) -> None:
    found = early_end(replace(PROBLEM, kpis=(COMPLAINTS,)), searched(counter(length)))
    assert found.verdict is verdict
    assert ("no KPI counts what a world achieves" in found.reason) is (verdict is Verdict.INCONCLUSIVE)


def test_a_ratio_s_own_total_is_looked_at() -> None:
    ratio = KPI("service", "people per $", "higher", {"served": 1}, {"cost": 1})
    found = early_end(replace(PROBLEM, kpis=(ratio, COMPLAINTS)), searched(counter(1)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "what KPI 'service' counts falls to 10% of the incumbent's total" in found.reason


def test_a_total_that_the_reward_pays_is_looked_at() -> None:
    paid = Reward((*PROBLEM.reward.terms, Term("served", 0.5, "$/people", "each pays")))
    problem = replace(PROBLEM, reward=paid, kpis=(COMPLAINTS, SERVED))
    found = early_end(problem, searched(counter(1)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "'served'" in found.reason
