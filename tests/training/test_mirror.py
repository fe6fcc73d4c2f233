"""A run kept in a store while it trains: another machine goes on with it, and no push ever stops a training."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.store.test_bundles import bundle
from tests.training.ticking import Ticks, ticking

from tenure.core.errors import StoreError
from tenure.store import save_bundle
from tenure.store.artifacts import Artifacts
from tenure.training import Progress, resume, seeds, train
from tenure.training.mirror import fetch_unfinished, mirrored, push

from .hot import hot_project
from .tiny import TINY

ROOT = str(Path(__file__).parents[2])
SETTINGS = replace(TINY, steps=4096)


class Refusing(Artifacts):
    """A store that takes nothing any more."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem, pause=lambda _: None)
        self.asked = threading.Event()

    def push_run(self, folder: Path, now: datetime) -> int:
        self.asked.set()
        raise StoreError(expected="a store that answers", found="none", where=self.url, fix="mend it")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(f"file://{tmp_path}/store", "toy", pause=lambda _: None)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine with a run of two seeds, the first of which is finished."""
    run = tmp_path / "here" / "runs" / "first"
    (run / "seed-1").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    version = save_bundle(bundle(), tmp_path / "here" / "bundles").name
    (run / "seed-1" / "seed.json").write_text(json.dumps({"version": version}))
    return tmp_path / "here"


def test_another_machine_goes_on_to_the_same_curve(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "train_seed", ticking)
    monkeypatch.syspath_prepend(ROOT)  # where a worker finds `ticking`
    project, one, other = hot_project(tmp_path / "hot"), tmp_path / "one", tmp_path / "other"
    whole = train(project, SETTINGS, (1,), tmp_path / "whole", "whole")
    seen = list[Progress]()

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), mirrored(artifacts, one / "runs" / "moved", one / "bundles"):
        train(project, SETTINGS, (1,), one, "moved", stop)
    shutil.rmtree(one)
    assert fetch_unfinished(artifacts, other / "runs", other / "bundles", None) == "moved"
    with mirrored(artifacts, other / "runs" / "moved", other / "bundles"):
        again = resume(project, other)
    assert again.seeds[0].resumed["steps"] > 0
    curves = [[replace(point, seconds=0.0) for point in run.seeds[0].curve] for run in (whole, again)]
    assert curves[0] == curves[1]
    assert artifacts.runs()["moved"].finished
    assert artifacts.versions() == [again.chosen]


def test_bundles_of_finished_seeds_come_along(artifacts: Artifacts, home: Path, tmp_path: Path) -> None:
    push(artifacts, home / "runs" / "first", home / "bundles", Ticks())
    there = tmp_path / "there"
    assert fetch_unfinished(artifacts, there / "runs", there / "bundles", "first") == "first"
    assert (there / "bundles" / bundle().version / "policy.onnx").is_file()


def test_a_run_that_was_stopped_here_goes_before_one_that_lies_there(artifacts: Artifacts, home: Path) -> None:
    push(artifacts, home / "runs" / "first", home / "bundles", Ticks())
    (home / "runs" / "first").rename(home / "runs" / "second")
    assert fetch_unfinished(artifacts, home / "runs", home / "bundles", None) is None
    assert fetch_unfinished(artifacts, home / "runs", home / "bundles", "second") is None
    assert fetch_unfinished(artifacts, home / "runs", home / "bundles", "first") == "first"


def test_a_finished_run_is_not_gone_on_with(artifacts: Artifacts, home: Path, tmp_path: Path) -> None:
    (home / "runs" / "first" / "record.json").write_text("{}")
    push(artifacts, home / "runs" / "first", home / "bundles", Ticks())
    assert fetch_unfinished(artifacts, tmp_path / "runs", tmp_path / "bundles", None) is None


def test_a_push_that_fails_while_training_is_told_and_the_last_one_is_an_error(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusing = Refusing(f"file://{home}/store", "toy")
    trained = list[bool]()

    def training() -> None:
        with mirrored(refusing, home / "runs" / "first", home / "bundles", Ticks()) as news:
            news()
            trained.append(refusing.asked.wait(10))

    with caplog.at_level(logging.WARNING), pytest.raises(StoreError, match=r"finished, and lies whole in .*first"):
        training()
    assert trained == [True]
    assert "the run is not in the store yet" in caplog.text


def test_what_stops_a_training_is_never_hidden_by_a_push(home: Path) -> None:
    refusing = Refusing(f"file://{home}/store", "toy")
    folder = home / "runs" / "first"
    with pytest.raises(KeyError, match="its own"), mirrored(refusing, folder, home / "bundles", Ticks()):
        raise KeyError("its own")
    assert refusing.asked.is_set()


def test_news_are_pushed_before_the_run_ends(artifacts: Artifacts, home: Path) -> None:
    pushed = threading.Event()
    before: Callable[[Path, datetime], int] = artifacts.push_run

    def told(folder: Path, now: datetime) -> int:
        sent = before(folder, now)
        pushed.set()
        return sent

    artifacts.push_run = told  # type: ignore[method-assign]
    with mirrored(artifacts, home / "runs" / "first", home / "bundles", Ticks()) as news:
        news()
        assert pushed.wait(10)
        assert list(artifacts.runs()) == ["first"]


def test_without_a_store_nothing_is_pushed(home: Path) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    with mirrored(None, home / "runs" / "first", home / "bundles") as news:
        news()
        assert {thread.ident for thread in threading.enumerate()} <= before
