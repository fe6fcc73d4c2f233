"""Whole diagnoses of small runs whose truth is known by hand, and how one goes on after it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tenure.core.errors import SettingsError
from tenure.core.project import Project
from tenure.diagnosis import Allowance, diagnose
from tenure.diagnosis.arms import FOLDER
from tenure.diagnosis.diagnose import suspicious
from tenure.training import RunRecord, train

from .walk import GOOD, SETTINGS, walk

Trained = Callable[..., tuple[Project, RunRecord, Path]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Trains one seed of a broken or whole problem."""

    def make(name: str, discount: float | None = None, pays: float = 1.0) -> tuple[Project, RunRecord, Path]:
        base = tmp_path_factory.mktemp(name)
        project = walk(base / "walk", pays=pays)
        record = train(project, replace(SETTINGS, discount=discount), (1,), base / "home", name)
        return project, record, base / "home" / "runs" / name

    return make


@pytest.fixture(scope="module")
def short(trained: Trained) -> tuple[Project, RunRecord, Path]:
    """A run that looks one decision ahead where ten count."""
    return trained("short", discount=0.1)


def test_a_healthy_run_is_left_in_peace_without_any_probe(trained: Trained) -> None:
    project, record, folder = trained("good")
    found = diagnose(project, record, folder, Allowance(3, 60))
    assert record.seeds[0].score == pytest.approx(GOOD)
    assert (found.healthy, found.shape, found.causes, found.named) == (True, "healthy", (), None)
    assert not (folder / FOLDER).exists()
    assert suspicious(project, record) == ""


def test_a_discount_that_looks_too_short_is_named_with_a_longer_one(short: tuple[Project, RunRecord, Path]) -> None:
    project, record, folder = short
    found = diagnose(project, record, folder, Allowance(2, 120))
    assert found.named is not None
    assert found.named.name == "wrong_discount"
    assert found.named.fix.settings["discount"] >= 0.9
    assert found.named.effect is not None
    assert found.named.effect.low > 0
    assert suspicious(project, record) != ""


def test_a_reward_that_ranks_otherwise_than_the_kpi_is_named_with_its_term(trained: Trained) -> None:
    project, record, folder = trained("unpaid", pays=0.01)
    found = diagnose(project, record, folder, Allowance(3, 60))
    assert found.named is not None
    assert found.named.name == "broken_reward"
    assert "'haste'" in found.named.fix.words
    assert found.named.fix.settings == {}
    assert len(found.causes) == 1


def test_a_stopped_diagnosis_goes_on_from_its_finished_trainings(short: tuple[Project, RunRecord, Path]) -> None:
    project, record, folder = short
    kept = folder / FOLDER
    for path in kept.glob("*.json") if kept.exists() else ():
        path.unlink()
    seen: list[str] = []

    def stop(words: str, share: float) -> None:
        seen.append(words)
        if kept.exists() and len(list(kept.glob("*.json"))) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diagnose(project, record, folder, Allowance(1, 120), stop)
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    diagnose(project, record, folder, Allowance(1, 120))
    after = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert len(before) == 2
    assert {name: after[name] for name in before} == before
    assert len(after) > 2


def test_without_probes_only_the_shape_is_told(short: tuple[Project, RunRecord, Path]) -> None:
    found = diagnose(*short, Allowance(0, 60))
    assert (found.shape, found.causes) == ("flat", ())


def test_a_probe_without_time_is_inconclusive_and_says_so(short: tuple[Project, RunRecord, Path]) -> None:
    project, record, folder = short
    found = diagnose(project, replace(record, problem_version="x"), folder.parent / "other", Allowance(1, 1e-3))
    assert [one.verdict for one in found.causes] == ["inconclusive"]
    assert "--seconds" in found.causes[0].probe


def test_an_allowance_of_two_seeds_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 3 seeds"):
        Allowance(seeds=2)
