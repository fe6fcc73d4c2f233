"""Artifacts from the command line: kept while training, gone on with elsewhere, served where nobody trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store.test_bundles import bundle
from tests.training.hot import hot_project
from tests.training.tiny import TINY

from tenure.cli.train import checked
from tenure.cli.workspace import Workspace, open_workspace
from tenure.core.errors import StoreError
from tenure.store import save_bundle
from tenure.training import Progress, train
from tenure.training.mirror import mirrored

from .test_main import as_json


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A machine whose run was stopped, and kept in a store, before the machine was lost."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("TENURE_ARTIFACTS", f"file://{tmp_path}/store")
    lost = open_workspace(str(hot_project(tmp_path / "hot").folder), tmp_path / "lost")
    with pytest.raises(KeyboardInterrupt), mirrored(lost.artifacts, lost.runs / "stopped", lost.bundles):
        train(lost.project, replace(TINY, steps=2048), (1,), lost.home, "stopped", interrupt)
    shutil.rmtree(tmp_path / "lost")
    here = open_workspace(lost.project.place, tmp_path / "here")
    checked(here)
    return here


def test_a_run_of_a_lost_machine_goes_on_and_its_version_is_served_where_nobody_trained(
    stopped: Workspace, tmp_path: Path
) -> None:
    code, found = as_json("train", stopped.project.place, "--resume", home=tmp_path / "here")
    assert (code, found["run"]) == (0, "stopped")
    served = open_workspace(stopped.project.place, tmp_path / "served")
    assert served.known() == [found["version"]]
    assert served.bundle(found["version"]).version == found["version"]
    code, listed = as_json("versions", stopped.project.place, "--fetch", found["version"], home=tmp_path / "third")
    assert [row["version"] for row in listed["versions"]] == [found["version"]]
    assert (open_workspace(stopped.project.place, tmp_path / "third").bundles / found["version"]).is_dir()


def test_a_version_that_lies_nowhere_is_told_with_the_store(stopped: Workspace, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"one of the versions \[\]; found '0123456789ab'; in file://"):
        stopped.bundle("0123456789ab")
    code, found = as_json("versions", stopped.project.place, "--fetch", "../../x", home=tmp_path / "here")
    assert (code, found["found"]) == (5, "'../../x'")


def test_a_version_that_lies_here_is_used_though_the_store_is_away(stopped: Workspace, tmp_path: Path) -> None:
    version = save_bundle(bundle(), stopped.bundles).name
    (tmp_path / "file").write_text("no folder")
    away = replace(stopped, kept_at=f"file://{tmp_path}/file/store")
    assert away.has(version)
    with pytest.raises(StoreError, match="a store that answers"):
        away.has("0123456789ab")


def test_a_store_that_cannot_be_written_is_told_before_training(stopped: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    command = ("train", stopped.project.place, "--steps", "100000000", "--artifacts", f"file://{tmp_path}/file/store")
    code, found = as_json(*command, home=tmp_path / "here")
    assert (code, found["expected"]) == (5, "a store that answers")


def test_without_a_store_there_is_nothing_to_fetch_from(tmp_path: Path) -> None:
    code, found = as_json("versions", "bikes", "--fetch", "0123456789ab", home=tmp_path)
    assert (code, found["expected"]) == (2, "a store of artifacts")


def test_the_settings_name_the_store_the_environment_goes_before_them_and_who_asks_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hot_project(tmp_path / "hot").folder
    (folder / "tenure.toml").write_text(f'[artifacts]\nurl = "file://{tmp_path}/settings"\n')

    def url(asked: str | None = None) -> str | None:
        kept = replace(open_workspace(str(folder), tmp_path), kept_at=asked).artifacts
        return None if kept is None else kept.url.removeprefix(f"file://{tmp_path}/").partition("/")[0]

    assert url() == "settings"
    monkeypatch.setenv("TENURE_ARTIFACTS", f"file://{tmp_path}/environment")
    assert url() == "environment"
    assert url(f"file://{tmp_path}/asked") == "asked"
