"""The shadow page stands alone, opens with the sentence, shows every part and believes nobody's text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tenure.console.shadow import ShadowPage, chart_rows, render_shadow, write_shadow
from tenure.evaluation.shadow.example import MARGINS, NEED, problem, routes
from tenure.evaluation.shadow.log import Need, Note
from tenure.evaluation.shadow.report import ShadowReport, shadow_report

AT = datetime(2026, 3, 5, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
SECTIONS = (
    "What is missing, and what was checked",
    "Every KPI",
    "What the disagreements are worth",
    "Who does what instead",
    "Where it is better, worse or mixed",
    "The worst cases",
    "Is it right as often as it is sure?",
    "What operators noted",
    "The words used",
)


@pytest.fixture(scope="module")
def found() -> ShadowReport:
    case = routes(1)
    notes = [Note("order-7", AT, HOSTILE, "ana", AT)]
    return shadow_report(problem, case.log, case.replay, need=NEED, margins=MARGINS, notes=notes)


@pytest.fixture(scope="module")
def bare() -> ShadowReport:
    """Nothing to value with, too little of it, nothing noted."""
    log = routes(1).log
    silent = replace(log, rows=replace(log.rows, propensity=log.rows.propensity * 0 + 1))
    return shadow_report(problem, silent, "no simulator here", need=Need(30_000, 30), margins={})


def page_of(report: ShadowReport) -> str:
    return render_shadow(ShadowPage(problem, "v1", report, AT, "tenure shadow report routes"))


@pytest.fixture(scope="module")
def page(found: ShadowReport) -> str:
    return page_of(found)


def test_the_first_sentence_is_the_first_paragraph_after_the_title(page: str, found: ShadowReport) -> None:
    told = re.findall(r'<p class="sentence">([^<]+)</p>', page)
    assert told == [found.sentence.replace(">", "&gt;")]


def test_every_section_stands_in_its_order_in_full_and_bare_pages(page: str, bare: ShadowReport) -> None:
    for text in (page, page_of(bare)):
        assert re.findall(r"<h[23][^>]*>([^<]+)</h[23]>", text) == list(SECTIONS)


def test_the_page_asks_for_nothing_outside_itself_and_is_light(page: str) -> None:
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    for outside in ("http://", "https://", "<script", "<link", "<img", "@import", "url(", "src="):
        assert outside not in without_namespaces
    assert len(page.encode()) < 250_000


def test_nobody_s_text_becomes_markup(page: str) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_kpi_is_valued_both_ways_with_its_margin(page: str) -> None:
    for name in ("delivery_time", "truck_use", "late_orders"):
        assert len(re.findall(rf'<th scope="row">{name}<small>[^<]+</small></th><td><span class="word', page)) == 2
    assert "margin 2.0\N{NO-BREAK SPACE}%" in page
    assert "no margin stated" in page


def test_the_segment_that_pays_is_shown_as_worse(page: str) -> None:
    row = re.search(r'<th scope="row">hour &gt;= 19 and north = 1</th><td><span class="word worse">worse', page)
    assert row is not None


def test_what_is_missing_or_unknown_is_called_so(bare: ShadowReport) -> None:
    text = page_of(bare)
    assert "10,000 more decisions" in text
    assert "10 more days" in text
    assert "refused: no simulator here" in text
    assert "no figure: nothing can value the disagreements" in text
    assert "Nobody has noted anything." in text
    assert "<svg" not in text


def test_full_agreement_has_no_pairs(found: ShadowReport) -> None:
    agreed = replace(found, disagreement=replace(found.disagreement, decisions=0, share=None, pairs=()))
    text = page_of(agreed)
    assert "They agree everywhere" in text
    assert "share not known" in text


def test_the_chart_shows_the_change_each_verdict_rests_on(found: ShadowReport) -> None:
    rows = {row.name: row.word for row in chart_rows(found.kpis)}
    assert rows == {"delivery_time": "better", "truck_use": "worse", "late_orders": "better"}
    assert chart_rows([replace(found.kpis[0], changes=())]) == ()


def test_tags_are_balanced(page: str) -> None:
    class Balance(HTMLParser):
        open_: tuple[str, ...] = ()

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br"}:
                self.open_ += (tag,)

        def handle_endtag(self, tag: str) -> None:
            assert self.open_[-1] == tag
            self.open_ = self.open_[:-1]

    balance = Balance()
    balance.feed(page)
    assert balance.open_ == ()


def test_tables_are_captioned_and_their_headers_say_what_they_head(page: str) -> None:
    assert all('scope="' in header for header in re.findall(r"<th\b[^>]*>", page))
    assert page.count("<table") == page.count("<caption>")


def test_writing_makes_the_folder(found: ShadowReport, tmp_path: Path) -> None:
    path = write_shadow(ShadowPage(problem, "v1", found, AT, "c"), tmp_path / "a" / "b.html")
    assert path.read_text().lstrip().startswith("<!doctype html>")
