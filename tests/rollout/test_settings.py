"""tenure.toml: what is wrong is refused with its place, and nothing stands where nobody would ask for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tenure.cases.bikes.problem import problem as bikes
from tenure.core.errors import SettingsError
from tenure.rollout import Settings, as_plain, read_settings
from tenure.rollout.rules import BreakerRule
from tenure.rollout.settings import RewardWindow

from .world import PROBLEM, TOML

BIKES = Path(__file__).parents[2] / "src" / "tenure" / "cases" / "bikes" / "tenure.toml"
RULE = '[[promote]]\nto = {to}\nevidence = "{evidence}"\nkpi = "{kpi}"\nmargin = 0.1\nrelative = {relative}\n'


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "tenure.toml"
    path.write_text(text)
    return read_settings(path, PROBLEM)


def test_without_a_file_the_defaults_hold_and_nothing_can_start(tmp_path: Path) -> None:
    found = read_settings(tmp_path / "tenure.toml", PROBLEM)
    assert found == Settings()
    assert found.rollout.stages == [0.01, 0.1, 1.0]
    assert found.for_share(0.0, "selection") == []
    assert found.reward_window.span == timedelta(days=2)


def test_the_shipped_bikes_file_reads() -> None:
    found = read_settings(BIKES, bikes)
    assert found.rollout.stages == [0.01, 0.10, 1.0]
    assert found.rollout.approval == [0.01, 1.0]
    assert found.rollout.salt
    assert found.bake_of(0.01) == {"candidate decisions": 24.0, "candidate units": 1.0, "days": 14.0}
    assert found.bake_of(0.10) == {"candidate decisions": 1000.0, "candidate units": 40.0, "days": 28.0}
    assert found.bake_of(1.0)["days"] == 7.0
    assert {rule.kpi: rule.margin for rule in found.guardrail} == {"cost": 0.05, "service_level": 0.02}
    assert [rule.to for rule in found.promote] == [0.0, 0.01, 0.01, 1.0]
    assert found.reward_window.span == timedelta(hours=1)


def test_one_bake_holds_for_every_stage(tmp_path: Path) -> None:
    found = read(tmp_path, TOML)
    assert found.bake_of(0.2) == {"candidate decisions": 4.0, "candidate units": 2.0, "days": 2.0}
    assert found.bake_of(0.5)["days"] == 3.0
    assert as_plain(found)["rollout"]["stages"] == [0.2, 0.5, 1.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[rollout", "end of a table"),
        ("[rollout]\nstagez = [1.0]", "stagez"),
        ("[brake]\nx = 1", "brake"),
        ("[rollout]\nstages = []", "length"),
        ("[rollout]\nexploration = 2", "exploration"),
        ("[rollout]\nshadow = { min_days = -1 }", "min_days"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = -0.1', "margin"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = nan', "margin"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = 0.1\nalpha = 0', "alpha"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = 0.1\nalpha = 1', "alpha"),
        ('[[guardrail]]\nkpi = "cots"\nmargin = 0.1', "one of the KPIs"),
        ("[[promote]]\nto = 0.1\nkpi = 'cots'\nmargin = 0.1", "one of the KPIs"),
        ("[rollout]\nstages = [0.1, 0.01, 1.0]\napproval = []", "rising"),
        ("[rollout]\nstages = [0.1, 0.1, 1.0]\napproval = []", "rising"),
        ("[rollout]\nstages = [0.1, 0.5]\napproval = []", "rising"),
        ("[rollout]\nstages = [0.0, 1.0]\napproval = []", "rising"),
        ("[rollout]\nstages = [nan, 1.0]\napproval = []", "float"),
        ("[rollout]\nstages = [0.1, 1.0]\napproval = []\nbake = { min_days = [1, 2, 3] }", "each of the 2 stages"),
        ("[rollout]\nbake = { min_units = [] }", "min_units"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = 0.1\nbounds = [-0.1, 1.0]', "around the margin"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = 0.1\nbounds = [-1.0, -0.1]', "around the margin"),
        ('[[guardrail]]\nkpi = "cost"\nmargin = 0.1\nbounds = [-inf, inf]', "finite bounds"),
        ('[[guardrail]]\nkpi = "service"\nmargin = 0.1\nrelative = true', "absolute margin"),
        ('[reward_window]\nwait = "soon"', "a number with ms, s, m, h or d"),
        ('[reward_window]\nwait = "-1d"', "a number with ms, s, m, h or d"),
        ('[reward_window]\nwait = "1.5h"', "a number with ms, s, m, h or d"),
        ('[reward_window]\nwait = "99999999999999d"', "a number with ms, s, m, h or d"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        read(tmp_path, text)
    assert "tenure.toml" in caught.value.where
    assert caught.value.fix


def test_selection_data_may_ask_for_a_share_of_a_ratio_because_they_compare_the_ratios(tmp_path: Path) -> None:
    ratio_first = replace(PROBLEM, kpis=tuple(sorted(PROBLEM.kpis, key=lambda kpi: kpi.name != "service")))
    rule = '[[promote]]\nto = {}\nevidence = "{}"\nkpi = "service"\nmargin = 0.05\nrelative = true\n'
    path = tmp_path / "tenure.toml"
    path.write_text(rule.format(0.0, "selection"))
    assert read_settings(path, ratio_first).promote[0].relative
    path.write_text(rule.format(1.0, "live"))
    with pytest.raises(SettingsError, match="absolute margin"):
        read_settings(path, ratio_first)


BREAKER = "[[breaker]]\nsignal = 'cost'\nabove = 1.0\nconsecutive = 3\n"
HUMAN = "[[human]]\nname = 'dear'\nfeature = 'x'\nabove = 5.0\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BREAKER.replace("signal = 'cost'\n", ""), "exactly one of signal and measure"),
        (BREAKER + "measure = 'reward'", "exactly one of signal and measure"),
        (BREAKER.replace("above = 1.0\n", ""), "exactly one of above and below"),
        (BREAKER + "below = 0.5", "exactly one of above and below"),
        (BREAKER.replace("consecutive = 3\n", ""), "exactly one of consecutive and window"),
        (BREAKER + "window = 5", "exactly one of consecutive and window"),
        (BREAKER.replace("cost", "cots"), "one of the signals"),
        (BREAKER.replace("signal = 'cost'", "measure = 'luck'"), "luck"),
        (BREAKER.replace("1.0", "inf"), "finite limit"),
        (BREAKER.replace("= 3", "= 0"), "consecutive"),
        (BREAKER + "rate = 0.5", "with a window"),
        (BREAKER.replace("consecutive", "window") + "rate = 0.5\nquantile = 0.9", "not both"),
        (BREAKER.replace("consecutive", "window") + "rate = 1.0", "rate"),
        (BREAKER.replace("signal = 'cost'", "measure = 'action_share'"), "action_share with a window"),
        (
            BREAKER.replace("signal = 'cost'", "measure = 'action_share'").replace("consecutive", "window")
            + "rate = 0.5",
            "action_share with a window",
        ),
        (BREAKER + BREAKER, "a name of its own"),
        (BREAKER + "half_open = { after = 'soon' }", "after"),
        (BREAKER + "half_open = { after = '99999999999999d' }", "a number with ms, s, m, h or d"),
        (BREAKER + "half_open = { after = '10m', decisions = 2 }", "at least 3"),
        (BREAKER + "half_open = { after = '10m', share = 1.0 }", "share"),
        (HUMAN.replace("'x'", "'y'"), "one of the features"),
        (HUMAN.replace("above = 5.0\n", ""), "a feature with a finite limit"),
        (HUMAN.replace("feature = 'x'\n", ""), "a feature with a finite limit"),
        (HUMAN.replace("5.0", "nan"), "a feature with a finite limit"),
        ("[[human]]\nname = 'nothing'", "none of them"),
        (HUMAN + "actions = ['learned', 'lerned']", "one of the actions"),
        (HUMAN + "deadline = 'soon'", "deadline"),
        (HUMAN + HUMAN, "a name of its own"),
        (HUMAN.replace("'dear'", "''"), "name"),
        ("[exploration]\nsegment = 'y'", "one of the features"),
        ("[exploration]\nper_segment = 3", "the segment that per_segment is for"),
        ("[alerts]\nexpire = '99999999999999d'", "a number with ms, s, m, h or d"),
        ("[monitor]\ncool_down = '99999999999999d'", "a number with ms, s, m, h or d"),
        ("[monitor]\nfalse_alarms = 0", "false_alarms"),
        ("[monitor]\nreference_days = 3", "reference_days"),
        ("[serving]\npersonalizer_signal = 'reward'", "one of the signals"),
        ("[[signal]]\nkpi = 'cots'\nmargin = 0.1", "one of the KPIs"),
        ("[[signal]]\nkpi = 'service'\nmargin = 0.1\nrelative = true", "absolute margin"),
        (RULE.format(to=1.0, evidence="live", kpi="cost", relative="true") + "cluster = 'week'", "cluster"),
    ],
)
def test_a_rule_for_single_decisions_must_mean_one_thing(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        read(tmp_path, text)
    assert "tenure.toml" in caught.value.where


@pytest.mark.parametrize(
    "text",
    [
        BREAKER,
        BREAKER + "half_open = { after = '10m', decisions = 3 }",
        BREAKER.replace("consecutive", "window") + "rate = 0.5",
        BREAKER.replace("consecutive", "window") + "quantile = 0.9",
        BREAKER + BREAKER + "name = 'another'",
        BREAKER.replace("signal = 'cost'", "measure = 'action_share'").replace("consecutive", "window"),
        HUMAN,
        HUMAN + "below = 9.0\nactions = ['learned']\nconfidence_below = 0.5",
        "[[human]]\nname = 'unsure'\nconfidence_below = 0.5",
        "[exploration]\nsegment = 'x'\nper_segment = 3",
        "[serving]\npersonalizer_signal = 'cost'",
    ],
)
def test_rules_that_mean_one_thing_are_taken(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) != Settings()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (BreakerRule(signal="slippage", above=0.0015, consecutive=6), "slippage above 0.0015, 6 in a row"),
        (BreakerRule(measure="reward", below=-2.0, window=50, rate=0.2), "reward below -2 in more than 20 % of 50"),
        (BreakerRule(signal="cost", above=3.0, window=50, quantile=0.95), "0.95 quantile of cost above 3 over 50"),
        (BreakerRule(measure="disagreement", above=0.6, window=200), "mean disagreement above 0.6 over 200"),
        (BreakerRule(measure="action_share", above=0.9, window=200), "action_share above 0.9 over 200"),
        (BreakerRule(signal="cost", below=0.0, consecutive=1), "cost below 0, 1 in a row"),
    ],
)
def test_a_breaker_says_its_rule_in_words(rule: BreakerRule, words: str) -> None:
    assert rule.words == rule.label == words
    assert msgspec.structs.replace(rule, name="mine").label == "mine"


def test_a_file_that_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tenure.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError):
        read_settings(path, PROBLEM)
    with pytest.raises(SettingsError):
        read_settings(tmp_path, PROBLEM)


@pytest.mark.parametrize(
    ("evidence", "to", "allowed"),
    [
        ("selection", 0.0, True),
        ("selection", 0.01, False),
        ("selection", 1.0, False),
        ("replay", 0.01, True),
        ("replay", 0.0, False),
        ("replay", 0.1, False),
        ("replay", 1.0, False),
        ("live", 0.1, True),
        ("live", 1.0, True),
        ("live", 0.0, False),
        ("live", 0.01, False),
        ("live", 0.3, False),
    ],
)
def test_a_criterion_stands_only_where_it_is_asked(tmp_path: Path, evidence: str, to: float, allowed: bool) -> None:
    """Elsewhere no gate would read it, and the share would grow without it."""
    text = RULE.format(evidence=evidence, to=to, kpi="cost", relative="true")
    if allowed:
        assert read(tmp_path, text).for_share(to, evidence)
        return
    with pytest.raises(SettingsError, match="selection evidence at 0, replay at"):
        read(tmp_path, text)


@pytest.mark.parametrize(("kpi", "relative"), [("service", "false"), ("cost", "false"), ("served", "true")])
def test_the_selection_rule_reads_what_the_selection_data_are_scored_on(
    tmp_path: Path, kpi: str, relative: str
) -> None:
    with pytest.raises(SettingsError, match="first KPI"):
        read(tmp_path, RULE.format(evidence="selection", to=0.0, kpi=kpi, relative=relative))


@pytest.mark.parametrize("approval", ["[0.05]", "[0.01, 0.5]", "[0.0]"])
def test_an_approval_nobody_would_ask_for_is_refused(tmp_path: Path, approval: str) -> None:
    with pytest.raises(SettingsError, match="among the stages"):
        read(tmp_path, f"[rollout]\napproval = {approval}")


@pytest.mark.parametrize(
    ("wait", "span"),
    [
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("5 m", timedelta(minutes=5)),
        ("1h", timedelta(hours=1)),
        ("2d", timedelta(2)),
    ],
)
def test_a_wait_is_a_number_and_a_letter(wait: str, span: timedelta) -> None:
    assert RewardWindow(wait=wait).span == span
