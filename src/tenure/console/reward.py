"""The page about a reward, for the risk officer: one HTML file with nothing outside it, or Markdown."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Literal

from tenure.console.report import environment
from tenure.core.errors import RequestError
from tenure.design.reward.document import RewardDocument

MARK = "<!-- tenure reward doc -->"
"""Begins every page, in HTML after its doctype; only a file with it is replaced."""

WORDS_USED = {
    "signal": "One measured consequence of a decision, with its unit; the reward is a weighted sum of signals.",
    "term": "One part of the reward: a weight over a signal, and the reason for it.",
    "KPI": "A business figure read beside the reward; the reward may not read it.",
    "limit": "What may not happen too often in the long run, and what keeps it so.",
    "incumbent": "The system that decides today; every behaviour is compared with it.",
    "exploit": "A behaviour that the reward ranks at least as high as the incumbent's, and that does harm.",
    "world": "One simulated run; all behaviours meet the same ones.",
    "shaping": "Extra pay that helps the learner; as a potential it cannot change which policy is best.",
}


def render_reward(document: RewardDocument, form: Literal["html", "md"]) -> str:
    """The page; in HTML all text is escaped, in Markdown nothing can break out of its cell."""
    if form == "html":
        return environment().get_template("reward.html.j2").render(page=document, words_used=WORDS_USED, mark=MARK)
    plain = environment().overlay(autoescape=False)
    plain.filters["cell"] = markdown_cell
    return plain.get_template("reward.md.j2").render(page=document, words_used=WORDS_USED, mark=MARK)


def write_reward_page(document: RewardDocument, path: Path, form: Literal["html", "md"]) -> Path:
    """Render into a file, making its folder; gives the path.

    Raises:
        RequestError: the path holds something else than an earlier page.
    """
    if path.exists() and not _is_a_page(path):
        raise RequestError(
            expected="a new file, or a page that `tenure reward doc` wrote before",
            found="a folder" if path.is_dir() else "a file of another kind, which was left as it is",
            where=str(path),
            fix="name another file with --out, or move this one away",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_reward(document, form), encoding="utf-8")
    return path


def _is_a_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(len(MARK) + 100)


def markdown_cell(text: str) -> str:
    """Text as it can stand in a Markdown table and nowhere else.

    >>> markdown_cell("a | b\\n<script>")
    'a \\\\| b &lt;script&gt;'
    >>> markdown_cell("[x](javascript:alert)")
    '\\\\[x\\\\](javascript:alert)'
    """
    flat = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\|\[\]`])", r"\\\1", flat)
