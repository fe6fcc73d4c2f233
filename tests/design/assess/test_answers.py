"""Answers can exclude RL and never recommend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import DataError
from tenure.core.evidence import Verdict
from tenure.design.assess.answers import QUESTIONS, Answers, ask, judge_answers, read_answers

FITS = {
    "repeated": True, "measurable": True, "reward_clear": True, "sequential": True, "answer_known": False,
    "rule_good": False, "simulatable": True, "outcome_days": 1.0, "bad_action_cost": 10.0, "decisions_a_day": 1000.0,
}  # fmt: skip


def test_the_best_answers_leave_it_open() -> None:
    _, advice = judge_answers(Answers(FITS))
    assert (advice.verdict, advice.recommendation) == (Verdict.INCONCLUSIVE, "online_rl")


@pytest.mark.parametrize(
    ("change", "recommendation"),
    [
        ({"repeated": False}, "rule_or_solver"),
        ({"measurable": False}, "rule_or_solver"),
        ({"reward_clear": False}, "rule_or_solver"),
        ({"rule_good": True}, "rule_or_solver"),
        ({"answer_known": True, "sequential": False}, "supervised"),
        ({"decisions_a_day": 1.0, "simulatable": False}, "rule_or_solver"),
    ],
)
def test_an_answer_that_excludes_rl_fails(change: dict[str, Any], recommendation: str) -> None:
    _, advice = judge_answers(Answers({**FITS, **change}))
    assert (advice.verdict, advice.recommendation) == (Verdict.FAIL, recommendation)


def test_a_known_answer_excludes_nothing_where_decisions_follow_from_each_other() -> None:
    _, advice = judge_answers(Answers({**FITS, "answer_known": True}))
    assert advice.verdict is Verdict.INCONCLUSIVE


def test_questions_are_asked_until_they_can_be_read() -> None:
    typed = iter(["maybe", "y", "yes", "Y", "n", "no", "n", "y", "soon", "2", "-1", "0", "50"])
    given = ask(lambda _: next(typed)).given
    assert set(given) == {question.key for question in QUESTIONS}
    assert (given["repeated"], given["sequential"], given["outcome_days"], given["bad_action_cost"]) == (
        True, False, 2.0, 0.0,
    )  # fmt: skip


def written(folder: Path, text: str) -> Path:
    path = folder / "answers.toml"
    path.write_text(text)
    return path


def toml(**change: Any) -> str:
    lines = [f"{key} = {str(value).lower()}" for key, value in {**FITS, **change}.items() if value is not None]
    return "\n".join(lines)


def test_a_file_of_answers_is_read(tmp_path: Path) -> None:
    assert read_answers(written(tmp_path, toml())).given == FITS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "a TOML file with repeated"),
        (toml(repeated=None), "repeated .*found no answer"),
        (toml(repeated='"often"'), "repeated = true or false; found 'often'; in .*answers.toml:1"),
        (toml(decisions_a_day=-5), "decisions_a_day = a number from 0; found -5; in .*answers.toml:10"),
        (toml(budget=5), "found 'budget'; in .*answers.toml:11"),
    ],
)
def test_a_wrong_answer_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_answers(written(tmp_path, text))


def test_a_missing_file_of_answers_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_answers(tmp_path / "none.toml")
