"""Decisions a year: said by a person, by a log's time or by worlds in real time, and by nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.design.assess.families import linear_bandit
from tests.design.assess.test_folder import COIN
from tests.design.assess.truth import write_csv

from tenure.core.project import load_project
from tenure.design.assess.pace import folder_pace, told_pace
from tenure.design.starting.start import start_from_log


def test_a_persons_word_is_said_to_be_one() -> None:
    pace = told_pace(2000)
    assert (pace.a_year, pace.said) == (730_000, "2,000 decisions a day, as you said")


def test_worlds_that_were_drawn_say_nothing_of_the_traffic(tmp_path: Path) -> None:
    # 128 worlds of an hour a step: once 1.1 million decisions a year, of which nobody had spoken.
    pace = folder_pace(load_project(COIN.write(tmp_path / "drawn")))
    assert math.isnan(pace.per_day)
    assert "say nothing of the traffic" in pace.said


def test_worlds_side_by_side_in_real_time_do(tmp_path: Path) -> None:
    folder = COIN.write(tmp_path / "real")
    world = folder / "simulator.py"
    world.write_text(world.read_text().replace(", independent=True)", ")"))
    pace = folder_pace(load_project(folder))
    assert pace.a_year == 128 * 24 * 365
    assert "as simulator.py says" in pace.said


@pytest.mark.parametrize("time", [True, False], ids=["with time", "without time"])
def test_a_folder_that_stands_on_a_log_decides_as_often_as_the_log(tmp_path: Path, time: bool) -> None:
    log = dict(linear_bandit(np.random.default_rng(0)))
    if not time:
        del log["decided_at"]
    n = len(log["reward"])
    write_csv(log, tmp_path / "offers.csv")
    pace = folder_pace(load_project(start_from_log("offers", tmp_path, tmp_path / "offers.csv").folder))
    if time:  # the family decides every ten minutes
        assert pace.per_day == pytest.approx(144 * n / (n - 1))
        assert f"{n:,} decisions in" in pace.said
    else:
        assert math.isnan(pace.per_day)
        assert "has no time" in pace.said
