"""Whatever a header holds, it becomes a plain name, an exact literal and a harmless comment."""

from __future__ import annotations

import ast
import keyword
import re

from hypothesis import given
from hypothesis import strategies as st

from tenure.design.starting.names import literal, markdown, remark, slug, slugs

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(ANY_TEXT)
def test_a_literal_is_exactly_the_text_on_one_line(text: str) -> None:
    told = literal(text)
    assert ast.literal_eval(told) == text
    assert told.isprintable()


@given(ANY_TEXT)
def test_a_slug_is_a_name_and_no_keyword(text: str) -> None:
    name = slug(text)
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)


@given(st.lists(ANY_TEXT, max_size=8))
def test_slugs_differ_from_each_other(texts: list[str]) -> None:
    assert len(set(slugs(texts))) == len(texts)


@given(ANY_TEXT)
def test_a_remark_ends_no_comment_and_no_string(text: str) -> None:
    told = remark(text)
    assert told.isprintable()
    assert not set(told) & set("\"'\\{}")


def test_names_already_given_are_not_given_again() -> None:
    assert slugs(["untried", "cost"], taken=("untried",)) == ["untried_2", "cost"]


@given(ANY_TEXT)
def test_a_text_in_markdown_is_on_one_line_without_html_or_an_open_cell(text: str) -> None:
    told = markdown(text)
    assert told.isprintable()
    assert not set(told) & set("<>")
    bare = re.sub(r"\\.", "", told)
    assert not set(bare) & set("|`*[]~\\")
