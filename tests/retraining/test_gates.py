"""Data checks, the memory suite and retention: no evidence never passes, and what is held never goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tenure.core.errors import ProjectError
from tenure.core.evidence import Verdict
from tenure.retraining import Data, Regime, check_data, examine, prunable, regimes, remember
from tenure.store import VersionRow

RAIN = Regime("rain", "hard", "March was wet", "sim-1")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (Data(100, 100, 50, intact=True), Verdict.PASS),
        (Data(100, 99, 50, intact=True), Verdict.INCONCLUSIVE),
        (Data(100, 100, 49, intact=True), Verdict.INCONCLUSIVE),
        (Data(0, 0, 0, intact=True), Verdict.INCONCLUSIVE),
        (Data(100, 100, 100, intact=False, first_bad=7), Verdict.FAIL),
    ],
)
def test_a_gap_fails_and_too_little_is_inconclusive(data: Data, verdict: Verdict) -> None:
    assert check_data(data, 100).verdict is verdict


def test_a_version_that_forgot_a_regime_by_more_than_the_margin_fails() -> None:
    gains = {"hard": 0.20}
    at = examine([RAIN], lambda level: gains[level] - 0.05 + 1e-9, gains.__getitem__, 0.05)
    beyond = examine([RAIN], lambda level: gains[level] - 0.0501, gains.__getitem__, 0.05)
    assert (at.verdict, beyond.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "'rain': loss 5.0 %" in beyond.reason


def test_where_only_the_incumbent_is_live_a_loss_is_against_it() -> None:
    assert examine([RAIN], lambda _: -0.06, None, 0.05).verdict is Verdict.FAIL
    assert examine([RAIN], lambda _: -0.04, None, 0.05).verdict is Verdict.PASS


def test_a_regime_is_kept_once_and_its_name_for_itself(tmp_path: Path) -> None:
    remember(tmp_path, RAIN)
    remember(tmp_path, RAIN)
    assert regimes(tmp_path) == [RAIN]
    with pytest.raises(ProjectError, match="no other regime"):
        remember(tmp_path, Regime("rain", "easy", "", "sim-1"))
    with pytest.raises(ProjectError, match="letters"):
        remember(tmp_path, Regime("../rain", "easy", "", "sim-1"))


def test_versions_stay_ninety_days_whatever_is_asked_and_held_ones_for_ever() -> None:
    rows = [VersionRow(f"v{days}", "p", NOW - timedelta(days=days), {}) for days in (400, 91, 90, 10)]
    assert prunable(rows, {"v400"}, NOW, timedelta(days=1)) == ["v91"]
    assert prunable(rows, (), NOW, timedelta(days=365)) == ["v400"]
