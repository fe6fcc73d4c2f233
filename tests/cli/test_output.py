"""How commands speak."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tenure.cli.output import Output, needed, reported
from tenure.core.errors import RequestError


def test_what_json_cannot_write_becomes_null(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).result({"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], "c": np.float64(math.nan)})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [1.5, None, [None, {"b": None}]],
        "c": None,
    }


def test_people_get_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).result({"a": 1})
    assert capsys.readouterr().out == ""


def test_an_argument_that_was_not_given_is_named() -> None:
    assert needed("x", "a file") == "x"
    with pytest.raises(RequestError, match="expected a file; found none"):
        needed(None, "a file")


def test_what_a_project_prints_does_not_spoil_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json=True)
    with reported(output):
        print("my simulator is alive")  # noqa: T201
        output.result({"a": 1})
    said = capsys.readouterr()
    assert json.loads(said.out) == {"a": 1}
    assert "alive" in said.err
    with reported(Output(json=False)):
        print("my simulator is alive")  # noqa: T201
    assert "alive" in capsys.readouterr().out
