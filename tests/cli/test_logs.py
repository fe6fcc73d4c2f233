"""Log lines: one each, for people or for programs, whatever is in them."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from tenure.cli.logs import JsonLines, LogFormat, TextLines, log_to_stderr


def record(message: str = "serving", error: bool = False, **fields: object) -> logging.LogRecord:
    trace = None
    if error:
        try:
            raise ValueError("odd")
        except ValueError:
            trace = sys.exc_info()
    made = logging.LogRecord("tenure.serving", logging.WARNING, "file", 1, message, (), trace)
    made.created = 0.0
    made.fields = fields
    return made


def test_a_program_reads_one_object_a_line() -> None:
    text = JsonLines().format(record("a\nb", url="http://x", n=3))
    assert "\n" not in text
    assert json.loads(text) == {
        "at": "1970-01-01T00:00:00.000000Z",
        "level": "warning",
        "logger": "tenure.serving",
        "message": "a\nb",
        "url": "http://x",
        "n": 3,
    }


def test_a_program_gets_the_trace_of_a_defect_in_the_same_object() -> None:
    assert "ValueError: odd" in json.loads(JsonLines().format(record(error=True)))["trace"]


def test_a_person_reads_time_level_words_and_fields() -> None:
    assert TextLines().format(record(url="u")) == "1970-01-01 00:00:00 warning serving url='u'"
    assert "ValueError: odd" in TextLines().format(record(error=True))


@pytest.mark.parametrize("form", ["text", "json"])
def test_all_of_tenure_writes_to_standard_error_once(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    ours = logging.getLogger("tenure")
    before = ours.handlers[:], ours.level, ours.propagate
    try:
        log_to_stderr("text")
        log_to_stderr(form)
        logging.getLogger("tenure.anything").info("hello")
    finally:
        ours.handlers[:], ours.propagate = before[0], before[2]
        ours.setLevel(before[1])
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("hello") == 1
    assert found.err.startswith("{") is (form == "json")
