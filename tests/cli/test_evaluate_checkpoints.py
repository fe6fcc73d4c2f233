"""Checkpoints of a run are ranked on the selection data, and a last one that got worse is called forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.training.hot import hot_project
from tests.training.ticking import ticking
from tests.training.tiny import TINY

from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.clock import SystemClock
from tenure.training import seeds, train
from tenure.training.checkpoints import Checkpoints, saved
from tenure.training.record import CurvePoint

from .test_main import as_json, tenure

SETTINGS = replace(TINY, steps=2048)


def above(threshold: float) -> torch.nn.Module:
    """Runs fast above a threshold of x, which is uniform in [0, 1]."""
    layer = torch.nn.Linear(1, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0], [1.0]]))
        layer.bias.copy_(torch.tensor([0.0, -threshold]))
    return layer


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A run of one seed with a checkpoint at each of its four scores."""
    base = tmp_path_factory.mktemp("hot")
    opened = open_workspace(str(hot_project(base / "project").folder), base / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeds, "train_seed", ticking)
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        train(opened.project, SETTINGS, (1,), opened.home, "four")
    return opened


def ranked(workspace: Workspace) -> dict[str, Any]:
    code, found = as_json("evaluate", workspace.project.place, "--checkpoints", "four", home=workspace.home.parent)
    assert code == 0
    return found


def folder(workspace: Workspace) -> Path:
    return workspace.runs / "four" / "seed-1" / "checkpoints"


def test_every_checkpoint_is_ranked_and_the_best_is_its_own_measure(workspace: Workspace) -> None:
    (seed,) = ranked(workspace)["seeds"]
    assert sorted(row["gradient_steps"] for row in seed["rows"]) == [4, 8, 12, 16]
    first = seed["rows"][0]
    assert (first["change"]["value"], first["change"]["low"], first["change"]["high"]) == (0.0, 0.0, 0.0)
    assert seed["best"] == first["gradient_steps"]
    keys = [(row["excess"], row["score"]) for row in seed["rows"]]
    assert keys == sorted(keys), "limits first, then the first KPI, of which less is better"


def test_a_last_checkpoint_that_got_worse_is_forgotten_by_what_the_worlds_say(workspace: Workspace) -> None:
    """Above 0.7 the heat is 0.3 and what is lost the integral of x to 0.7, 0.245; never fast loses 0.5."""
    kept = Checkpoints(folder(workspace), workspace.project.problem.kpis[0], SETTINGS.steps, SystemClock())
    for at, threshold in ((19, 0.7), (20, 2.0)):
        kept.save(CurvePoint(2047 + at, at, 1.0, 9.0, 1.0, 0.0), saved(above(threshold)), None)
    (seed,) = ranked(workspace)["seeds"]
    assert seed["best"] == 19
    (last,) = [row for row in seed["rows"] if row["gradient_steps"] == 20]
    assert last["score"] == pytest.approx(0.5, abs=0.02)
    assert seed["lost"]["value"] == pytest.approx(0.5 - 0.245, abs=0.02)
    assert 0 < seed["lost"]["low"] < seed["lost"]["value"] < seed["lost"]["high"]
    assert seed["forgot"]


def test_a_damaged_checkpoint_is_left_out_and_named(workspace: Workspace) -> None:
    graph = folder(workspace) / "8" / "graph.pt"
    content = graph.read_bytes()
    graph.write_bytes(content[:-1])
    (seed,) = ranked(workspace)["seeds"]
    graph.write_bytes(content)
    assert 8 not in [row["gradient_steps"] for row in seed["rows"]]
    assert seed["damaged"] == [f"{graph} is not as it was written"]


def test_an_unknown_run_is_refused(workspace: Workspace) -> None:
    code, said, _ = tenure("evaluate", workspace.project.place, "--checkpoints", "none", home=workspace.home.parent)
    assert code == 2
    assert "the plan of a run" in " ".join(said.split())
