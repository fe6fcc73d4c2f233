"""The page stands alone, hides nothing and believes nobody's text."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tenure.console import MoveRow, Tail, render, write
from tenure.console.report import WORDS_USED, stage_rows

from .sample import days, kpi, report

HOSTILE = "<script>alert(1)</script>"
SECTIONS = (
    "Training",
    "On held-out data",
    "The road to live",
    "Who moved what, when and why",
    "The kill, proven",
    "A gate that says no",
    "Limits, and what this does not prove",
    "Next",
    "The words used",
)


@pytest.fixture(scope="module")
def page() -> str:
    return render(report())


def test_the_page_asks_for_nothing_outside_itself(page: str) -> None:
    without_namespaces = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    for outside in ("http://", "https://", "<script", "<link", "<img", "@import", "url(", "src="):
        assert outside not in without_namespaces


def test_the_page_is_light(page: str) -> None:
    assert len(page.encode()) < 250_000


def test_every_section_stands_in_its_order(page: str) -> None:
    assert re.findall(r"<h[23][^>]*>([^<]+)</h[23]>", page) == list(SECTIONS)
    assert page.count("<h1>") == 1


def test_every_table_header_says_what_it_heads(page: str) -> None:
    headers = re.findall(r"<th\b[^>]*>", page)
    assert headers
    assert all('scope="' in header for header in headers)
    assert page.count("<table") == page.count("<caption>")


def test_every_chart_has_a_sentence_and_ids_are_unique(page: str) -> None:
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert len(labels) == page.count("<svg") == 6
    assert all(label.endswith(".") for label in labels)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


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


def test_the_page_prints_and_follows_the_dark(page: str) -> None:
    assert "@media print" in page
    assert "size: A4" in page
    assert "prefers-color-scheme: dark" in page


def test_hostile_text_is_escaped_everywhere() -> None:
    good = report()
    move = MoveRow(datetime(2011, 10, 1, tzinfo=UTC), HOSTILE, HOSTILE, f"{HOSTILE}; {HOSTILE}")
    bad = replace(
        good,
        title=HOSTILE,
        sentence=HOSTILE,
        notes=(HOSTILE,),
        command=HOSTILE,
        training=replace(good.training, kpi=HOSTILE, unit=HOSTILE),
        held_out=replace(good.held_out, kpis=(kpi(HOSTILE),), period=HOSTILE),
        rollout=replace(good.rollout, moves=(move,), salt=HOSTILE, days=(replace(days()[0], stage=HOSTILE),)),
        kill=replace(good.kill, reason=HOSTILE),
    )
    page = render(bad)
    assert "<script" not in page.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_worse_kpi_is_called_worse_in_words(page: str) -> None:
    row = re.search(r"<tr><th[^>]*>idle_bikes.*?</tr>", page, re.DOTALL)
    assert row
    assert ">worse</span>" in row[0]
    assert "+54.0\xa0%" in row[0]
    assert "+1.89 to +3.29" in row[0]


def test_the_gain_stands_with_its_interval(page: str) -> None:
    assert "+11.3\xa0% (95\xa0% interval +6.2\xa0% to +16.4\xa0%)" in page


def test_the_reads_of_held_out_data_are_told(page: str) -> None:
    assert "has been read twice" in page
    once = report()
    assert "has been read once." in render(replace(once, held_out=replace(once.held_out, reads=1)))


def test_a_long_reason_becomes_a_list(page: str) -> None:
    assert "<li>guardrail service_level: no harm proven in 66 units</li>" in page


def test_a_broken_promise_is_not_hidden() -> None:
    good = report()
    broken = render(replace(good, kill=replace(good.kill, learned_after=2)))
    assert "The promise of none was broken." in broken
    assert "all without the candidate" not in broken


def test_a_kill_that_nothing_followed_proves_nothing() -> None:
    good = report()
    assert "has not been put to the test" in render(replace(good, kill=replace(good.kill, decisions_after=0)))


def test_what_is_missing_is_said() -> None:
    good = report()
    bare = replace(
        good,
        facts=(),
        notes=(),
        training=replace(good.training, curves=(), bound=None),
        held_out=replace(good.held_out, headroom=None, rules=(), tails=(), kpis=(kpi("x", incumbent=0.0),), reads=0),
        rollout=replace(good.rollout, days=(), moves=()),
        refused=replace(good.refused, findings=()),
    )
    page = render(bare)
    for said in (
        "No bound is known",
        "No learning curve was recorded.",
        "Headroom: not known",
        "No reading of the held-out data has been recorded.",
        "No day of a rollout has been recorded.",
        "Nobody has moved anything yet.",
        "without one nothing passes",
        "None were stated.",
    ):
        assert said in page
    assert "<svg" not in page
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().split()


def test_days_without_controls_are_handled() -> None:
    good = report()
    alone = tuple(replace(day, control=None) for day in days())
    assert "<svg" in render(replace(good, rollout=replace(good.rollout, days=alone)))


def test_the_words_used_are_explained(page: str) -> None:
    for word in ("incumbent", "candidate", "shadow", "canary", "propensity", "guardrail", "interval", "cluster"):
        assert f"<dt>{word}</dt>" in page
    assert "bound, headroom" in WORDS_USED


def test_stages_are_summed_over_their_days() -> None:
    rows = stage_rows(days())
    assert [row["days"] for row in rows] == [31, 14, 28, 9, 3]
    assert [row["units"] for row in rows] == [0, 0, 56, 180, 0]


def test_the_same_report_gives_the_same_page(page: str) -> None:
    assert render(report()) == page


def test_write_makes_the_folder_and_gives_the_path(tmp_path: Path, page: str) -> None:
    path = write(report(), tmp_path / "reports" / "report.html")
    assert path.read_text(encoding="utf-8") == page


def test_naming_the_room_does_not_import_what_draws() -> None:
    code = "import sys, tenure.console; print([n for n in ('altair', 'jinja2', 'vl_convert') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_tail_claims_no_more_than_its_two_points() -> None:
    assert [Tail("worst", 2.0, candidate).word for candidate in (1.0, 2.0, 3.0)] == ["lower", "the same", "higher"]
