"""Learners of Stable-Baselines3 with a replay buffer, stopped half way, go on to the same weights and the same log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tenure.core.project import Project, load_project
from tenure.training.ground import Ground, Trained
from tenure.training.recipes import recipe_of
from tenure.training.record import CurvePoint
from tenure.training.stable import log_of
from tenure.training.watcher import load_graph

from .hot import hot_project
from .ticking import Ticks

SHORT: dict[str, Any] = {
    "steps": 1024,
    "worlds": 16,
    "checkpoint_every": 40,
    "net": (8,),
    "batch": 32,
    "learning_starts": 256,
    "buffer": 600,  # fewer than there are decisions, so that the oldest give way
}


class StoppedError(Exception):
    """Somebody pulled the plug."""


def trained(project: Project, name: str, folder: Path, until: int = 0) -> Trained:
    """A seed with a checkpoint at every score; it is stopped before score `until`."""
    seen = list[CurvePoint]()

    def report(point: CurvePoint) -> None:
        seen.append(point)
        if len(seen) == until:
            raise StoppedError

    folder.mkdir(exist_ok=True)
    recipe = recipe_of(name)
    return recipe.train(Ground(project, recipe.settings(**SHORT), 1, folder, report, resume=True, clock=Ticks()))


@pytest.mark.parametrize(("name", "case"), [("dqn", "hot"), ("sac", "arm")])
def test_a_learner_with_a_replay_buffer_goes_on_as_if_it_had_not_been_stopped(
    name: str, case: str, tmp_path: Path
) -> None:
    project = hot_project(tmp_path / "hot") if case == "hot" else load_project(case)
    whole = trained(project, name, tmp_path / "whole")
    with pytest.raises(StoppedError):
        trained(project, name, tmp_path / "parted", until=3)
    again = trained(project, name, tmp_path / "parted")
    curves = [[replace(point, seconds=0.0) for point in run.curve] for run in (whole, again)]
    assert len(curves[0]) > 3
    assert curves[0] == curves[1]
    last = [load_graph(tmp_path / run / "last.pt") for run in ("whole", "parted")]
    assert all(torch.equal(a, b) for a, b in zip(last[0].parameters(), last[1].parameters(), strict=True))


def test_a_log_that_goes_on_keeps_its_rows_up_to_the_checkpoint_and_no_torn_one(tmp_path: Path) -> None:
    first = log_of(tmp_path, None)
    for steps in (10, 20, 30):
        first.record("time/total_timesteps", steps)
        first.record("loss", steps / 10)
        first.dump(steps)
    first.close()
    with (tmp_path / "progress.csv").open("a") as file:
        file.write("4")
    again = log_of(tmp_path, 20)
    again.record("time/total_timesteps", 40)
    again.record("loss", 7.0)
    again.dump(40)
    again.close()
    header, *rows = (tmp_path / "progress.csv").read_text().splitlines()
    found = [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]
    told = [(row["time/total_timesteps"], row["loss"]) for row in found]
    assert told == [("10", "1.0"), ("20", "2.0"), ("40", "7.0")]
