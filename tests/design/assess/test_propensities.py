"""Propensities that contradict the actions are refused, and those that were never logged never pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.design.assess.families import drawn, explored, softmax
from tests.design.assess.test_dependence import records

from tenure.core.arrays import Floats
from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.design.assess.measure import measure
from tenure.design.assess.recommend import recommend
from tenure.design.assess.records import Records


def log_of(chance: Floats, said: Floats | None = None, taste: float = 1.0) -> Records:
    """3,000 strangers, four actions taken with `chance`, whose log says `said` (what is true, where None)."""
    rng = np.random.default_rng(0)
    x, action = rng.normal(size=(3000, 4)), drawn(chance, rng)
    reward = taste * x[np.arange(3000), action] + rng.normal(size=3000)
    true = chance[np.arange(3000), action]
    return records(x, action, reward, true if said is None else said)


EVEN = np.full((3000, 4), 0.25)
SITUATION = np.random.default_rng(0).normal(size=(3000, 4))
"""What `log_of` draws."""


@pytest.mark.parametrize(
    ("chance", "said"),
    [(EVEN, 1.0), (EVEN, 0.5), (EVEN, 0.05), (np.tile([0.7, 0.1, 0.1, 0.1], (3000, 1)), 0.25)],
    ids=["random, said to be sure", "half of it", "far too small", "one action preferred, said to be random"],
)
def test_propensities_that_cannot_be_those_of_the_actions_are_refused(chance: Floats, said: float) -> None:
    with pytest.raises(DataError, match=r"propensities that fit the actions(.|\n)*to do: "):
        measure(log_of(chance, np.full(3000, said)))


@pytest.mark.parametrize(
    "chance",
    [
        EVEN,
        softmax(2.0 * SITUATION),
        explored(SITUATION.argmax(axis=1), 4, 0.1),
        explored(SITUATION.argmax(axis=1), 4, 0),
        explored((SITUATION[:, 0] * SITUATION[:, 1] > 0).astype(int), 4, 0),
    ],
    ids=["random", "soft", "a tenth random", "a rule without chance", "a crooked one"],
)
def test_honest_propensities_are_believed(chance: Floats) -> None:
    measure(log_of(chance))


def test_without_propensities_a_case_for_learning_stays_open_and_says_what_would_settle_it() -> None:
    honest = log_of(EVEN, taste=1.0)
    assert recommend(measure(honest).facts).verdict is Verdict.PASS
    found = measure(replace(honest, propensity=np.full(3000, np.nan)))
    advice = recommend(found.facts)
    assert (advice.verdict, advice.recommendation) == (Verdict.INCONCLUSIVE, "bandit")
    assert "propensity" in advice.reason
    assert "nothing but the logged columns steered the choice" in advice.reason
    assert found.findings[0].verdict is Verdict.INCONCLUSIVE
