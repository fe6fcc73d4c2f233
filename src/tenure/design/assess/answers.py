"""A use case by a few answers: enough to exclude RL, never enough to recommend it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenure.core.errors import DataError
from tenure.core.evidence import Finding, Verdict
from tenure.core.project import line_of
from tenure.design.assess.recommend import Advice


@dataclass(frozen=True)
class Question:
    """One question.

    Args:
        key: its name in the file.
        words: as it is asked.
        kind: bool or float.
        no: why a no excludes RL; empty where it does not.
    """

    key: str
    words: str
    kind: type
    no: str = ""


QUESTIONS = (
    Question("repeated", "Is the same decision taken again and again?", bool, "a decision taken once needs no policy"),
    Question("measurable", "Can what came of it be measured?", bool, "what is not measured cannot be learned"),
    Question("reward_clear", "Could you write down what an outcome is worth?", bool, "first say what is to be gained"),
    Question("sequential", "Does a decision change the situation of the next one?", bool),
    Question("answer_known", "Is it known afterwards what would have been right, whatever was done?", bool),
    Question("rule_good", "Does a rule or a solver do it as well as can be?", bool),
    Question("simulatable", "Is there a simulator, or a safe place to try?", bool),
    Question("outcome_days", "How many days until the outcome is known?", float),
    Question("bad_action_cost", "What does a bad action cost at worst, in your currency?", float),
    Question("decisions_a_day", "How many such decisions are there a day?", float),
)
"""In the order in which they are asked."""

FEWEST_A_YEAR = 1000
"""Decisions a year below which no policy is learned from live data in a year."""


@dataclass(frozen=True)
class Answers:
    """Answers by key, each of its question's kind."""

    given: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.given[key]


def read_answers(path: Path) -> Answers:
    """Answers of a TOML file, one `key = value` each.

    Raises:
        DataError: no such file, no TOML, a question unanswered or unknown, or an answer of another kind.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        keys = ", ".join(question.key for question in QUESTIONS)
        raise _bad(f"a TOML file with {keys}", str(error), str(path)) from error
    known = {question.key: question for question in QUESTIONS}
    for key in table:
        if key not in known:
            raise _bad(f"one of {sorted(known)}", repr(key), line_of(path, key))
    return Answers({key: _kept(question, table, path) for key, question in known.items()})


def ask(answer: Callable[[str], str]) -> Answers:
    """Answers of a person; a question is asked again until its answer can be read.

    Args:
        answer: shows a question, gives what was typed.
    """
    given: dict[str, Any] = {}
    for question in QUESTIONS:
        value = None
        while value is None:
            hint = "y/n" if question.kind is bool else "a number"
            value = _typed(answer(f"{question.words} [{hint}] "), question)
        given[question.key] = value
    return Answers(given)


def judge_answers(answers: Answers) -> tuple[list[Finding], Advice]:
    """Fail where an answer excludes RL, else inconclusive: only data can say that it fits."""
    findings = [_finding(question, answers) for question in QUESTIONS]
    few = answers["decisions_a_day"] * 365 < FEWEST_A_YEAR and not answers["simulatable"]
    if few:
        words = f"fewer than {FEWEST_A_YEAR} decisions a year and no simulator: nothing to learn from"
        findings.append(Finding("volume", Verdict.FAIL, words))
    excluded = next((finding.reason for finding in findings if finding.verdict is Verdict.FAIL), None)
    if excluded is not None:
        labelled = answers["answer_known"] and not answers["rule_good"]
        return findings, Advice(Verdict.FAIL, "supervised" if labelled else "rule_or_solver", excluded)
    helps = "bring a log (--log) or a project folder: answers can exclude RL and never recommend it"
    if not answers["sequential"]:
        return findings, Advice(Verdict.INCONCLUSIVE, "bandit", helps)
    return findings, Advice(Verdict.INCONCLUSIVE, "online_rl" if answers["simulatable"] else "offline_rl", helps)


def _finding(question: Question, answers: Answers) -> Finding:
    value = answers[question.key]
    if question.no and value is False:
        return Finding(question.key, Verdict.FAIL, question.no)
    if question.key == "rule_good" and value:
        return Finding(question.key, Verdict.FAIL, "a rule or a solver does it as well as can be")
    if question.key == "answer_known" and value and not answers["sequential"]:
        return Finding(
            question.key, Verdict.FAIL, "what would have been right is known afterwards: learn to predict it"
        )
    return Finding(question.key, Verdict.INCONCLUSIVE, f"answered {value!r}, not measured")


def _kept(question: Question, table: Mapping[str, Any], path: Path) -> Any:
    if question.key not in table:
        raise _bad(f"{question.key} ({question.words})", "no answer", str(path))
    value = table[question.key]
    if question.kind is float and isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if question.kind is bool and isinstance(value, bool):
        return value
    wanted = "true or false" if question.kind is bool else "a number from 0"
    raise _bad(f"{question.key} = {wanted}", repr(value), line_of(path, question.key))


def _typed(text: str, question: Question) -> Any:
    word = text.strip().lower()
    if question.kind is bool:
        return {"y": True, "yes": True, "n": False, "no": False}.get(word)
    try:
        return float(word) if float(word) >= 0 else None
    except ValueError:
        return None


def _bad(expected: str, found: str, where: str) -> DataError:
    return DataError(expected=expected, found=found, where=where, fix="see docs/assess.md for an example of answers")
