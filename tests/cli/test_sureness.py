"""What `tenure evaluate` says of a bundle's confidence."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.simulators.gauss import HOLD, PROBLEM, Gauss
from tests.store.graphs import linear

from tenure.cli.output import Output
from tenure.cli.sureness import show_sureness, sureness
from tenure.core.arrays import Bools, Floats
from tenure.core.policy import Proposal
from tenure.store import Bundle, BundlePolicy

PROJECT: Any = SimpleNamespace(problem=PROBLEM, incumbent=HOLD, simulator=Gauss())


@dataclass
class Going(BundlePolicy):
    """Goes ahead everywhere, as sure as it is told to be."""

    said: float

    def __init__(self, said: float, refused: str | None = "") -> None:
        told = {} if refused is None else {"confidence": {"refused": refused}}
        super().__init__(Bundle(linear(np.ones((1, 2))), {"evaluation": told, "confidence": {"within": 1}}))
        self.said = said

    def propose(self, observation: Floats, allowed: Bools | None, draw: Floats) -> Proposal:
        return Proposal(np.ones(len(observation), dtype=int), np.full(len(observation), self.said))


def test_the_error_is_how_far_it_is_from_what_came_true(capsys: pytest.CaptureFixture[str]) -> None:
    # Promises are even over [-2, 2], so one half comes true.
    (half,) = sureness(PROJECT, [Going(0.5)], "selection")
    (sure,) = sureness(PROJECT, [Going(0.95)], "selection")
    assert half["share_good"] == pytest.approx(0.5, abs=0.03)
    assert half["error"]["value"] < 0.03
    assert sure["error"]["value"] == pytest.approx(0.95 - sure["share_good"])
    show_sureness(Output(json=False), [sure])
    printed = capsys.readouterr().out
    assert "confidence is off by 4" in printed
    assert "at least as much reward as the incumbent's" in printed
    assert "90.0 % to 100.0 %" in printed


def test_a_refused_head_is_told_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    found = sureness(PROJECT, [Going(0.5, refused="on average 0.2 off")], "selection")
    assert "error" not in found[0]
    show_sureness(Output(json=False), found)
    assert "says nothing of how sure it is: on average 0.2 off" in capsys.readouterr().out


def test_nothing_is_said_of_rules_and_of_bundles_that_never_learned_any() -> None:
    assert sureness(PROJECT, [HOLD, Going(0.5, refused=None)], "selection") == []
