"""The report's rules: what is missing is said, agreement proves nothing, a proven harm holds, a proven gain passes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from tests.evaluation.shadow_logs import NEED, problem, replay_of, shadow_log

from tenure.core.evidence import Verdict
from tenure.evaluation.shadow.log import Margin, Need, Note, Replay, ShadowLog
from tenure.evaluation.shadow.report import ShadowReport, shadow_report


def noise(n: int, size: float = 0.1) -> Any:
    return np.random.default_rng(int(1000 * size)).normal(0, size, n)


def better(log: ShadowLog, trucks: float = 0.0, night_only: bool = False) -> Replay:
    """A minute faster, and so many trucks more, at night or always; trucks per minute stay as they were at 0."""
    n, before = len(log), log.signals["time"]
    time = before - 1 + noise(n)
    more = trucks * ((log.rows.features[:, 1] == 1) if night_only else np.ones(n))
    return replay_of(log, time, log.signals["trucks"] / before * time * (1 + more + noise(n, 0.01)))


def report(log: ShadowLog, replay: Replay | str, need: Need = NEED, **margins: Margin) -> ShadowReport:
    return shadow_report(problem(), log, replay, need=need, margins=margins)


def test_a_proven_gain_without_harm_passes() -> None:
    log = shadow_log()
    found = report(log, better(log))
    assert found.verdict is Verdict.PASS
    assert found.sentence.startswith("Time falls 11.")
    assert found.sentence.endswith(" and no KPI is proven worse: pass.")
    assert (found.decisions, found.days, found.missing) == (2000, 10, ())


def test_a_gain_that_costs_another_kpi_more_than_its_margin_fails_and_says_so_first() -> None:
    log = shadow_log()
    found = report(log, better(log, trucks=0.2), trucks=Margin(0.02, relative=True))
    assert found.verdict is Verdict.FAIL
    assert ", but trucks rise 20." in found.sentence
    assert found.sentence.endswith(": hold.")


def test_without_a_stated_margin_a_proven_harm_holds_and_asks_for_one() -> None:
    log = shadow_log()
    found = report(log, better(log, trucks=0.2))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence.endswith(": hold (no margin is stated for trucks).")


def test_a_harm_within_its_margin_passes_and_is_still_told() -> None:
    log = shadow_log()
    found = report(log, better(log, trucks=0.2), trucks=Margin(0.5, relative=True))
    assert found.verdict is Verdict.PASS
    assert "but trucks rise 20." in found.sentence
    assert "within its margin: pass." in found.sentence


def test_a_margin_that_is_not_proven_kept_is_inconclusive() -> None:
    log = shadow_log()
    found = report(log, better(log), trucks=Margin(0.0001, relative=True))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not yet proven to stay within its margin: trucks: hold." in found.sentence


def test_a_hidden_trade_is_placed_in_its_segment() -> None:
    log = shadow_log(4000, seed=1)
    found = report(log, better(log, trucks=0.4, night_only=True), trucks=Margin(0.02, relative=True))
    assert "all of it where night = 1: hold." in found.sentence
    (trucks,) = [part for part in found.segments if part.kpi == "trucks"]
    assert {row.rule: row.verdict for row in trucks.segments} == {"night = 0": "mixed", "night = 1": "worse"}


def test_too_few_decisions_and_days_are_inconclusive_and_counted() -> None:
    log = shadow_log()
    found = report(log, better(log, trucks=0.2), Need(6000, 16), trucks=Margin(0.02, relative=True))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.missing == ("4,000 more decisions", "6 more days")
    assert found.sentence.startswith("4,000 more decisions and 6 more days needed; so far time falls ")
    assert ", but trucks rise " in found.sentence


def test_one_more_is_one_decision() -> None:
    assert report(shadow_log(), "none", Need(2001, 11)).missing == ("1 more decision", "1 more day")


def test_nothing_asked_for_still_needs_something() -> None:
    assert report(shadow_log(0), "none", Need(0, 0)).missing == ("1 more decision", "1 more day")


def test_full_agreement_is_nothing_to_value() -> None:
    log = shadow_log()
    agreed = replace(log, proposed=log.rows.action.copy())
    found = report(agreed, replay_of(agreed, log.signals["time"], log.signals["trucks"]))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence == "Candidate and incumbent agree on every decision, so there is nothing to value: hold."
    assert (found.disagreement.decisions, found.disagreement.pairs, found.segments) == (0, (), ())


def test_a_replay_that_gains_where_the_log_agrees_everywhere_proves_nothing() -> None:
    log = shadow_log()
    agreed = replace(log, proposed=log.rows.action.copy())
    assert report(agreed, better(log)).verdict is Verdict.INCONCLUSIVE


def test_disagreements_nobody_can_value_are_inconclusive_with_both_reasons() -> None:
    log = shadow_log(2000, action=np.zeros(2000, dtype=np.int64), propensity=np.ones(2000))
    found = report(log, "the project has no simulator")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "replay: the project has no simulator; off-policy: every decision was logged" in found.sentence
    assert found.kpis[0].reason == "nothing can value the disagreements"
    assert (found.tails, found.calibration) == ((), None)


def test_without_a_simulator_an_exploring_log_is_enough() -> None:
    found = report(shadow_log(8000), "the project has no simulator", trucks=Margin(0.5, relative=True))
    assert found.verdict is Verdict.PASS
    assert [part.way for part in found.segments] == ["off_policy", "off_policy"]
    assert "only known where a simulator" in found.uncalibrated


def test_a_gain_that_may_be_chance_is_inconclusive() -> None:
    log = shadow_log()
    found = report(log, replay_of(log, log.signals["time"] + noise(2000), log.signals["trucks"] + noise(2000)))
    # the log itself shows that going right is faster, but the replay comes first and does not
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.sentence.startswith("Time is not proven to change (-")


def test_a_slower_candidate_is_told_without_a_but() -> None:
    log = shadow_log(2000, action=np.zeros(2000, dtype=np.int64), propensity=np.ones(2000))
    found = report(
        log, replay_of(log, log.signals["time"] + 1 + noise(2000), log.signals["trucks"] * 2), time=Margin(0.1)
    )
    assert found.verdict is Verdict.FAIL
    assert found.sentence.startswith("Time rises ")
    assert "; trucks rise " in found.sentence


def test_a_shadow_that_delivered_nothing_is_an_error() -> None:
    found = report(shadow_log(2000, proposed=np.full(2000, -1)), "none")
    assert found.verdict is Verdict.ERROR
    assert found.sentence == "No proposals: none of 2000 decisions carries one: nothing can be said."
    assert found.disagreement.share is None


def test_a_thin_delivery_holds_a_gain() -> None:
    log = shadow_log()
    thin = replace(log, proposed=np.where(np.arange(2000) % 50 == 0, -1, log.proposed))
    found = report(thin, better(log))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "98.0 % of 2000 decisions carry a proposal" in found.sentence


def test_missing_outcomes_hold_a_gain() -> None:
    log, time = shadow_log(), shadow_log().signals["time"].copy()
    time[:100] = np.nan
    found = report(shadow_log(time=time), better(log))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "95.0 % of 2000 decisions have their outcome" in found.sentence


def test_a_simulator_that_does_not_know_the_incumbent_holds_a_gain() -> None:
    log = shadow_log()
    good = better(log)
    off = replace(good, incumbent={**good.incumbent, "time": good.incumbent["time"] * 1.06})
    found = report(log, off)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert [finding.gate for finding in found.health if finding.verdict is not Verdict.PASS] == ["simulator"]


def test_who_does_what_instead_is_counted() -> None:
    log = shadow_log(4, action=np.array([0, 0, 1, 1]), proposed=[1, 1, 0, 1])
    pairs = report(log, "none").disagreement.pairs
    assert [(pair.incumbent, pair.candidate, pair.decisions, pair.share) for pair in pairs] == [
        ("0", "1", 2, 0.5),
        ("1", "0", 1, 0.25),
    ]


def test_confidence_is_held_against_the_replay_where_it_was_logged() -> None:
    log = shadow_log()
    confidence = np.where(np.arange(2000) % 2 == 0, 0.9, np.nan)
    found = report(log, replace(better(log), confidence=confidence))
    assert found.calibration is not None
    assert [each.n for each in found.calibration.bins] == [1000]
    assert found.calibration.bins[0].good is not None
    assert found.calibration.bins[0].good.value == 1.0
    silent = report(log, replace(better(log), confidence=np.full(2000, np.nan)))
    assert silent.calibration is None
    assert "at least 1 entries" in silent.uncalibrated


def test_a_ratio_without_anything_below_it_is_left_out_with_its_reason() -> None:
    log = shadow_log(2000, time=np.zeros(2000))
    found = report(log, replay_of(log, np.zeros(2000), log.signals["trucks"]))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "something to divide by" in found.kpis[1].reason
    assert [part.kpi for part in found.segments] == ["time"]


def test_the_report_is_plain_json_with_every_part() -> None:
    log = shadow_log()
    at = datetime(2026, 3, 5, tzinfo=UTC)
    note = Note("d7", at, "odd", "ana", at)
    found = shadow_report(problem(), log, better(log), need=NEED, margins={"trucks": Margin(1)}, notes=[note])
    plain = json.loads(json.dumps(found.as_dict()))
    for name in ("decisions", "disagreement", "value", "kpis", "tails", "segments", "verdict", "sentence", "health"):
        assert plain[name] is not None
    assert set(plain["value"]) == {"replay", "off_policy"}
    assert plain["notes"][0]["actor"] == "ana"
    assert plain["verdict"] == "pass"
    assert plain["delivery"]["verdict"] == "pass"
    assert plain["kpis"][1]["margin"] == {"size": 1, "relative": False}


def test_the_same_columns_give_the_same_report() -> None:
    log = shadow_log()
    assert report(log, better(log)).as_dict() == report(log, better(log)).as_dict()


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_most_of_a_trade_is_told_with_its_share_and_little_of_it_not_at_all(share: float) -> None:
    log = shadow_log(6000)
    night = log.rows.features[:, 1] == 1
    before = log.signals["time"]
    time = before - 1 + noise(6000)
    more = np.where(night, 0.2, share)
    trucks = log.signals["trucks"] / before * time * (1 + more + noise(6000, 0.01))
    sentence = report(log, replay_of(log, time, trucks)).sentence
    assert ("of it where night = 1" in sentence) == (share == 0.05)
