"""The page about a reward: the same in HTML and Markdown, nothing from outside, nothing that breaks out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import pytest

from tenure.console.reward import markdown_cell, render_reward, write_reward_page
from tenure.core.errors import TenureError
from tenure.core.evidence import Verdict
from tenure.design.reward.document import RewardDocument, Section, Table

Form = Literal["html", "md"]
EVIL = "a | b\n<script>alert(1)</script> & more"
PAGE = RewardDocument(
    title="shop: what is rewarded, and why",
    about=EVIL,
    verdict=Verdict.INCONCLUSIVE,
    reward_version="abc123",
    audited_at="2026-05-01 12:00 UTC",
    summary=(("Verdict", "inconclusive."), ("Searched", "9 behaviours."), ("Found", EVIL), ("To do", "Settle it.")),
    sections=(
        Section("What is rewarded", ("One sentence.",), (Table("Terms", ("Signal", "Why"), ((EVIL, "pass"),)),)),
        Section("Limits", ("None.",)),
    ),
)


@pytest.mark.parametrize("form", get_args(Form))
def test_both_forms_hold_every_part(form: Form) -> None:
    text = render_reward(PAGE, form)
    for needed in ("shop: what is rewarded", "abc123", "inconclusive", "One sentence.", "Terms", "Signal", "Limits"):
        assert needed in text


@pytest.mark.parametrize("form", get_args(Form))
def test_the_summary_stands_before_every_section(form: Form) -> None:
    text = render_reward(PAGE, form)
    places = [text.index(word) for word in ("In short", "9 behaviours.", "Settle it.", "One sentence.")]
    assert places == sorted(places)


@pytest.mark.parametrize("form", get_args(Form))
def test_no_text_breaks_out_of_its_place(form: Form) -> None:
    text = render_reward(PAGE, form)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_stroke_or_a_line_break_adds_no_cell_to_a_markdown_table() -> None:
    row = next(line for line in render_reward(PAGE, "md").splitlines() if "script" in line and line.startswith("|"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 3


def test_the_html_page_needs_nothing_from_outside() -> None:
    text = render_reward(PAGE, "html")
    assert not re.search(r"(?:src|href)=|@import|url\(", text)


def test_the_page_is_written_with_its_folder(tmp_path: Path) -> None:
    path = write_reward_page(PAGE, tmp_path / "deep" / "reward.md", "md")
    assert path.read_text(encoding="utf-8") == render_reward(PAGE, "md")


@pytest.mark.parametrize("form", get_args(Form))
def test_only_an_earlier_page_is_replaced(form: Form, tmp_path: Path) -> None:
    code = tmp_path / "problem.py"
    code.write_text("problem = 1\n")
    with pytest.raises(TenureError, match="left as it is") as raised:
        write_reward_page(PAGE, code, form)
    assert (code.read_text(), raised.value.exit_code) == ("problem = 1\n", 2)
    with pytest.raises(TenureError, match="a folder"):
        write_reward_page(PAGE, tmp_path, form)
    page = write_reward_page(PAGE, tmp_path / "page", form)
    assert write_reward_page(replace(PAGE, title="shop: anew"), page, form).read_text().count("shop: anew")


def test_no_link_is_live_in_markdown() -> None:
    assert markdown_cell("[x](javascript:alert(1))") == r"\[x\](javascript:alert(1))"
    assert markdown_cell("![x](http://a/b.png) `code`") == r"!\[x\](http://a/b.png) \`code\`"
    assert markdown_cell(r"a\|b") == r"a\\\|b", "a stroke's own backslash does not set the stroke free"
