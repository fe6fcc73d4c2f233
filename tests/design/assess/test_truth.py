"""The ground truth, short form: one test seed of every family; the table over 20 is in docs/assess.md."""

from __future__ import annotations

from pathlib import Path

from tests.design.assess.families import LOGS
from tests.design.assess.folders import FOLDERS
from tests.design.assess.truth import CLASSES, FIRST_TEST, answers


def test_every_method_is_right_for_three_families_one_of_them_a_near_miss() -> None:
    right = {name: method for name, (method, _) in {**LOGS, **FOLDERS}.items()}
    for method in CLASSES:
        own = [name for name, answer in right.items() if answer == method]
        assert len(own) >= 3
        assert any(name.startswith("near_") for name in own)


def test_the_assessor_is_right_on_all_but_two_families_of_a_test_seed(tmp_path: Path) -> None:
    found = answers(FIRST_TEST, tmp_path)
    wrong = [(answer.family, answer.answered) for answer in found if not answer.ok]
    assert len(found) >= 15
    assert len(wrong) <= 2, wrong
