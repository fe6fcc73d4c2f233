"""Both ways of valuing a disagreement, the refusals between them, and what a KPI's evidence is called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.shadow_logs import problem, replay_of, shadow_log

from tenure.core.evidence import Estimate
from tenure.evaluation.shadow.log import Margin, ShadowLog
from tenure.evaluation.shadow.value import (
    KpiChange,
    KpiEvidence,
    Way,
    by_log,
    by_replay,
    kpi_evidence,
    log_side,
    replay_side,
)


def differs(log: ShadowLog) -> float:
    return float(log.differs.mean())


def test_off_policy_and_replay_agree_on_a_known_gain() -> None:
    log = shadow_log(8000)
    # always going right takes 2 minutes less than a coin toss does in half of the cases: a gain of 1
    replay = replay_of(log, log.signals["time"] - 2.0 * log.differs, log.signals["trucks"])
    simulated = by_replay(problem(), replay_side(replay), differs(log), 0.05)
    logged = by_log(problem(), log, differs(log), 0.05, 0)
    for found in (simulated, logged):
        assert found.gain is not None
        assert found.gain.low < 1.0 < found.gain.high
        assert found.per_disagreement == pytest.approx(2.0, abs=0.1)
        assert found.decides


def test_a_deterministic_incumbent_is_refused_with_what_would_help() -> None:
    log = shadow_log(1000, action=np.zeros(1000, dtype=np.int64), propensity=np.ones(1000))
    found = by_log(problem(), log, 1.0, 0.05, 0)
    assert found.gain is None
    assert "probability 1" in found.reason
    assert "simulator" in found.helps
    assert found.as_dict()["gain"] is None


def test_outcomes_that_are_missing_refuse_the_log_unless_they_are_few() -> None:
    few, many = (np.random.default_rng(1).normal(10, 1, 2000) for _ in range(2))
    few[:10], many[:100] = np.nan, np.nan
    assert by_log(problem(), shadow_log(time=few), 0.5, 0.05, 0).gain is not None
    refused = by_log(problem(), shadow_log(time=many), 0.5, 0.05, 0)
    assert refused.gain is None
    assert "100 of 2000 rewards are missing" in refused.reason


def test_rows_without_a_proposal_are_not_valued() -> None:
    whole = shadow_log(4000)
    proposed = whole.proposed.copy()
    proposed[::2] = -1
    half = by_log(problem(), replace(whole, proposed=proposed), 0.5, 0.05, 0)
    assert half.gain is not None
    assert half.gain.n == 2000


def test_a_log_without_any_proposal_is_refused() -> None:
    assert by_log(problem(), shadow_log(100, proposed=np.full(100, -1)), 0.0, 0.05, 0).gain is None
    assert by_log(problem(), shadow_log(0), 0.0, 0.05, 0).gain is None


def test_modelled_propensities_and_sequences_of_decisions_decide_nothing() -> None:
    unknown = by_log(problem(), shadow_log(propensity=np.full(2000, np.nan)), 0.5, 0.05, 0)
    assert unknown.gain is not None
    assert not unknown.decides
    assert "modelled" in unknown.reason
    long = by_log(problem(horizon=24), shadow_log(), 0.5, 0.05, 0)
    assert long.gain is not None
    assert not long.decides
    assert "later" in long.reason


def test_replay_of_a_single_cluster_is_refused() -> None:
    log = shadow_log(50)
    replay = replace(replay_of(log, log.signals["time"], log.signals["trucks"]), cluster=np.zeros(50, dtype=np.uint64))
    found = by_replay(problem(), replay_side(replay), 0.5, 0.05)
    assert found.gain is None
    assert "two clusters" in found.reason
    (time, _) = kpi_evidence(problem(), (replay_side(replay),), {}, 0.05)
    assert (time.changes, time.word, time.shown, time.proven_within) == ((), "unclear", None, True)
    assert "two clusters" in time.reason


def test_no_disagreement_has_no_value_each() -> None:
    log = shadow_log(1000)
    replay = replay_of(log, log.signals["time"], log.signals["trucks"])
    assert by_replay(problem(), replay_side(replay), 0.0, 0.05).per_disagreement is None


def test_kpis_by_the_log_equal_self_normalised_weighting_by_hand() -> None:
    log = shadow_log(6)
    right = log.rows.action == 1
    time, trucks = log.signals["time"], log.signals["trucks"]
    rows = kpi_evidence(problem(), (log_side(log),), {}, 0.05)
    expected = [
        time[right].mean() - time.mean(),
        trucks[right].sum() / time[right].sum() - trucks.sum() / time.sum(),
    ]
    assert [row.changes[0].change.value for row in rows] == pytest.approx(expected)
    assert rows[0].changes[0].incumbent == pytest.approx(time.mean())


def test_alpha_is_spread_over_kpis_and_ways() -> None:
    log = shadow_log(2000)
    replay = replay_of(log, log.signals["time"], log.signals["trucks"])
    one = kpi_evidence(problem(), (replay_side(replay),), {}, 0.05)
    two = kpi_evidence(problem(), (replay_side(replay), log_side(log)), {}, 0.05)
    assert [row.changes[0].change.alpha for row in one] == [0.025, 0.025]
    assert [each.change.alpha for row in two for each in row.changes] == [0.0125] * 4
    assert [each.way for each in two[0].changes] == ["replay", "off_policy"]


def evidence(*ends: tuple[float, float], better: str = "lower", margin: Margin | None = None) -> KpiEvidence:
    """A KPI of 10 under the incumbent, whose change has these intervals, replay first."""
    ways: tuple[Way, Way] = ("replay", "off_policy")
    changes = tuple(
        KpiChange(way, 10.0, 10 + (low + high) / 2, Estimate((low + high) / 2, low, high, 9, 9.0, "t", "day"))
        for way, (low, high) in zip(ways, ends, strict=False)
    )
    return KpiEvidence("cost", "$", "higher" if better == "higher" else "lower", margin, changes)


@pytest.mark.parametrize(
    ("found", "word", "within"),
    [
        (evidence((-2, -1)), "better", True),
        (evidence((-2, 1)), "unclear", True),
        (evidence((1, 2)), "worse", True),
        (evidence((1, 2), better="higher"), "better", True),
        (evidence((-2, -1), better="higher"), "worse", True),
        (evidence((1, 2), margin=Margin(0.5)), "worse", False),
        (evidence((1, 2), margin=Margin(2)), "within margin", True),
        (evidence((1, 2), margin=Margin(1.5)), "within margin", False),
        (evidence((1, 2), margin=Margin(0.2, relative=True)), "within margin", True),
        (evidence((-2, 1), margin=Margin(0.5)), "unclear", False),
        (evidence((-2, -1), (1, 2)), "worse", True),
        (evidence((-1, 1), (-3, -2)), "unclear", True),
        (evidence(margin=Margin(1)), "unclear", False),
    ],
)
def test_what_the_evidence_is_called(found: KpiEvidence, word: str, within: bool) -> None:
    assert (found.word, found.proven_within) == (word, within)


def test_the_change_shown_is_the_one_that_proves_harm() -> None:
    shown = evidence((-2, -1), (1, 2)).shown
    assert shown is not None
    assert shown.way == "off_policy"
    assert shown.relative == (0.15, 0.1, 0.2)


def test_without_a_size_there_is_no_relative_change() -> None:
    nothing = replace(evidence((1, 2)).changes[0], incumbent=0.0)
    assert nothing.relative is None
    assert nothing.as_dict()["relative"] is None
