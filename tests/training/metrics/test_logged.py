"""The metrics of the record stand in the files that TensorBoard and a table program read."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
from tests.training.tiny import Tiny

from tenure.core.project import load_project
from tenure.training.ground import Ground
from tenure.training.recipes.q_learning import QLearningSettings, train_q_learning
from tenure.training.record import CurvePoint


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard's own reader finds."""
    reader = EventAccumulator(str(folder))
    reader.Reload()
    return {tag: [(e.step, e.value) for e in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def same(folder: Path, curve: tuple[CurvePoint, ...]) -> None:
    """Both files hold the metrics of the curve."""
    found, last = scalars(folder), curve[-1].metrics
    rows = list(csv.DictReader((folder / "progress.csv").read_text().splitlines()))
    assert last
    for name, value in last.items():
        tag = f"metrics/{name}"
        assert found[tag][-1][1] == pytest.approx(value, rel=1e-4)
        assert float([row[tag] for row in rows if row[tag]][-1]) == pytest.approx(value, rel=1e-4)


def test_tensorboard_and_the_table_hold_what_the_record_holds(tiny: Tiny) -> None:
    same(tiny.folder / "seed-1", tiny.record.seeds[0].curve)


def test_a_table_of_values_writes_the_same_files(tmp_path: Path) -> None:
    project = load_project("bikes")
    first = project.problem.feature_names[:1]
    settings = QLearningSettings(steps=512, worlds=16, checkpoint_every=16, features=first)
    curve = train_q_learning(Ground(project, settings, 1, tmp_path, lambda _: None)).curve
    same(tmp_path, tuple(curve))
    assert [step for step, _ in scalars(tmp_path)["metrics/reward_mean"]] == [point.steps for point in curve]
