"""The shadow report finds "8 % faster, 15 % more trucks" by itself, names where, and holds; its twin passes."""

from __future__ import annotations

import re

import pytest

from tenure.core.evidence import Verdict
from tenure.evaluation.shadow.example import MARGINS, NEED, problem, routes
from tenure.evaluation.shadow.report import ShadowReport, shadow_report

SEEDS = range(20)
TRADE = re.compile(
    r"Delivery time falls \d\.\d % \(.*\), but truck use rises 1\d\.\d % \(.*\), all of it where (.*): hold\."
)


def reports(trade: bool, simulator: bool) -> list[ShadowReport]:
    cases = (routes(seed, trade=trade) for seed in SEEDS)
    return [
        shadow_report(problem, case.log, case.replay if simulator else "no simulator here", need=NEED, margins=MARGINS)
        for case in cases
    ]


@pytest.mark.parametrize("simulator", [True, False])
def test_the_trade_is_found_held_and_placed(simulator: bool) -> None:
    found = reports(True, simulator)
    told = [TRADE.fullmatch(report.sentence) for report in found]
    assert [report.verdict for report in found] == [Verdict.FAIL] * len(SEEDS)
    assert all("truck use rises" in report.sentence and report.sentence.endswith("hold.") for report in found)
    named = [match is not None and set(match[1].split(" and ")) == {"hour >= 19", "north = 1"} for match in told]
    assert sum(named) >= 19


def test_the_twin_passes() -> None:
    verdicts = [report.verdict for report in reports(False, True)]
    assert verdicts.count(Verdict.PASS) >= 19
