"""Tables, bandits and learners from logs stopped half way and gone on: the same curve and answers to the last bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.corridor import Mixed, corridor, log_of

from tenure.core.clock import ManualClock
from tenure.core.project import Project
from tenure.training.ground import Ground, Trained
from tenure.training.recipes import RECIPES
from tenure.training.record import CurvePoint
from tenure.training.settings import Settings
from tenure.training.watcher import load_graph

SHORT: dict[str, dict[str, Any]] = {
    "q_learning": {"steps": 32 * 40, "worlds": 32, "checkpoint_every": 10},
    "bandit": {"steps": 32 * 40, "worlds": 32, "checkpoint_every": 10, "with_state": True},
    "fast_ppo": {"steps": 32 * 40, "worlds": 32, "rollout": 10, "batch": 32, "epochs": 1, "checkpoint_every": 10},
    **{name: {"steps": 40 * 32, "batch": 32, "checkpoint_every": 10} for name in ("cloning", "cql", "iql")},
}


class StoppedError(Exception):
    """Somebody pulled the plug."""


def trained(project: Project, settings: Settings, folder: Path, *, until: int = 0, resume: bool = False) -> Trained:
    """A seed whose clock says after each score that a checkpoint is due; it is stopped before score `until`."""
    clock, seen = ManualClock(datetime(2024, 1, 1, tzinfo=UTC)), list[CurvePoint]()

    def report(point: CurvePoint) -> None:
        seen.append(point)
        if len(seen) == until:
            raise StoppedError
        clock.advance(timedelta(hours=1))

    folder.mkdir(exist_ok=True)
    return RECIPES[settings.recipe].train(Ground(project, settings, 1, folder, report, resume=resume, clock=clock))


@pytest.mark.parametrize("name", sorted(SHORT))
def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path, name: str) -> None:
    project = corridor(tmp_path / "corridor")
    settings = RECIPES[name].settings(**SHORT[name])
    if RECIPES[name].learns_from == "log":
        settings = replace(settings, log=str(log_of(project, Mixed(), tmp_path / "log.csv")))  # type: ignore[call-arg]
    whole = trained(project, settings, tmp_path / "whole")
    with pytest.raises(StoppedError):
        trained(project, settings, tmp_path / "parted", until=3)
    again = trained(project, settings, tmp_path / "parted", resume=True)
    curves = [[replace(point, seconds=0.0) for point in run.curve] for run in (whole, again)]
    assert len(curves[0]) == 4
    assert curves[0] == curves[1]
    cells = torch.as_tensor(np.arange(5.0, dtype=np.float32)[:, None])
    last = [load_graph(tmp_path / run / "last.pt") for run in ("whole", "parted")]
    with torch.no_grad():
        assert torch.equal(last[0](cells), last[1](cells)), "the last policy, which the whole course has made"
