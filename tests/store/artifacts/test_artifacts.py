"""Bundles and runs in every kind of store: whole or not there, hashed when fetched, never sent twice."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.store.test_bundles import PROBLEM, bundle

from tenure.core.errors import BundleError, StoreError
from tenure.store import load_bundle, save_bundle
from tenure.store.artifacts import Artifacts
from tenure.store.far import Far

NOW, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def opened(store: str, problem: str = "toy") -> Artifacts:
    return Artifacts(store, problem, pause=lambda _: None)


def test_what_is_pushed_is_what_another_machine_fetches(store: str, run: Path, tmp_path: Path) -> None:
    artifacts = opened(store, "whole")
    artifacts.check()
    assert artifacts.push_run(run, NOW) == 3
    there = opened(store, "whole").fetch_run("first", tmp_path / "there" / "runs")
    assert {path.relative_to(there).as_posix(): path.read_bytes() for path in there.rglob("*") if path.is_file()} == {
        "run.json": b"{}",
        "seed-1/checkpoints/200/state.pt": b"old",
        "seed-1/checkpoints/400/state.pt": b"new",
    }
    assert not [path for path in (tmp_path / "there").iterdir() if path.name != "runs"]


def test_only_what_is_new_is_sent_and_what_was_pruned_goes(store: str, run: Path) -> None:
    artifacts = opened(store, "again")
    artifacts.push_run(run, NOW)
    assert artifacts.push_run(run, NOW) == 0
    shutil.rmtree(run / "seed-1" / "checkpoints" / "200")
    (run / "record.json").write_bytes(b"[]")
    assert artifacts.push_run(run, LATER) == 1
    assert len(Far(f"{store}/again").names("runs/first/files")) == 3
    index = artifacts.runs()["first"]
    assert index.finished
    assert index.at == "2026-01-02T00:00:00.000000Z"


def test_two_files_of_one_content_outlive_the_pruning_of_one(store: str, run: Path, tmp_path: Path) -> None:
    twin = run / "seed-1" / "checkpoints" / "600" / "state.pt"
    twin.parent.mkdir()
    twin.write_bytes(b"old")
    artifacts = opened(store, "twins")
    artifacts.push_run(run, NOW)
    shutil.rmtree(run / "seed-1" / "checkpoints" / "200")
    artifacts.push_run(run, LATER)
    fetched = artifacts.fetch_run("first", tmp_path / "runs")
    assert (fetched / "seed-1" / "checkpoints" / "600" / "state.pt").read_bytes() == b"old"


def test_runs_are_listed_the_one_pushed_last_at_the_end(store: str, run: Path) -> None:
    artifacts = opened(store, "listed")
    assert artifacts.runs() == {}
    artifacts.push_run(run, LATER)
    artifacts.push_run(run.rename(run.with_name("a-second")), NOW)
    assert list(artifacts.runs()) == ["a-second", "first"]
    assert not artifacts.runs()["first"].finished


def test_a_run_that_is_not_there_is_told_with_those_that_are(store: str, run: Path, tmp_path: Path) -> None:
    artifacts = opened(store, "named")
    artifacts.push_run(run, NOW)
    with pytest.raises(StoreError, match=r"one of the runs \['first'\]; found 'other'"):
        artifacts.fetch_run("other", tmp_path)


def test_a_run_of_other_content_than_its_index_says_never_comes_here(store: str, run: Path, tmp_path: Path) -> None:
    artifacts, far = opened(store, "damaged"), Far(f"{store}/damaged")
    artifacts.push_run(run, NOW)
    index = json.loads(far.get("runs/first/index.json") or b"")
    digest = index["files"]["seed-1/checkpoints/400/state.pt"]
    far.put(f"runs/first/files/{digest}", b"forged")
    with pytest.raises(StoreError, match=rf"400/state.pt with sha256 {digest[:12]}"):
        artifacts.fetch_run("first", tmp_path / "runs")
    assert list(tmp_path.glob("**/state.pt")) == list(run.glob("**/state.pt"))
    far.remove(f"runs/first/files/{digest}")
    with pytest.raises(StoreError, match="found none"):
        artifacts.fetch_run("first", tmp_path / "runs")


@pytest.mark.parametrize("name", ["../../outside", "/etc/outside", "a/../../b", "a\\..\\b"])
def test_an_index_never_names_a_file_outside_its_run(store: str, run: Path, tmp_path: Path, name: str) -> None:
    artifacts, far = opened(store, "outside"), Far(f"{store}/outside")
    artifacts.push_run(run, NOW)
    index = json.loads(far.get("runs/first/index.json") or b"")
    index["files"] = {name: index["files"]["run.json"]}
    far.put("runs/first/index.json", json.dumps(index).encode())
    with pytest.raises(StoreError, match="a path that leads out"):
        artifacts.fetch_run("first", tmp_path / "a" / "runs")
    far.remove("runs/first/index.json")


def test_a_fetch_never_replaces_what_lies_here(store: str, run: Path) -> None:
    artifacts = opened(store, "here")
    artifacts.push_run(run, NOW)
    with pytest.raises(StoreError, match="no folder of that name yet"):
        artifacts.fetch_run("first", run.parent)
    assert (run / ".held").exists()


def test_a_bundle_comes_back_by_its_version_and_decides(store: str, tmp_path: Path) -> None:
    folder, artifacts = save_bundle(bundle(), tmp_path / "here"), opened(store, "bundled")
    assert artifacts.versions() == []
    artifacts.push_bundle(folder)
    artifacts.push_bundle(folder)
    assert artifacts.versions() == [folder.name]
    fetched = artifacts.fetch_bundle(folder.name, tmp_path / "there")
    assert load_bundle(fetched, PROBLEM).version == folder.name
    assert [path.name for path in (tmp_path / "there").iterdir()] == [folder.name]


def test_a_forged_bundle_never_comes_here(store: str, tmp_path: Path) -> None:
    folder, artifacts = save_bundle(bundle(), tmp_path / "here"), opened(store, "forged")
    artifacts.push_bundle(folder)
    Far(f"{store}/forged").put(f"bundles/{folder.name}/policy.onnx", b"another graph")
    with pytest.raises(BundleError, match=r"policy\.onnx"):
        artifacts.fetch_bundle(folder.name, tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())


def test_a_bundle_without_its_manifest_is_not_there(store: str, tmp_path: Path) -> None:
    artifacts = opened(store, "half")
    Far(f"{store}/half").put("bundles/0123456789ab/policy.onnx", b"half a push")
    assert artifacts.versions() == []
    with pytest.raises(StoreError, match="one of the versions"):
        artifacts.fetch_bundle("0123456789ab", tmp_path / "there")


@pytest.mark.parametrize("name", ["../../outside", "/etc", "0123456789AB", ""])
def test_what_is_no_version_never_becomes_a_folder_here(store: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="one of the versions"):
        opened(store, "named").fetch_bundle(name, tmp_path / "a" / "there")
    assert not list(tmp_path.iterdir())
