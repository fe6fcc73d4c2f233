"""What a bridge mended while a seed trained is in the run's record, and the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulators.bridge.test_world import BAD, EXAMPLE

from tenure.cli.train import as_json
from tenure.core.project import load_project
from tenure.simulators.incidents import sentence_of
from tenure.training import PPOSettings, RunRecord, read_record, train

SIMULATOR = """
import sys
from pathlib import Path

from tenure.simulators.bridge import BridgeSimulator

from .problem import problem

simulator = BridgeSimulator(problem, command=[sys.executable, {bad!r}, "die", "30", {once!r}], worlds=6)
"""
FEW = PPOSettings(steps=256, worlds=4, rollout=16, batch=64, epochs=1, net=(8,), checkpoint_every=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose bridge dies at the 30th request of its first process."""
    path = tmp_path_factory.mktemp("tank")
    problem = (EXAMPLE / "problem.py").read_text().replace("horizon=144", "horizon=24")
    (path / "problem.py").write_text(problem.replace('{"spilled": 1.0}', '{"spilled": 50.0, "pumped": 1.0}'))
    (path / "simulator.py").write_text(SIMULATOR.format(bad=str(BAD), once=str(path / "died")))
    return path


@pytest.fixture(scope="module")
def record(folder: Path) -> RunRecord:
    """A short run of one seed."""
    return train(load_project(folder), FEW, (1,), folder / "home", "short")


def test_a_process_that_dies_while_a_seed_trains_is_mended_and_told_in_the_record(
    folder: Path, record: RunRecord
) -> None:
    assert (folder / "died").exists()
    assert (record.incidents["restarts"], record.incidents["strayed"]) == (1, 0)
    assert record.incidents["led_back"] > 0
    assert record.seeds[0].incidents["restarts"] == 1
    assert record.incidents["led_back"] > record.seeds[0].incidents["led_back"]  # the comparison's own are among them
    assert read_record(folder / "home" / "runs" / "short") == record
    assert as_json(record)["incidents"] == record.incidents
    assert sentence_of(record.incidents).startswith("On the way the simulator had 1 restarts of its process, ")
