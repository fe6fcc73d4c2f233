"""A store far away: what cannot be reached is tried again, what cannot help is not, and every trouble has its words."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tenure.core.errors import ProjectError, SettingsError, StoreError
from tenure.store.far import Far


class _Flaky:
    """A file system that answers after some failures."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    def cat_file(self, path: str) -> bytes:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return path.encode()


def far(fs: Any, tmp_path: Path, waited: list[float]) -> Far:
    store = Far(f"file://{tmp_path}", pause=waited.append)
    store._fs, store._root = fs, "root"
    return store


def test_a_store_that_is_not_reached_is_tried_three_times_with_longer_pauses(tmp_path: Path) -> None:
    waited = list[float]()
    fs = _Flaky(ConnectionResetError("gone"), TimeoutError("slow"))
    assert far(fs, tmp_path, waited).get("a") == b"root/a"
    assert (fs.calls, waited) == (3, [2.0, 4.0])
    again = _Flaky(*(ConnectionResetError("gone"),) * 4)
    with pytest.raises(StoreError, match="a store that answers; found ConnectionResetError: gone"):
        far(again, tmp_path, waited).get("a")
    assert again.calls == 3


def test_a_right_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    waited = list[float]()
    with pytest.raises(StoreError, match="the right to list, read, write"):
        far(_Flaky(PermissionError("denied")), tmp_path, waited).get("a")
    assert waited == []


def test_a_file_in_the_way_of_a_folder_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    waited = list[float]()
    with pytest.raises(StoreError, match="found NotADirectoryError"):
        Far(f"file://{tmp_path}/file/store", pause=waited.append).put("a", b"1")
    assert waited == []


@pytest.mark.parametrize("url", ["s3:/bucket", "bucket/prefix", ""])
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(SettingsError, match="a URL such as s3://bucket/prefix"):
        Far(url)


def test_a_store_nobody_knows_is_told() -> None:
    with pytest.raises(SettingsError, match="Protocol not known: nowhere"):
        Far("nowhere://bucket/a")


@pytest.mark.parametrize(("url", "library", "extra"), [("s3://b", "s3fs", "s3"), ("gs://b", "gcsfs", "gcs")])
def test_a_missing_library_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, library: str, extra: str
) -> None:
    from fsspec.registry import _registry  # type: ignore[import-untyped]

    for name in ("s3", "s3a", "gs", "gcs"):
        monkeypatch.delitem(_registry, name, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ProjectError, match=rf"pip install 'tenure\[{extra}\]'"):
        Far(url)


def test_without_fsspec_a_folder_is_no_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(ProjectError, match=r"pip install fsspec$"):
        Far(f"file://{tmp_path}")


def test_on_a_disk_a_file_takes_its_name_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Far(f"file://{tmp_path}", pause=lambda _: None)
    store.put("a/x", b"old")

    def torn(path: str, content: bytes) -> None:
        Path(path).write_bytes(content[:1])
        raise OSError("no space left")

    monkeypatch.setattr(store._fs, "pipe_file", torn)
    with pytest.raises(StoreError, match="no space left"):
        store.put("a/x", b"new")
    assert store.get("a/x") == b"old"
