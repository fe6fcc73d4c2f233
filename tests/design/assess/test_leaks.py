"""A log's columns that hold what came of the decision are found as `tenure init` finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tests.design.assess.families import classified, constant_best
from tests.design.assess.truth import write_csv

from tenure.design.assess.assessment import assess_log
from tenure.design.assess.leaks import leaks_of
from tenure.store.tables.logfile import open_log


def leaking() -> dict[str, Any]:
    """One offer is best for everybody; `paid` is what came of it, in cents."""
    log = dict(constant_best(np.random.default_rng(0)))
    return {**log, "paid": 100 * log["reward"]}


def test_a_function_of_the_outcome_is_found_left_out_and_named(tmp_path: Path) -> None:
    write_csv(leaking(), tmp_path / "log.csv")
    found = assess_log(open_log(tmp_path / "log.csv"), "log.csv")
    assert [leak.column for leak in found.left_out] == ["paid"]
    assert found.as_dict()["left_out"][0]["kind"] == "function"
    # Seen, it tells the reward before the action does, and no headroom is left.
    assert found.advice.recommendation == "rule_or_solver"
    assert found.gains is True


def test_an_honest_log_has_none_and_the_answer_that_is_known_afterwards_stays_one(tmp_path: Path) -> None:
    write_csv(classified(np.random.default_rng(0)), tmp_path / "log.csv")
    assert [(leak.column, leak.kind) for leak in leaks_of(open_log(tmp_path / "log.csv"))] == [("label_desk", "name")]
    assert assess_log(open_log(tmp_path / "log.csv"), "log").advice.recommendation == "supervised"


def test_a_log_that_is_no_file_is_taken_as_it_is() -> None:
    assert leaks_of(open_log(leaking())) == ()
