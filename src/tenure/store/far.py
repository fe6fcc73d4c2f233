"""Files in a store far away, by fsspec: whole or not there, tried again while the store is not reached."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, TypeVar

from tenure.core.errors import ProjectError, SettingsError
from tenure.store.troubles import Absent, trouble_of

T = TypeVar("T")

TRIES = 3
"""Times a step is tried while the store is not reached; its library has tried some times within each already."""
PAUSE_S = 2.0
"""Seconds before the second try; twice as many before each further one."""


class Far:
    """Files below a URL.

    Args:
        url: where; the bucket must exist.
        pause: waits some seconds between two tries.

    Raises:
        SettingsError: no URL, or of a store that fsspec does not know.
        ProjectError: the library of that store is not installed.
    """

    def __init__(self, url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self.url, self._pause = url, pause
        self._fs, self._root = _opened(url)

    def get(self, path: str) -> bytes | None:
        """A file's content; None where there is no such file.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            content: bytes = self._tried(lambda: self._fs.cat_file(self._at(path)))
        except Absent:
            return None
        return content

    def put(self, path: str, content: bytes) -> None:
        """Write a file, whole or not at all: object stores do; on disks it takes its name when it is written.

        Raises:
            Absent: there is no such bucket.
            StoreError: the store cannot be written.
        """
        final = self._at(path)
        half = f"{final}.{uuid.uuid4().hex}.half" if self._on_disk else final
        self._tried(lambda: self._fs.pipe_file(half, content))
        if half != final:
            self._tried(lambda: self._fs.mv(half, final))

    def remove(self, path: str) -> None:
        """Remove a file that may be there.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            self._tried(lambda: self._fs.rm_file(self._at(path)))
        except Absent:
            return

    def has(self, path: str) -> bool:
        """Whether there is such a file.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            self._tried(lambda: self._fs.info(self._at(path)))
        except Absent:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted; nothing where there is no such folder.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            found = self._tried(lambda: self._fs.ls(self._at(folder), detail=False))
        except Absent:
            return []
        names = (PurePosixPath(str(path).rstrip("/")).name for path in found)
        return sorted(name for name in names if name != folder)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    @cached_property
    def _on_disk(self) -> bool:
        from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

        return isinstance(self._fs, LocalFileSystem)

    def _tried(self, step: Callable[[], T]) -> T:
        """Do a step, again while the store is not reached.

        Raises:
            Absent: there is no such thing, or no such bucket.
            StoreError: no right, or no way to it after all tries.
        """
        for done in range(1, TRIES + 1):
            try:
                return step()
            except Exception as error:  # the stores' own errors have no common base
                trouble, again = trouble_of(error, self.url)
                if done == TRIES or not again:
                    raise trouble from error
            self._pause(PAUSE_S * 2 ** (done - 1))
        raise AssertionError("unreachable")


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    if "://" not in url:
        raise SettingsError(
            expected="a URL such as s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder",
            found=repr(url),
            where="the URL of the artifacts",
            fix="give one with --artifacts, $TENURE_ARTIFACTS or [artifacts] url of tenure.toml",
        )
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        local = {"auto_mkdir": True} if url.startswith(("file://", "local://")) else {}
        fs, path = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **local)
    except ImportError as error:
        raise _not_installed(url, error) from error
    except ValueError as error:
        raise trouble_of(error, url)[0] from error
    return fs, str(path).rstrip("/")


def _not_installed(url: str, error: ImportError) -> ProjectError:
    extra = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure"}.get(url.partition("://")[0])
    wanted = f"'tenure[{extra}]'" if extra else (error.name or "what fsspec names there").partition(".")[0]
    return ProjectError(
        expected="the library of that store",
        found=str(error).strip(),
        where=url,
        fix=f"pip install {wanted}",
    )
