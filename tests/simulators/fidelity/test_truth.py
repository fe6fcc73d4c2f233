"""The ground truth, short form: four pairs of one test seed; the table over 20 is in docs/validation.md."""

from __future__ import annotations

import pytest
from tests.simulators.fidelity.depot import DEFECTS
from tests.simulators.fidelity.truth import FIRST_TEST, answer

SHORT = ("wrong scale", "lag", "frozen sensor", "missing feature")


def test_every_defect_of_the_issue_has_a_pair() -> None:
    assert len(DEFECTS) == 8


@pytest.mark.parametrize("name", SHORT)
def test_a_defect_fails_and_is_named_and_its_faithful_twin_never_fails(name: str) -> None:
    number = list(DEFECTS).index(name)
    assert answer(name, True, FIRST_TEST, number).right
    assert answer(name, False, FIRST_TEST, number).verdict != "fail"
