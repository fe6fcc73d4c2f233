"""What a run would take, from the command line: by hand from a record, and by a real probe where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.training.hot import hot_project

from tenure.cli.workspace import open_workspace
from tenure.training import RunRecord, SeedRecord
from tenure.training.record import write_record

from .test_main import as_json, tenure

TABLE = """
[[price]]
cloud = "aws"
instance = "x"
vcpus = 4
memory_gb = 8
on_demand = 2.0
spot = [0.5, 1.0]
currency = "EUR"
region = "here"
as_of = "2026-11-01"
source = "our contract"
speed = [1.0, 1.0]
"""

TRAIN = """
[train]
steps = 1_000_000
worlds = 16
rollout = 32
batch = 256
epochs = 2
checkpoint_every = 4
net = [16]
"""


@pytest.fixture
def place(tmp_path: Path) -> str:
    folder = hot_project(tmp_path / "hot").folder
    (folder / "tenure.toml").write_text(TRAIN)
    return str(folder)


def record(recipe: str, steps_per_s: float) -> RunRecord:
    seed = SeedRecord(1, "v", 0.0, steps_per_s, (), utilisation={"cores": 1.5})
    return RunRecord(recipe, "hot", "", "", "", {}, (seed,), "v", 0.0, None, {}, "", recipe=recipe)


@pytest.fixture
def measured(place: str, tmp_path: Path) -> Path:
    """A home whose newest run is of another recipe than the project's."""
    runs = open_workspace(place, tmp_path / "home").runs
    for number, (recipe, speed) in enumerate({"ppo": 1000.0, "dqn": 1.0}.items()):
        (runs / recipe).mkdir(parents=True)
        write_record(record(recipe, speed), runs / recipe)
        os.utime(runs / recipe / "record.json", (number, number))
    return tmp_path / "home"


def test_an_estimate_by_hand_from_the_newest_run_of_that_recipe(place: str, measured: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TABLE)
    asked = ("train", place, "--steps", "3600000", "--seeds", "4", "--prices", str(tmp_path / "mine.toml"))
    code, found = as_json(*asked, home=measured)
    assert (code, found["recipe"]) == (0, "ppo")
    assert found["core_hours"] == {"low": 6.0, "high": 6.0}  # 4 x 3,600,000 / 1,000 s, on 1.5 cores each
    (bill,) = found["bills"]
    assert bill["machines"] == 2  # four seeds of two threads on four vCPUs
    assert bill["hours"] == {"low": 1.0, "high": 1.0}
    assert bill["on_demand"] == {"low": 4.0, "high": 4.0}
    assert bill["spot"] == {"low": 1.0, "high": 2.0}
    assert not (measured / "hot" / "runs" / "probe").exists()


def test_where_no_run_tells_the_speed_a_probe_does_and_leaves_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.training.probe.SECONDS", 0.0)
    monkeypatch.setattr("tenure.training.probe.POINTS", 2)
    code, found = as_json("train", place, "--estimate", home=tmp_path / "home")
    assert code == 0
    assert 0 < found["speed"]["steps_per_s"]["low"] <= found["speed"]["steps_per_s"]["high"]
    assert "a probe of" in found["speed"]["said"]
    assert not list((tmp_path / "home").glob("**/runs/*"))
    assert found["steps"] == 1_000_000


def test_our_own_prices_are_called_examples_and_yours_are_not(place: str, measured: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TABLE)
    _, ours, _ = tenure("train", place, "--estimate", home=measured)
    assert "EXAMPLES" in ours
    assert "of an unknown day" in ours
    _, yours, _ = tenure("train", place, "--prices", str(tmp_path / "mine.toml"), home=measured)
    assert "EXAMPLES" not in yours
    assert "as of 2026-11-01" in yours


def test_a_cloud_that_has_no_price_is_told_with_those_that_have(place: str, measured: Path) -> None:
    code, found = as_json("train", place, "--cloud", "nowhere", home=measured)
    assert (code, found["expected"]) == (2, "one of the clouds of the table, ['aws', 'azure', 'gcp']")
