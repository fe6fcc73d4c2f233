"""Arms that meet on a resource, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tenure.core.errors import EvidenceError
from tenure.core.evidence import Verdict
from tenure.evaluation.experiment.interference import interference, shared_periods

DEPOT = ["a", "a", "b", "b", "a", "b"]
DAY = np.array([1, 1, 1, 2, 2, 2])
CANDIDATE = np.array([True, False, True, False, True, False])


def test_periods_of_a_resource_are_counted_once() -> None:
    # a on day 1: both; b on 1: candidate; b on 2: incumbent twice; a on 2: candidate.
    assert shared_periods(DEPOT, DAY, CANDIDATE) == (1, 4)


def test_sharing_holds_and_names_the_share() -> None:
    found = interference(DEPOT, DAY, CANDIDATE)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "in 1 of 4 periods of a resource (25 %) both arms used it" in found.reason
    assert interference(DEPOT, DAY, CANDIDATE, limit=0.25).verdict is Verdict.PASS
    assert interference(DEPOT, DAY, CANDIDATE, limit=0.24).verdict is Verdict.INCONCLUSIVE


def test_arms_apart_pass() -> None:
    assert interference(DEPOT, DAY, np.array([name == "a" for name in DEPOT])).verdict is Verdict.PASS


def test_a_declared_resource_holds_whatever_the_log_shows() -> None:
    found = interference(["a", "b"], np.array([1, 1]), np.array([True, False]), declared=["the crane", "the crew"])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the crane, the crew" in found.reason


def test_no_decision_never_passes() -> None:
    assert interference([], np.zeros(0, int), np.zeros(0, bool)).verdict is Verdict.INCONCLUSIVE


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(EvidenceError):
        interference(DEPOT, DAY[:2], CANDIDATE)
    with pytest.raises(EvidenceError):
        interference(DEPOT, DAY, CANDIDATE, limit=1.0)
