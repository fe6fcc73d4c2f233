"""The table of recommendations: read from the simplest method to the most demanding, and open where a fact is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tenure.core.evidence import Verdict
from tenure.design.assess.recommend import HELPS, TABLE, Facts, recommend

RL = Facts(
    gain=True, solved=False, rule=False, sequential=True, label=False, world=True, overlap=True, episodes=True
)  # fmt: skip
BANDIT = replace(RL, sequential=False)


@pytest.mark.parametrize(
    ("facts", "recommendation", "verdict"),
    [
        (RL, "online_rl", Verdict.PASS),
        (replace(RL, world=False), "offline_rl", Verdict.PASS),
        (BANDIT, "bandit", Verdict.PASS),
        (replace(BANDIT, label=True), "supervised", Verdict.FAIL),
        (replace(RL, label=True), "online_rl", Verdict.PASS),
        (replace(RL, rule=True), "rule_or_solver", Verdict.FAIL),
        (replace(RL, solved=True), "rule_or_solver", Verdict.FAIL),
        (replace(BANDIT, gain=False), "rule_or_solver", Verdict.FAIL),
        (replace(BANDIT, chosen=None), "bandit", Verdict.INCONCLUSIVE),
        (replace(RL, chosen=None), "online_rl", Verdict.INCONCLUSIVE),
        (replace(RL, world=False, chosen=None), "offline_rl", Verdict.INCONCLUSIVE),
        (replace(BANDIT, rule=True, chosen=None), "rule_or_solver", Verdict.INCONCLUSIVE),
        (replace(RL, world=False, overlap=False), "offline_rl", Verdict.INCONCLUSIVE),
        (replace(RL, world=False, episodes=False), "offline_rl", Verdict.INCONCLUSIVE),
    ],
)
def test_facts_lead_to_their_method(facts: Facts, recommendation: str, verdict: Verdict) -> None:
    advice = recommend(facts)
    assert (advice.recommendation, advice.verdict) == (recommendation, verdict)


@pytest.mark.parametrize("name", ["gain", "solved", "rule", "sequential"])
def test_an_open_fact_leaves_it_open_and_says_what_helps(name: str) -> None:
    unknown: dict[str, Any] = {name: None}
    advice = recommend(replace(RL, **unknown))
    assert advice.verdict is Verdict.INCONCLUSIVE
    assert HELPS[name] in advice.reason


def test_a_fact_that_decides_nothing_may_stay_open() -> None:
    assert recommend(replace(RL, label=None, episodes=None, overlap=None)).verdict is Verdict.PASS


def test_every_fact_of_the_table_is_a_fact_and_says_what_helps() -> None:
    for row in TABLE:
        assert set(row.needs) <= set(Facts.__dataclass_fields__) - {"helps"} == set(HELPS)


def test_a_log_may_say_that_something_else_would_help_and_each_help_is_said_once() -> None:
    facts = replace(RL, world=False, overlap=False, episodes=False, helps=dict.fromkeys(("overlap", "episodes"), "dig"))
    assert recommend(facts).reason.count("dig") == 1
    assert HELPS["gain"] not in recommend(replace(RL, gain=None, helps={"gain": "dig"})).reason
