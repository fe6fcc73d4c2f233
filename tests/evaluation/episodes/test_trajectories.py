"""Episode estimators against a log worked by hand, and against loops written from the definitions.

The log, discount 1/2 (ratio = target / logged):

    episode 1: ratio 2,   reward 1, q 1.5, v 2      w_0 = 2
               ratio 0.5, reward 2, q 1,   v 1.5    w_1 = 1     return 1 + 2 / 2 = 2
    episode 2: ratio 0.25, reward 4, q 3, v 2       w_0 = 0.25  return 4

    tis    (1 * 2 + 0.25 * 4) / 2 = 1.5
    pdis   ((2 * 1 + 0.5 * 1 * 2) + 0.25 * 4) / 2 = 2
    wis    (1 * 2 + 0.25 * 4) / 1.25 = 2.4
    pdwis  (2 * 1 + 0.25 * 4) / 2.25 + 0.5 * (1 * 2) / (1 + 0.25) = 1.333333 + 0.8; episode 2 rests at 0.25
    dr     episode 1: 1.5 + 0.5 (2 - 1) = 2, then 2 + 2 (1 + 2 / 2 - 1.5) = 3; episode 2: 2 + 0.25 (4 - 3) = 2.25
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.core.errors import EvidenceError
from tenure.evaluation.episodes.columns import Episodes
from tenure.evaluation.episodes.trajectories import FORMULAS, cumulative_weights, last_weights, ratio_sum, returns


def by_hand() -> Episodes:
    return Episodes.from_columns(
        reward=np.array([2.0, 4.0, 1.0]),
        target_prob=np.array([0.3, 0.2, 0.5]),
        logged_prob=np.array([0.6, 0.8, 0.25]),
        episode=[1, 2, 1],
        step=np.array([1, 0, 0]),
        q=np.array([1.0, 3.0, 1.5]),
        v=np.array([1.5, 2.0, 2.0]),
    )


@pytest.mark.parametrize(
    ("name", "value"), [("tis", 1.5), ("pdis", 2.0), ("wis", 2.4), ("pdwis", 2.1333333333), ("dr", 2.625)]
)
def test_the_estimate_worked_by_hand(name: str, value: float) -> None:
    assert ratio_sum(FORMULAS[name].terms(by_hand(), 0.5)) == pytest.approx(value, abs=1e-6)


def test_weights_and_returns_worked_by_hand() -> None:
    found = by_hand()
    assert cumulative_weights(found) == pytest.approx([2, 1, 0.25])
    assert last_weights(found) == pytest.approx([1, 0.25])
    assert returns(found, 0.5) == pytest.approx([2, 4])


def test_on_policy_every_estimator_is_the_mean_return_if_the_model_is_nil() -> None:
    rng = np.random.default_rng(5)
    same, nil = rng.uniform(0.2, 1, 30), np.zeros(30)
    found = Episodes.from_columns(
        reward=rng.normal(size=30),
        target_prob=same,
        logged_prob=same,
        episode=np.repeat(np.arange(10), 3),
        step=np.tile(np.arange(3), 10),
        q=nil,
        v=nil,
    )
    for formula in FORMULAS.values():
        assert ratio_sum(formula.terms(found, 0.9)) == pytest.approx(returns(found, 0.9).mean(), abs=1e-12)


# One ragged log: per episode a list of (ratio, reward, q, v).
steps = st.tuples(st.floats(0.01, 9), st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5))
logs = st.lists(st.lists(steps, min_size=1, max_size=5), min_size=1, max_size=6)


def looped(log: list[list[tuple[float, float, float, float]]], discount: float) -> dict[str, float]:
    """The five estimates as their definitions say, one number at a time."""
    longest, n = max(map(len, log)), len(log)
    weight = [[math.prod(step[0] for step in one[: t + 1]) for t in range(longest)] for one in log]
    total = [sum(discount**t * step[1] for t, step in enumerate(one)) for one in log]
    out = dict.fromkeys(("tis", "pdis", "wis", "pdwis", "dr"), 0.0)
    out["tis"] = sum(w[-1] * g for w, g in zip(weight, total, strict=True)) / n
    out["wis"] = out["tis"] * n / sum(w[-1] for w in weight)
    for t in range(longest):
        earned = discount**t * sum(w[t] * one[t][1] for w, one in zip(weight, log, strict=True) if t < len(one))
        out["pdis"] += earned / n
        out["pdwis"] += earned / sum(w[t] for w in weight)
    for w, one in zip(weight, log, strict=True):
        for t, (_, reward, q, v) in enumerate(one):
            before = w[t - 1] if t else 1.0
            out["dr"] += discount**t * (w[t] * (reward - q) + before * v) / n
    return out


@settings(max_examples=80, deadline=None)
@given(logs, st.floats(0.1, 1))
def test_ragged_episodes_equal_the_definitions(log: list[list[tuple[float, float, float, float]]], g: float) -> None:
    flat = np.array([step for one in log for step in one])
    found = Episodes.from_columns(
        reward=flat[:, 1],
        target_prob=flat[:, 0] / 10,
        logged_prob=np.full(len(flat), 0.1),
        episode=np.repeat(np.arange(len(log)), list(map(len, log))),
        step=np.concatenate([np.arange(len(one)) for one in log]),
        q=flat[:, 2],
        v=flat[:, 3],
    )
    due = looped(log, g)
    for name, formula in FORMULAS.items():
        # Terms of the sum of size up to 9^5 * 5 may cancel.
        assert ratio_sum(formula.terms(found, g)) == pytest.approx(due[name], rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("missing", [{"q": None}, {"v": None}])
def test_doubly_robust_needs_a_model(missing: dict[str, Any]) -> None:
    found = by_hand()
    columns: dict[str, Any] = {
        "reward": found.reward,
        "target_prob": found.target_prob,
        "logged_prob": found.logged_prob,
        "episode": [1, 1, 2],
        "step": found.step,
        "q": found.q,
        "v": found.v,
    }
    with pytest.raises(EvidenceError, match="no model"):
        list(FORMULAS["dr"].terms(Episodes.from_columns(**(columns | missing)), 1.0))
    with pytest.raises(EvidenceError, match="1 NaN"):
        list(FORMULAS["dr"].terms(Episodes.from_columns(**(columns | {"q": np.array([1, np.nan, 1])})), 1.0))


def test_a_weight_beyond_a_float_is_not_finite_and_warns_of_nothing() -> None:
    found = Episodes.from_columns(
        reward=np.ones(400),
        target_prob=np.ones(400),
        logged_prob=np.full(400, 0.1),
        episode=np.zeros(400),
        step=np.arange(400),
    )
    assert math.isinf(last_weights(found)[0])
